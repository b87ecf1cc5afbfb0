"""What a step of each family costs: against a hand-written loop, in operations, and of the machine's peak."""

from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from agon.experiment import Experiment
from agon.networks.layers import parameters_without_biases
from agon.recipes import find
from agon.training import Training
from benchmarks.by_hand import STEPS, ByHand
from benchmarks.report import Section, table
from benchmarks.sets import Set
from benchmarks.sides import arithmetic
from benchmarks.timing import Compared, compared, seconds

RECIPES = (  # name, the set it is measured on
    ("im2016/mnist-gran1", "mnist"),
    ("im2016/mnist-gran3", "mnist"),
    ("im2016/mnist-gran5", "mnist"),
    ("yamazaki2017/mnist-m0", "mnist"),
    ("yamazaki2017/mnist-m3", "mnist"),
    ("argan2018/cifar10-s-argan", "cifar10"),
    ("argan2018/cifar10-c-argan", "cifar10"),
)
SIDE = 1024  # of the matrices whose product is the machine's peak


class Cost(NamedTuple):
    """One family's step.

    Attributes:
        weights: of all players, biases and normalisation left out.
        operations: floating-point operations a step, two a multiply-add, as torch counts them.
        time: ours against theirs.
    """

    weights: int
    operations: int
    time: Compared


def section(sets: list[Set], quick: bool) -> Section:
    """A row a family, at its quick scale."""
    torch.set_num_threads(1)
    rounds, steps = (3, 1) if quick else (16, 2)
    best, found = peak(), {each.name: each for each in sets}
    rows = []
    for name, on in RECIPES:
        cost = measured(name, found[on], rounds, steps)
        share = cost.operations / (cost.time.ours / 1000) / best
        rows.append(
            (
                name,
                f"{cost.weights:,}",
                f"{cost.operations / 1e9:.1f}",
                f"{cost.time.ours:.0f}",
                f"{cost.time.theirs:.0f}",
                f"**{cost.time.ratio:.3f}**",
                f"{cost.time.low:.3f}-{cost.time.high:.3f}",
                f"{share:.0%}",
            )
        )
    heads = (
        "recipe, quick scale",
        "weights",
        "Gflop a step",
        "ours, ms",
        "theirs, ms",
        "ours / theirs",
        "95 %",
        "of peak",
    )
    return Section(
        "The papers' families",
        "One step (all turns of a round) of a recipe at quick scale on one CPU thread: ours is `Training.advance`, "
        "theirs `benchmarks/by_hand.py`, a hand-written loop with the same networks. Weights are counted without "
        "biases and normalisation, all players'. Operations as torch's counter has them, two a multiply-add, of the "
        "convolutions and matrix products that the counter knows. The peak is a product of "
        f"{SIDE}x{SIDE} matrices in float32 on the same thread, {best / 1e9:.0f} Gflop/s. {rounds} rounds of {steps} "
        "steps, by turns; medians, 95 % bootstrap interval. Bound: 1.0.",
        table(heads, rows),
    )


def measured(name: str, on: Set, rounds: int, steps: int) -> Cost:
    """The costs of a recipe's step on a set."""
    experiment = find(name).experiment(on.source, "quick")
    ours, theirs = training(experiment), ByHand(experiment, on.tensor())
    by_hand = next(make for game, make in STEPS.items() if isinstance(theirs.game, game))(theirs)
    counter = FlopCounterMode(display=False)
    with counter:
        ours.advance()
    time = compared(ours.advance, by_hand, rounds=rounds, steps=steps, warm=1)
    return Cost(parameters_without_biases(ours.game), counter.get_total_flops(), time)


def training(experiment: Experiment) -> Training:
    how = arithmetic(threads=1, compile="off")
    return Training(experiment, how, torch.device(how.device))


def peak() -> float:
    """Floating-point operations a second of a large product of matrices, the best of some."""
    a, b = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    return 2 * SIDE**3 / min(seconds(lambda: torch.mm(a, b), 1) for _ in range(20))

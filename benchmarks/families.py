"""What a step of each family costs: against a hand-written loop, in operations, and of the machine's peak."""

import sys
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from agon.experiment import Experiment
from agon.networks.layers import parameters_without_biases
from agon.recipes import find
from agon.recipes.sets import read_as
from agon.training import Training
from agon.training.allocation import keep_freed_memory
from benchmarks.by_hand import STEPS, ByHand
from benchmarks.operators import Profile, explanation, profiled
from benchmarks.report import Section, table
from benchmarks.sets import Set
from benchmarks.sides import compute
from benchmarks.timing import Compared, Rounds, compared, seconds

RECIPES = (  # name, the set it is measured on, whether the loop by hand is written for it
    ("im2016/mnist-gran1", "mnist", True),
    ("im2016/mnist-gran3", "mnist", True),
    ("im2016/mnist-gran5", "mnist", True),
    ("im2016/mnist-vae", "mnist", True),
    ("im2016/mnist-draw", "mnist", True),
    ("argan2018/cifar10-s-argan", "cifar10", True),
    ("argan2018/cifar10-c-argan", "cifar10", True),
    ("argan2018/cifar10-pargan", "cifar10", False),
    ("metz2017/mnist-k0", "mnist", True),
    ("metz2017/rnn-mnist-k0", "mnist", True),
    ("yamazaki2017/mnist-m0", "mnist", True),
    ("yamazaki2017/mnist-m3", "mnist", True),
    ("yamazaki2017/cifar10-m2", "cifar10", True),
    ("tabak2016/mnist-digit-2", "mnist", True),
    ("gulrajani2017/wgan-gp", "mnist", False),
    ("zhao2016/ebgan", "mnist", False),
    ("berthelot2017/began", "mnist", False),
    ("miyato2018/sngan", "mnist", False),
    ("huang2024/r3gan", "mnist", False),
)
BOUND = 0.9  # of the loop by hand
ROW = 6  # seconds of a row's rounds
ALONE = 3  # times that steps without a loop by hand are timed
SIDE = 1024  # of the matrices whose product is the machine's peak


class Cost(NamedTuple):
    """One family's step.

    Attributes:
        weights: of all players, biases and normalisation left out.
        operations: floating-point operations a step, two a multiply-add, as torch counts them.
        milliseconds: of ours.
        time: ours against theirs, where there is a loop by hand.
        profiles: of both sides, where ours misses the bound.
    """

    weights: int
    operations: int
    milliseconds: float
    time: Compared | None
    profiles: tuple[Profile, Profile] | None = None

    def row(self, name: str, peak: float) -> tuple[str, ...]:
        """A line of the table; `peak` in operations a second."""
        theirs = ("-", "-", "-", "-")
        if self.time is not None:
            ratio, rounds = f"**{self.time.ratio:.3f}**", f"{self.time.rounds}"
            theirs = (f"{self.time.theirs:.1f}", ratio, self.time.interval, rounds)
        share = self.operations / (self.milliseconds / 1000) / peak
        counts = (f"{self.weights:,}", f"{self.operations / 1e9:.2f}", f"{self.milliseconds:.1f}")
        return (name, *counts, *theirs, f"{share:.0%}")


def section(sets: list[Set], quick: bool) -> Section:
    """A row a family, at its quick scale."""
    torch.set_num_threads(1)
    rounds = Rounds(1, 1, BOUND) if quick else Rounds(40, 2, BOUND, seconds=ROW)
    best, found = peak(), {each.name: each for each in sets}
    rows, losing = [], []
    for name, on, by_hand in RECIPES:
        cost = measured(name, found[on], by_hand, rounds)
        rows.append(cost.row(name, best))
        if cost.profiles is not None:
            losing.append((name, *cost.profiles))
        print(*rows[-1], file=sys.stderr)
    return Section(
        "The papers' families",
        "One step (all turns of a round) of a recipe at quick scale on one CPU thread: ours is `Training.advance`, "
        "theirs `benchmarks/by_hand.py`, a hand-written loop with the same networks as papers and torch write them, "
        "where one is written; ours exchanges some of their layers for equal ones (`agon.networks.fused`). Weights are "
        "counted without biases and normalisation, all players'. Operations are those of convolutions and matrix "
        "products, forwards and backwards, as torch's counter finds them, two a multiply-add (it knows no fused "
        "recurrent layer). The peak is a product of "
        f"{SIDE}x{SIDE} matrices in float32 on the same thread, {best / 1e9:.0f} Gflop/s. By turns: {rounds}; "
        f"medians, 95 % bootstrap interval. Bound: {BOUND}.",
        table(
            (
                *("recipe", "weights", "Gflop", "ours, ms", "theirs, ms"),
                *("ours / theirs", "95 % interval", "rounds", "of the peak"),
            ),
            rows,
        )
        + explanation(losing),
    )


def measured(name: str, on: Set, by_hand: bool, rounds: Rounds) -> Cost:
    """The costs of a recipe's step on a set."""
    experiment = find(name).experiment(on.source, "quick")
    experiment = replace(experiment, data=read_as(experiment.data, only=None))  # the file has no labels
    ours, counter = training(experiment), Operations()
    with counter:
        ours.advance()
    weights, operations = parameters_without_biases(ours.game), counter.total
    if not by_hand:
        times = [seconds(ours.advance, rounds.steps) / rounds.steps for _ in range(ALONE + 1)][1:]
        return Cost(weights, operations, 1000 * median(times), None)
    theirs = ByHand(experiment, on.tensor())
    advance = next(make for game, make in STEPS.items() if isinstance(theirs.game, game))(theirs)
    time = compared(ours.advance, advance, rounds, warm=1)
    profiles = (profiled(ours.advance), profiled(advance)) if time.ratio > BOUND else None
    return Cost(weights, operations, time.ours, time, profiles)


class Operations(TorchDispatchMode):
    """Counts floating-point operations by torch's formulas; its FlopCounterMode fails on double backward passes."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


def training(experiment: Experiment) -> Training:
    keep_freed_memory()  # as every training does; in one process, the loop by hand profits, too
    how = compute(threads=1, compile="off")
    return Training(experiment, how, torch.device(how.device))


def peak(side: int = SIDE, device: str = "cpu", kind: torch.dtype = torch.float32) -> float:
    """Operations a second of a large product of matrices, the best of some."""
    a, b = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    return 2 * side**3 / min(seconds(lambda: torch.mm(a, b), 1) for _ in range(20))

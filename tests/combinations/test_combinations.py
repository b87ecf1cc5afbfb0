"""Every generator plays every critic for every objective, under every penalty, dynamics and augmentation.

In `make test` a covering set: each pair of choices meets at least once. In `make evidence` each generator and critic
with each objective.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from agon import Compute, Experiment, part
from agon.augmentation import Adaptive, DiffAugment, Pipeline
from agon.averaging import Averaging
from agon.data import Images, Source
from agon.dynamics import Dynamics, Extragradient, Optimistic, Turns, Unrolled
from agon.games import Adversarial, Game, buffers_of, parameters_of
from agon.latents import Uniform
from agon.networks import NETWORKS
from agon.objectives import OBJECTIVES
from agon.penalties import PENALTIES
from agon.projections import PROJECTIONS
from agon.runs import checkpoints
from agon.training import Training, capture, restore
from tests.combinations.covering import Row, covering, pairs_of, product
from tests.combinations.narrow import narrow

DATA = Images(path="digits", range=(0.0, 1.0))
GENERATORS = [name for name in NETWORKS if name.endswith(".generator")]
CRITICS = [name for name in NETWORKS if name.endswith(".critic")]
SIMULTANEOUS = Turns((("generator", "critic"),))
DYNAMICS: Mapping[str, Dynamics] = {
    "alternating": Turns(),
    "shared": Turns(draws="round"),
    "simultaneous": SIMULTANEOUS,
    "unrolled-round": Unrolled(Turns(draws="round"), steps=2, batches="fresh"),
    "extragradient": Extragradient(Turns()),
    "optimistic": Optimistic(SIMULTANEOUS),
}
PLAIN = "none"
AUGMENTED = {
    PLAIN: None,
    "diffaugment": DiffAugment(range=DATA.range),
    "ada": Adaptive(of=Pipeline(range=DATA.range), interval=1, images=10, initial=0.5),
}
FACTORS = {
    "generator": GENERATORS,
    "critic": CRITICS,
    "objective": list(OBJECTIVES),
    "rule": [PLAIN, *PENALTIES, *PROJECTIONS],
    "dynamics": list(DYNAMICS),
    "augmentation": list(AUGMENTED),
}


def makes_sense(row: Row) -> bool:
    """The pulling-away term is about a critic's own representation, which not every critic has."""
    if row.get("rule") != "pulling-away" or "critic" not in row:
        return True
    return hasattr(NETWORKS[row["critic"]], "encode")


def adversarial(row: Row) -> Experiment:
    """The row as an experiment, its networks narrow."""
    rule = row.get("rule", PLAIN)
    game = part(
        Adversarial,
        generator=narrow(NETWORKS[row["generator"]], shape=DATA.shape, range=DATA.range),
        critic=narrow(NETWORKS[row["critic"]], shape=DATA.shape),
        objective=OBJECTIVES[row["objective"]](),
        penalties=(PENALTIES[rule](),) if rule in PENALTIES else (),
        projections=(PROJECTIONS[rule](),) if rule in PROJECTIONS else (),
        augmentation=AUGMENTED[row.get("augmentation", PLAIN)],
    )
    return experiment(game, DATA, DYNAMICS[row.get("dynamics", "alternating")])


def experiment(game: Any, data: Source, dynamics: Dynamics, **more: Any) -> Experiment:
    optimiser = part(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
    return Experiment(game=game, data=data, dynamics=dynamics, batch=4, steps=9, optimisers=optimiser, **more)


def begun(described: Experiment) -> Training:
    return Training(described, Compute(threads=1, device="cpu").resolved(), torch.device("cpu"))


def assert_plays(described: Experiment, ahead: Dynamics, folder: Path) -> None:
    """What every combination promises; `ahead` is an unrolled dynamics of two steps for it."""
    training = begun(described)
    assert_only_movers_move(training)
    training.advance()
    assert_finite(training.game)
    assert_samples(training)
    assert_goes_on(training, ahead, folder)


def assert_only_movers_move(training: Training) -> None:
    """Each player alone: all its parameters have finite gradients, and of the others not a bit changes."""
    for player in training.game.players:
        others = {p: state_of(training.game, p) for p in training.game.players if p != player}
        losses = Turns(((player,),)).step(training.game, training.optimisers, training.draw)
        assert set(losses.players) == {player}
        assert all(math.isfinite(value) for value in losses.players.values())
        for name, parameter in named(training.game, player):
            assert parameter.grad is not None, f"{name} has no gradient"
            assert torch.isfinite(parameter.grad).all(), f"the gradient of {name} is not finite"
        for other, before in others.items():
            after = state_of(training.game, other)
            assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True)), f"{player} moved {other}"


def assert_finite(game: Game) -> None:
    assert all(torch.isfinite(p).all() for p in game.parameters())


def assert_samples(training: Training) -> None:
    """The data's shape and range."""
    samples = training.samples(training.fixed_latents(5))
    data = training.experiment.data
    assert samples.shape == (5, *data.shape)
    assert data.range is not None
    assert samples.min() >= data.range[0]
    assert samples.max() <= data.range[1]


def assert_goes_on(training: Training, ahead: Dynamics, folder: Path) -> None:
    """From its checkpoint, a training makes the same unrolled step as one that never stopped, bit for bit."""
    checkpoints.save(folder, capture(training))
    other = begun(training.experiment)
    kept, complaints = checkpoints.last_good(folder)
    assert kept is not None, complaints
    restore(other, kept)
    for each in (training, other):
        each.dynamics = ahead
        each.advance()
    assert_finite(training.game)
    one, two = training.game.state_dict(), other.game.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def state_of(game: Game, player: str) -> list[Tensor]:
    return [t.detach().clone() for t in (*parameters_of(game, player), *buffers_of(game, player))]


def named(game: Game, player: str) -> Iterator[tuple[str, Tensor]]:
    for sub in game.players[player]:
        for name, parameter in game.get_submodule(sub).named_parameters():
            yield f"{sub}.{name}", parameter


def label(row: Row) -> str:
    return "-".join(row.values())


ROWS = covering(FACTORS, makes_sense)
EACH = list(product({name: FACTORS[name] for name in ("generator", "critic", "objective")}))


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_a_covering_set_plays(row: Row, tmp_path: Path) -> None:
    assert_plays(adversarial(row), Unrolled(steps=2), tmp_path)


@pytest.mark.evidence
@pytest.mark.parametrize("row", EACH, ids=label)
def test_every_generator_plays_every_critic_for_every_objective(row: Row, tmp_path: Path) -> None:
    assert_plays(adversarial(row), Unrolled(steps=2), tmp_path)


def test_every_pair_is_covered() -> None:
    """By counting, in the rows that are tried."""
    seen = {pair for row in ROWS for pair in pairs_of(row)}
    for one, two in ((one, two) for one in FACTORS for two in FACTORS if one < two):
        for row in product({one: FACTORS[one], two: FACTORS[two]}, makes_sense):
            assert pairs_of(row) <= seen
    assert len(ROWS) < 2 * max(len(FACTORS[a]) * len(FACTORS[b]) for a in FACTORS for b in FACTORS if a < b)


def test_every_network_of_the_tables_has_a_part() -> None:
    """A network that is listed as a generator or critic is tried by that line alone."""
    assert {row["generator"] for row in ROWS} == {n for n in NETWORKS if n.endswith(".generator")}
    assert {row["critic"] for row in ROWS} == {n for n in NETWORKS if n.endswith(".critic")}


def test_an_average_and_another_latent_go_with_all_of_it(tmp_path: Path) -> None:
    """The generator's averaged weights and uniform latents, through the same promises."""
    row = {"generator": GENERATORS[0], "critic": CRITICS[0], "objective": "hinge"}
    described = adversarial(row)
    more = experiment(described.game, DATA, Turns(), latent=Uniform(), averaging=Averaging(decay=0.9))
    assert_plays(more, Unrolled(steps=2), tmp_path)

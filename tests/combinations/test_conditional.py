"""Class-conditional networks of every family play under every penalty, objective and dynamics, and in every game."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agon import part
from agon.averaging import Averaging
from agon.dynamics import Turns, Unrolled
from agon.errors import SettingError
from agon.experiment import Experiment, Part
from agon.games import Adversarial, Autoregressive, AuxiliaryClassifier, BoundaryEquilibrium
from agon.networks import NETWORKS, classifier, conditional
from agon.objectives import OBJECTIVES
from agon.penalties import PENALTIES
from agon.training.replicates.equivalence import refuse_unequal
from agon.training.replicates.folder import make_plan
from tests.combinations.covering import Row, covering
from tests.combinations.narrow import narrow
from tests.combinations.test_combinations import (
    AUGMENTED,
    CRITICS,
    DATA,
    DYNAMICS,
    GENERATORS,
    PLAIN,
    assert_plays,
    begun,
    experiment,
)
from tests.combinations.test_games import ENCODER, autoregressor
from tests.training.test_replicates import ONE_THREAD

CLASSES, VECTOR = 10, 3
NORMALISED = ("dcgan.generator", "cnn.generator", "resnet.generator", "mlp.generator")
PROJECTED = ("dcgan.critic", "cnn.critic", "resnet.critic", "mlp.critic")
RULES = [PLAIN, *(name for name in PENALTIES if name != "pulling-away")]


def generator_of(name: str, kind: str) -> Part:
    """A narrow generator that takes labels by "normalisation" or by its "latent"."""
    more = {"normalise": True} if name == "mlp.generator" else {}
    inner = narrow(NETWORKS[name], shape=DATA.shape, range=DATA.range, **more)
    if kind == "normalisation":
        return part(conditional.NormalisedGenerator, generator=inner, classes=CLASSES)
    return part(conditional.ConcatenatedGenerator, generator=inner, classes=CLASSES, size=VECTOR)


def critic_of(name: str, kind: str) -> Part:
    """A narrow critic, with a "projection" or "plain"."""
    critic = narrow(NETWORKS[name], shape=DATA.shape)
    return part(conditional.ProjectionCritic, critic=critic, classes=CLASSES) if kind == "projection" else critic


def makes_sense(row: Row) -> bool:
    """Conditional normalisation needs normalisation, and a projection needs features."""
    if row.get("by") == "normalisation" and row.get("generator", NORMALISED[0]) not in NORMALISED:
        return False
    return row.get("judge") != "projection" or row.get("critic", PROJECTED[0]) in PROJECTED


FACTORS = {
    "generator": GENERATORS,
    "by": ["normalisation", "latent"],
    "critic": [*PROJECTED, "resnext.critic"],
    "judge": ["projection", "plain"],
    "objective": ["non-saturating", "hinge", "relativistic"],
    "rule": RULES,
    "dynamics": list(DYNAMICS),
}


def adversarial(row: Row) -> Experiment:
    game = part(
        Adversarial,
        generator=generator_of(row["generator"], row["by"]),
        critic=critic_of(row["critic"], row["judge"]),
        objective=OBJECTIVES[row["objective"]](),
        penalties=() if row["rule"] == PLAIN else (PENALTIES[row["rule"]](),),
    )
    return experiment(game, DATA, DYNAMICS[row["dynamics"]])


ROWS = covering(FACTORS, makes_sense)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row.values()))
def test_a_covering_set_plays(row: Row, tmp_path: Path) -> None:
    assert_plays(adversarial(row), Unrolled(steps=2), tmp_path)


def test_the_families_of_the_table_are_covered() -> None:
    assert set(PROJECTED) <= set(CRITICS)
    assert {row["generator"] for row in ROWS if row["by"] == "normalisation"} == set(NORMALISED)


def acgan(judge: str = "plain", by: str = "latent") -> Part:
    return part(
        AuxiliaryClassifier,
        generator=generator_of("dcgan.generator", by),
        critic=critic_of("dcgan.critic", judge),
        classifier=narrow(classifier.Classifier, shape=DATA.shape, classes=CLASSES, dropout=0.0),
    )


def equilibrium() -> Part:
    return part(
        BoundaryEquilibrium,
        generator=generator_of("dcgan.generator", "normalisation"),
        critic=critic_of("dcgan.critic", "projection"),
    )


GAMES: dict[str, Callable[[], Part]] = {
    "acgan": acgan,
    "acgan with a projection": lambda: acgan("projection", "normalisation"),
    "acgan through ADA": lambda: acgan().changed(augmentation=AUGMENTED["ada"]),
    "boundary-equilibrium": equilibrium,
}


@pytest.mark.parametrize("name", GAMES)
def test_every_game_that_takes_labels_plays(name: str, tmp_path: Path) -> None:
    """All together in one turn; and the generator two steps ahead of all the others."""
    game = GAMES[name]()
    players = tuple(game.make.players)  # type: ignore[attr-defined]
    others = tuple(player for player in players if player != "generator")
    ahead = Unrolled(Turns((others, ("generator",))), looks_ahead={"generator": others}, steps=2)
    averaged = experiment(game, DATA, Turns((others, ("generator",)), draws="round"), averaging=Averaging(decay=0.9))
    assert_plays(averaged, ahead, tmp_path)


BATCHED = {
    "generator": "dcgan.generator",
    "by": "normalisation",
    "critic": "dcgan.critic",
    "judge": "projection",
    "objective": "hinge",
    "rule": PLAIN,
}
AHEAD = {"generator": ("critic", "classifier")}
WITH_CLASSIFIER = Turns((("critic", "classifier"), ("generator",)))


@pytest.mark.parametrize(
    "described",
    [
        adversarial({**BATCHED, "dynamics": "shared"}),
        adversarial({**BATCHED, "dynamics": "unrolled-round"}),
        experiment(acgan(), DATA, WITH_CLASSIFIER),
        experiment(
            acgan(), DATA, Unrolled(WITH_CLASSIFIER, looks_ahead={"generator": ("critic", "classifier")}, steps=2)
        ),
    ],
    ids=["projection", "projection unrolled", "acgan", "acgan unrolled"],
)
def test_seeds_are_batched(described: Experiment) -> None:
    """The batched runner's own check: every seed takes the steps that it takes alone, in float64."""
    refuse_unequal(make_plan(described, 2, ONE_THREAD))


def test_a_game_that_passes_no_labels_refuses_a_generator_that_takes_them() -> None:
    generator = generator_of("dcgan.generator", "latent")
    game = part(Autoregressive, generator=generator, encoder=ENCODER, autoregressor=autoregressor())
    with pytest.raises(SettingError, match="expected a generator without labels, got ConcatenatedGenerator"):
        begun(experiment(game, DATA, Turns((("generator", "encoder", "autoregressor"),))))

"""The games of more players, and of one: every generator plays them, and all promises of a combination hold."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agon import part
from agon.dynamics import Turns, Unrolled
from agon.experiment import Part
from agon.games import GAMES, Autoregressive, BoundaryEquilibrium, Classification, PatchAutoregressive, Variational
from agon.networks import NETWORKS, argan, autoencoder, classifier, cnn, draw, vae
from tests.combinations.narrow import narrow
from tests.combinations.test_combinations import (
    AUGMENTED,
    DATA,
    GENERATORS,
    assert_finite,
    assert_plays,
    begun,
    experiment,
)

SHAPE = DATA.shape
ENCODER = part(cnn.Encoder, shape=SHAPE, layers=((4, 2, 8), (4, 2, 8)))
FEATURES = (8, 2, 2)


def autoregressor(**settings: Any) -> Part:
    return part(argan.Autoregressor, features=FEATURES, hidden=8, **settings)


JUDGES: dict[str, Callable[[Part], Part]] = {
    "autoregressive over space": lambda generator: part(
        Autoregressive, generator=generator, encoder=ENCODER, autoregressor=autoregressor()
    ),
    "autoregressive over channels": lambda generator: part(
        Autoregressive, generator=generator, encoder=ENCODER, autoregressor=autoregressor(by="channels", layers=2)
    ),
    "patch-autoregressive": lambda generator: part(
        PatchAutoregressive,
        generator=generator,
        encoder=ENCODER,
        autoregressor=autoregressor(),
        patch=part(argan.Patch, features=FEATURES),
    ),
    "boundary-equilibrium": lambda generator: part(
        BoundaryEquilibrium, generator=generator, critic=narrow(autoencoder.Critic, shape=SHAPE)
    ),
}


def pairs() -> list[Any]:
    """Every generator and every judge with half of the others; the other half in `make evidence`."""
    numbered = itertools.product(enumerate(GENERATORS), enumerate(JUDGES))
    return [
        pytest.param(generator, judge, marks=pytest.mark.evidence if (i + j) % 2 else ())
        for (i, generator), (j, judge) in numbered
    ]


@pytest.mark.parametrize(("generator", "judge"), pairs())
def test_every_generator_plays_every_judge(generator: str, judge: str, tmp_path: Path) -> None:
    """All together in one turn, as argan2018's Algorithm 1; and the generator two steps ahead of all who judge."""
    assert_played(JUDGES[judge](narrow(NETWORKS[generator], shape=SHAPE, range=DATA.range)), tmp_path)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("augmentation", ["diffaugment", "ada"])
def test_every_judge_sees_through_every_augmentation(augmentation: str, judge: str, tmp_path: Path) -> None:
    game = JUDGES[judge](narrow(NETWORKS["dcgan.generator"], shape=SHAPE, range=DATA.range))
    assert_played(game.changed(augmentation=AUGMENTED[augmentation]), tmp_path)


def assert_played(game: Part, tmp_path: Path) -> None:
    players = tuple(game.make.players)  # type: ignore[attr-defined]
    others = tuple(player for player in players if player != "generator")
    together = Turns((("generator",), players))
    ahead = Unrolled(Turns((others, ("generator",))), looks_ahead={"generator": others}, steps=2)
    assert_plays(experiment(game, DATA, together), ahead, tmp_path)


@pytest.mark.parametrize("network", [vae.Vae, draw.Draw], ids=lambda make: make.__name__)
def test_a_game_of_one_player_looks_ahead_at_itself(network: type, tmp_path: Path) -> None:
    game = part(Variational, autoencoder=narrow(network, shape=SHAPE))
    alone = Turns((("autoencoder",),))
    ahead = Unrolled(alone, looks_ahead={"autoencoder": ("autoencoder",)}, steps=2)
    assert_plays(experiment(game, DATA, alone), ahead, tmp_path)


def test_a_game_that_makes_nothing_is_played() -> None:
    game = part(Classification, classifier=narrow(classifier.Classifier, shape=SHAPE, classes=10))
    training = begun(experiment(game, DATA, Turns((("classifier",),))))
    training.advance()
    assert_finite(training.game)


def test_every_game_of_the_table_is_tried() -> None:
    """Here, or where labels are (test_conditional)."""
    tried = {"adversarial", "auxiliary-classifier", "variational", "classification"}
    tried |= {judge.partition(" ")[0] for judge in JUDGES}
    assert tried == set(GAMES)

"""Dynamics of a user's own: a look-alike is named, and a true look-ahead is not."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import agon
from agon.dynamics import Dynamics, Optimisers, apply_gradients, gradients_of, isolate
from agon.games import Batch, Game
from agon.games.game import Losses
from tests.diagnosis.hospital import ONE_THREAD, training


@dataclass(frozen=True)
class LookAlike(agon.Turns):
    """Steps the critic K times, moves the generator against it, and puts the critic back: the usual mistake."""

    steps: int = 3

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        batch = draw()
        optimiser = optimisers["critic"]
        before, moments = copy.deepcopy(game.critic.state_dict()), copy.deepcopy(optimiser.state_dict())
        losses = None
        for k in range(self.steps):
            losses = move(game, optimisers, batch, "critic")
            if not k:
                kept, kept_moments = copy.deepcopy(game.critic.state_dict()), copy.deepcopy(optimiser.state_dict())
        moved = move(game, optimisers, batch, "generator")
        game.critic.load_state_dict(kept if losses else before)
        optimiser.load_state_dict(kept_moments if losses else moments)
        return Losses({**losses.players, **moved.players}, moved.seen)


@dataclass(frozen=True)
class Own(agon.Unrolled):
    """agon's own look-ahead under another name."""


def move(game: Game, optimisers: Optimisers, batch: Batch, player: str) -> Losses:
    """One move of one player."""
    with isolate(game, (player,)):
        losses = game.losses(batch, of=(player,))
        return apply_gradients(game, optimisers, gradients_of(game, losses, (player,)), losses)


@pytest.mark.parametrize(("dynamics", "found"), [(LookAlike(), True), (Own(steps=3), False)])
def test_a_look_alike_is_named(dynamics: Dynamics, found: bool, tmp_path: Path) -> None:
    run = agon.train(training(4, dynamics=dynamics), tmp_path / "run", compute=ONE_THREAD, show=False)
    diagnosis = agon.diagnose(run)
    assert "first-order-gradient" in diagnosis.looked_at, diagnosis.unseen["first-order-gradient"]
    assert ("first-order-gradient" in diagnosis.names) is found, diagnosis.looked_at["first-order-gradient"]

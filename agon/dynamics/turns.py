"""Schedules of turns: alternating and simultaneous gradient steps, with any number of moves for each player."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from agon.dynamics.accumulation import samples, update
from agon.dynamics.dynamics import Dynamics
from agon.dynamics.moves import Optimisers, isolate, leave_buffers
from agon.errors import SettingError, unknown
from agon.games.game import Batch, Game, Losses, fixed_structure

Move = Callable[[tuple[str, ...], Batch, Tensor | None], Losses]

MOST_GROUPS = 1_000  # that move in one step
ALTERNATING = (("critic",), ("generator",))


@dataclass(frozen=True)
class Turns(Dynamics):
    """Each step is one round of `order`; the players of a group move together.

    (("critic",), ("generator",)) alternates: Gauss-Seidel on the game's vector field.
    (("generator", "critic"),) is simultaneous: explicit Euler, all gradients at one point.
    (("critic",), ("critic",), ("generator",)) gives the critic two moves.

    Attributes:
        order: groups of players, in the order of their turns.
        draws: "turn" draws a batch for every turn (Goodfellow et al. 2014, Algorithm 1); "round"
            draws one for the whole round, and the generator's forward pass serves the turns before
            its own as well (the released code of radford2015): the faster of the two.
        accumulate: gradient accumulation: into how many equal parts each batch is split, which are computed one after
            another, and whose gradients are averaged. It needs less memory, and changes nothing but the last bits,
            except in networks with batch normalisation and losses that compare the samples of a batch.
    """

    order: tuple[tuple[str, ...], ...] = ALTERNATING
    draws: Literal["turn", "round"] = "turn"
    accumulate: int = 1

    def __post_init__(self) -> None:
        if not self.order or not all(self.order) or any(len(set(g)) != len(g) for g in self.order):
            raise SettingError(
                f"order of turns: expected groups of one or more different players, got {self.order}; "
                f"an example is {ALTERNATING}"
            )
        if len(self.order) > MOST_GROUPS:
            raise SettingError(f"order of turns: expected at most {MOST_GROUPS:,} groups, got {len(self.order):,}")
        if self.draws not in ("turn", "round"):
            raise SettingError(f"draws: expected 'turn' or 'round', got {self.draws!r}")
        if self.accumulate < 1:
            raise SettingError(f"accumulate: expected a number of parts from 1, got {self.accumulate}")

    @property
    def parts(self) -> int:
        return self.accumulate

    def real_batches_per_step(self, game: Game, others: Mapping[str, Collection[str]] = MappingProxyType({})) -> int:
        """As `Dynamics.real_batches_per_step`; `others[player]` also see the batch in that player's turn."""
        playing = [{*group, *(other for player in group for other in others.get(player, ()))} for group in self.order]
        turns = sum(bool(scoring_players(game) & group) for group in playing)
        return turns if self.draws == "turn" else min(turns, 1)

    def check(self, game: Game) -> None:
        for player in (player for group in self.order for player in group):
            if player not in game.players:
                raise SettingError(unknown("player", player, game.players))

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        return self.play(game, draw, partial(update, game, optimisers, parts=self.parts))

    def play(self, game: Game, draw: Callable[[], Batch], move: Move) -> Losses:
        """Play one round: decide who moves when, on which batch and with which samples; `move` makes the moves.

        `move` gets the movers, their batch, and samples: with their history if a mover generated them,
        without it for other movers, and None if the movers must generate them.
        """
        with fixed_structure(game):
            return self._round(game, draw, move)

    def _round(self, game: Game, draw: Callable[[], Batch], move: Move) -> Losses:
        losses_of_round = Losses({}, {})
        batch = fake = None
        for turn, movers in enumerate(self.order):
            if batch is None or self.draws == "turn":
                batch, fake = draw(), None
            if fake is None:
                fake = self._samples(game, batch, turn)
            generates = bool(set(movers) & set(game.generating_players))
            again = generates and self.parts > 1  # part by part, so that no history of the whole batch is kept
            losses = move(movers, batch, None if again or fake is None else fake if generates else fake.detach())
            losses_of_round.players.update(losses.players)
            losses_of_round.seen.update(losses.seen)
            if generates:
                fake = None  # the generator has moved: these samples are out of date
        return losses_of_round

    def _samples(self, game: Game, batch: Batch, turn: int) -> Tensor | None:
        """Generated samples "n *shape" for the coming turn, with a history if a later turn can use the same pass.

        None if the movers generate them in their own pass, as is usual in the generator's turn.
        """
        if not game.generating_players or set(self.order[turn]) & set(game.generating_players):
            return None
        if self.parts > 1:
            with isolate(game, ()), torch.no_grad():
                return samples(game, batch, self.parts)
        later = [set(group) & set(game.generating_players) for group in self.order[turn + 1 :]]
        shared: Collection[str] = next(filter(None, later), set()) if self.draws == "round" else set()
        if not shared:
            with leave_buffers(game, ()), torch.no_grad():
                return game.generate_for(batch)
        with isolate(game, shared):
            return game.generate_for(batch)


def scoring_players(game: Game) -> set[str]:
    """The players that do not generate; all players if every player generates."""
    return set(game.players) - set(game.generating_players) or set(game.players)

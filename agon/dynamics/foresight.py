"""One turn in which somebody looks ahead: the whole derivative of its surrogate loss."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from agon.dynamics.lookahead import Gradients as Named
from agon.dynamics.lookahead import LookAhead
from agon.dynamics.moves import Gradients, Optimisers, fixed, follow, gradients_of, settling, still
from agon.dynamics.twin import as_written
from agon.games.game import Batch, Game, Losses, named_buffers_of, named_parameters_of
from agon.networks.synchronised import decompose

AHEAD = "ahead/"  # before the names of what was seen of players that were looked ahead at


@runtime_checkable
class Foreseeing(Protocol):
    """What a turn must know of its dynamics; see `Unrolled`."""

    @property
    def looks_ahead(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def steps(self) -> int: ...
    @property
    def batches(self) -> str: ...
    @property
    def checkpoint(self) -> bool: ...
    @property
    def extrapolation(self) -> float: ...


class Foresight:
    """One turn.

    Args:
        rule: the dynamics.
        game: changed in place: the movers' parameters and buffers, nothing else.
        optimisers: one for each player.
        draw: gives fresh batches for inner steps.
        batch: the turn's own.
    """

    def __init__(
        self, rule: Foreseeing, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch
    ) -> None:
        self.rule, self.game, self.optimisers, self.draw, self.batch = rule, game, optimisers, draw, batch
        self.seen: Mapping[str, Tensor] = {}  # in the others' own pass: the first inner step's, where that is shared
        self.before = dict(game.named_buffers())  # statistics at the point from which all of the turn starts

    def move(self, movers: tuple[str, ...], fake: Tensor | None) -> Losses:
        """Those who look ahead move along their surrogate's gradient, the others along their own, together."""
        lookers = [player for player in movers if player in self.rule.looks_ahead]
        plain = [player for player in movers if player not in lookers]
        anticipated = {other for player in lookers for other in self.rule.looks_ahead[player]}
        with fixed(self.game, {*movers, *anticipated}), as_written(), _twice_differentiable(self.game):
            if fake is None and not all(self.remade(player) for player in lookers):
                fake = self.samples(movers)
            self.before = {name: buffer.clone() for name, buffer in self.game.named_buffers()}
            shared = any(self.shares(player, plain) for player in lookers)
            losses, gradients = self.plain(plain, fake, again=bool(lookers), history=shared)
            self.seen = dict(losses.seen)
            for player in lookers:
                first = self._named(gradients, player) if self.shares(player, plain) else None
                told, own = self.surrogate(player, fake, first, last=player == lookers[-1])
                losses.players.update(told.players)
                losses.seen.update({AHEAD + name: value for name, value in told.seen.items()})
                gradients[player] = own
        return follow(self.game, self.optimisers, gradients, losses)

    def samples(self, movers: tuple[str, ...]) -> Tensor | None:
        """Made once for all inner steps, by those whose turn it is; None where nobody makes any in it."""
        if not set(movers) & set(self.game.makers):
            return None
        with still(self.game, movers):
            return self.game.generate(self.batch.latent)

    def plain(
        self, movers: Sequence[str], fake: Tensor | None, *, again: bool, history: bool
    ) -> tuple[Losses, Gradients]:
        """The movers' own losses, and their gradients at the present point."""
        if not movers:
            return Losses({}, {}), {}
        with still(self.game, movers):
            losses: Losses = self.game(self.batch, fake, of=movers)
        return losses, gradients_of(self.game, losses, movers, again=again, history=history)

    def shares(self, player: str, plain: Sequence[str]) -> bool:
        """Whether the first inner gradients are the ones along which the others move in this very turn."""
        others = self.rule.looks_ahead[player]
        return self.rule.batches == "same" and set(others) <= set(plain) and not self.remade(player)

    def remade(self, player: str) -> bool:
        """Whether samples change as those move whom a player looks ahead at, so that every step makes its own."""
        return bool(set(self.rule.looks_ahead[player]) & set(self.game.makers))

    def surrogate(
        self, player: str, fake: Tensor | None, first: Named | None, last: bool
    ) -> tuple[Losses, list[Tensor | None]]:
        """f_K and its whole derivative: metz2017, equations 9 and 12."""
        stretched, remade = self.rule.extrapolation != 1, self.remade(player)
        counted = remade and fake is not None and player in self.game.makers  # those samples moved its statistics
        fake = None if remade else fake
        ahead = self._ahead(player, fake, None if first else self.before)
        module, mine = ahead.run(self.rule.steps, first), {} if counted else named_buffers_of(self.game, player)
        ahead.twin.put(mine)  # statistics move in their player's own move, once
        losses: Losses = module(self.batch, fake, of=(player,))
        ahead.refuse(losses.players.values(), *([] if fake is None else [fake]))
        ahead.guard.refuse_changed(but=named_buffers_of(self.game, player))
        for name, value in ahead.twin.get(mine).items():
            mine[name].data.copy_(value)  # a module may have put another tensor in a buffer's place
        gradients = gradients_of(self.game, losses, (player,), again=stretched or not last)[player]
        return losses, self._stretched(player, fake, gradients, last) if stretched else gradients

    def _ahead(self, player: str, fake: Tensor | None, buffers: Mapping[str, Tensor] | None) -> LookAhead:
        others, fresh = self.rule.looks_ahead[player], self.rule.batches == "fresh"
        batches = [self.draw() for _ in range(self.rule.steps)] if fresh else [self.batch] * self.rule.steps
        seen = dict(self.seen)

        def losses(module: nn.Module, k: int) -> dict[str, Tensor]:
            told: Losses = module(batches[k], None if fresh else fake, of=others)
            seen.update(told.seen)
            return told.players

        return LookAhead(
            self.game,
            {other: named_parameters_of(self.game, other) for other in others},
            self.optimisers,
            losses,
            settle=settling(self.game, seen),
            attached={player} & set(others),
            buffers=buffers,
            saving=self.rule.checkpoint,
            prepare=decompose if self.game.second_order else None,  # a penalty, the step ahead, the surrogate
        )

    def _stretched(
        self, player: str, fake: Tensor | None, ahead: list[Tensor | None], last: bool
    ) -> list[Tensor | None]:
        """g_0 + s·(g_K - g_0): further in the direction in which looking ahead perturbs (metz2017, section 4)."""
        with still(self.game, ()):
            losses: Losses = self.game(self.batch, fake, of=(player,))
        present = gradients_of(self.game, losses, (player,), again=not last)[player]
        return [
            g if g is None or own is None else torch.lerp(own, g, self.rule.extrapolation)
            for own, g in zip(present, ahead, strict=True)
        ]

    def _named(self, gradients: Gradients, player: str) -> Named:
        """The gradients of those whom a player looks ahead at, by parameter."""
        return {
            other: dict(zip(named_parameters_of(self.game, other), gradients[other], strict=True))
            for other in self.rule.looks_ahead[player]
        }


@contextmanager
def _twice_differentiable(game: Game) -> Iterator[None]:
    """Without cuDNN where any network is recurrent: its kernels have no second derivative.

    The gradient of whoever is looked ahead at passes through other players' networks too, an encoder's
    through its autoregressor, and is differentiated there as well.
    """
    recurrent = any(isinstance(layer, nn.RNNBase) for layer in game.modules())
    with torch.backends.cudnn.flags(enabled=False) if recurrent else nullcontext():
        yield

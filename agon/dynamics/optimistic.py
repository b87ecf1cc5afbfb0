"""Extragradient and optimistic steps: first-order dynamics that converge where plain steps orbit or spiral out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from agon.dynamics.accumulation import Piece, detached, mean_of, own_gradients, pieces
from agon.dynamics.dynamics import Dynamics
from agon.dynamics.functional import functional_of
from agon.dynamics.moves import (
    Gradients,
    Optimisers,
    after_update_of,
    apply_gradients,
    freeze,
    isolate,
    preserve_buffers,
)
from agon.dynamics.processes import average
from agon.dynamics.turns import Turns
from agon.dynamics.unrolled.functional_module import FunctionalModule, eager_modules
from agon.dynamics.unrolled.inner_step import copies
from agon.dynamics.unrolled.unroll import NamedGradients, Unroll
from agon.games.game import Batch, Game, Losses, named_parameters_of, parameters_of

PAST = "past_move"  # in the optimiser's state, so that a checkpoint has it


@dataclass(frozen=True)
class Extragradient(Dynamics):
    """In each turn, players extrapolate by an optimiser step and move along the gradients at that point.

        θ̂ = θ + Δ(F(θ)),   θ' = θ + Δ(F(θ̂)),

    with F the movers' gradients on the turn's batch and Δ their optimisers' step. The step to θ̂ leaves
    the moments unchanged (in Gidel et al. 2019, Algorithm 4, it updates them). Players that move together
    are extrapolated together. With simultaneous moves it converges on the bilinear game.

    Attributes:
        turns: the schedule: who moves when.

    Source: Korpelevich 1976; Gidel et al. 2019, equations 13 and 14.
    """

    turns: Turns = field(default_factory=lambda: Turns((("generator", "critic"),)))

    def real_batches_per_step(self, game: Game) -> int:
        return self.turns.real_batches_per_step(game)

    def check(self, game: Game) -> None:
        self.turns.check(game)

    @property
    def parts(self) -> int:
        return self.turns.parts

    def check_optimisers(self, optimisers: Optimisers) -> None:
        for optimiser in optimisers.values():
            functional_of(optimiser)

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        return self.turns.play(game, draw, partial(_extrapolated, game, optimisers, self.parts))


@dataclass(frozen=True)
class Optimistic(Dynamics):
    """Correct each move by the previous one: θ_{t+1} = θ_t + 2Δ_t - Δ_{t-1}, with Δ_t the optimiser's step.

    With SGD this is θ - h·(2g_t - g_{t-1}), with Adam the published Optimistic Adam. A player's first
    move is an ordinary step.

    Attributes:
        turns: the schedule: who moves when.

    Source: Daskalakis et al. 2018, equation 6 and Algorithm 1.
    """

    turns: Turns = field(default_factory=lambda: Turns((("generator", "critic"),)))

    def real_batches_per_step(self, game: Game) -> int:
        return self.turns.real_batches_per_step(game)

    def check(self, game: Game) -> None:
        self.turns.check(game)

    @property
    def parts(self) -> int:
        return self.turns.parts

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        return self.turns.play(game, draw, partial(_corrected, game, optimisers, self.parts))


def _extrapolated(
    game: Game, optimisers: Optimisers, parts: int, movers: tuple[str, ...], batch: Batch, fake: Tensor | None
) -> Losses:
    with freeze(game, movers), eager_modules():
        with preserve_buffers(game, movers):
            losses, current = own_gradients(game, movers, batch, fake, parts)
        players = {player: named_parameters_of(game, player) for player in movers}
        first = {player: dict(zip(names, current[player], strict=True)) for player, names in players.items()}
        regenerates = bool(set(movers) & set(game.generating_players))
        unroll = Unroll(game, players, optimisers, after_update=after_update_of(game, losses.seen))
        ahead = _ahead(unroll, first, movers, players, pieces(batch, None if regenerates else fake, parts))
        _, gradients = mean_of(ahead)
    return apply_gradients(game, optimisers, gradients, losses)


def _ahead(
    unroll: Unroll,
    first: NamedGradients,
    movers: tuple[str, ...],
    players: Mapping[str, Mapping[str, Tensor]],
    parts: Sequence[Piece],
) -> Iterator[tuple[Losses, Gradients]]:
    """The losses and gradients of each part of the batch at the extrapolated point, all from the same statistics."""
    statistics: dict[str, Tensor] = {}

    def outer(functional: FunctionalModule, piece: Piece) -> Losses:
        if not statistics:
            statistics.update(copies(functional.tensors(names)))
        functional.load(copies(statistics))
        losses: Losses = functional.module(piece.batch, piece.fake, of=movers)
        return losses

    names = [name for name, _ in unroll.functional.module.named_buffers()]
    for index, piece in enumerate(parts):
        if index == 0:
            losses = unroll.surrogate(1, partial(outer, piece=piece), first, piece.fake)
        else:
            losses = outer(unroll.functional, piece)
        at_point = partial(_gradients_at, unroll.functional)
        yield detached(losses), {p: at_point(losses.players[p], parameters) for p, parameters in players.items()}


def _gradients_at(functional: FunctionalModule, loss: Tensor, parameters: Mapping[str, Tensor]) -> list[Tensor | None]:
    """Gradients of a player's loss () in the functional module's parameters, each in its parameter's shape."""
    extrapolated = functional.tensors([name for name, p in parameters.items() if p.requires_grad])
    gradients = torch.autograd.grad(loss, list(extrapolated.values()), retain_graph=True, allow_unused=True)
    by_name = dict(zip(extrapolated, gradients, strict=True))
    return average([by_name.get(name) for name in parameters])


@torch.no_grad()
def _corrected(
    game: Game, optimisers: Optimisers, parts: int, movers: tuple[str, ...], batch: Batch, fake: Tensor | None
) -> Losses:
    before = {player: [p.clone() for p in parameters_of(game, player)] for player in movers}
    with torch.enable_grad(), isolate(game, movers):
        losses, gradients = own_gradients(game, movers, batch, fake, parts)
    moved = apply_gradients(game, optimisers, gradients, losses, ends_move=False)
    for player in movers:
        for parameter, previous in zip(parameters_of(game, player), before[player], strict=True):
            if parameter.grad is not None:
                _correct(parameter, previous, optimisers[player].state[parameter])
        game.after_update(player, losses.seen)
    return moved


def _correct(parameter: Tensor, before: Tensor, state: dict[str, Tensor]) -> None:
    """Turn θ + Δ_t, which the optimiser has made, into θ + 2Δ_t - Δ_{t-1}."""
    move = parameter - before
    parameter += move - state.get(PAST, move)
    state[PAST] = move

"""One move: some players follow their gradients together, and all others stay bit-identical."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.dynamics.processes import average
from agon.dynamics.stepping import take_step
from agon.games.game import Game, Losses, buffers_of, layers_with_buffers, parameters_of
from agon.networks.fused.convolutions import ChannelsLastNorm

Optimisers = Mapping[str, torch.optim.Optimizer]
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, ChannelsLastNorm)  # with torch's own statistics
NOTHING: Mapping[str, Mapping[str, Tensor]] = MappingProxyType({})
Gradients = dict[str, list[Float[Tensor, "..."] | None]]  # player -> a gradient for each of its parameters


def apply_gradients(
    game: Game,
    optimisers: Optimisers,
    gradients: Gradients,
    losses: Losses,
    *,
    ends_move: bool = True,
    seen: Mapping[str, Mapping[str, Tensor]] = NOTHING,
) -> Losses:
    """Take an optimiser step for each player that has gradients.

    Args:
        game: its parameters change in place.
        optimisers: one for each player.
        gradients: for each mover, a gradient in the shape of each parameter.
        losses: the losses, with or without history.
        ends_move: whether the move ends with this step, so that `after_update` is called.
        seen: player -> the scalars of its own pass, where they are not among those of `losses`.

    Returns:
        The losses, detached.
    """
    for player, player_gradients in gradients.items():
        for parameter, gradient in zip(parameters_of(game, player), player_gradients, strict=True):
            parameter.grad = None if gradient is None else _laid_out_as(parameter, gradient)
        take_step(optimisers[player])
        if ends_move:
            with torch.no_grad():
                game.after_update(player, seen.get(player, losses.seen))
    return Losses({name: loss.detach() for name, loss in losses.players.items()}, losses.seen)


def gradients_of(
    game: Game, losses: Losses, movers: Collection[str], *, again: bool = False, history: bool = False
) -> Gradients:
    """Each mover's gradient ∂L_p/∂θ_p of its own loss in its own parameters, averaged over processes.

    The gradient is None where a parameter is frozen or the loss does not depend on it, as after `backward`.

    Args:
        game: owns the parameters.
        losses: the losses, with their history.
        movers: the players whose gradients are computed.
        again: whether to keep the losses' history for another pass.
        history: whether the gradients themselves must be differentiable.
    """
    players = list(movers)
    if len(players) > 1 and not history and all(player in losses.sums for player in players):
        return _gradients_of_sums(game, losses, players, again)
    gradients = {}
    for player in players:
        parameters = parameters_of(game, player)
        free = [p for p in parameters if p.requires_grad]
        keep, loss = again or history or player != players[-1], losses.players[player]
        of_free = iter(_grad(loss, free, keep, history))
        gradients[player] = average([next(of_free) if p.requires_grad else None for p in parameters])
    return gradients


def _gradients_of_sums(game: Game, losses: Losses, players: Sequence[str], again: bool) -> Gradients:
    """As `gradients_of`, by one pass backwards for each different term of the players' losses.

    L_p = Σ_i s_pi t_i, so ∂L_p/∂θ_p = Σ_i s_pi ∂t_i/∂θ_p: where players have a term in common, the derivatives in
    what lies between it and their parameters are computed once.
    """
    parameters = {player: parameters_of(game, player) for player in players}
    totals: Gradients = {player: [None] * len(parameters[player]) for player in players}
    terms = {id(term): term for player in players for _, term in losses.sums[player]}
    last = next(reversed(terms))
    for key, term in terms.items():
        places = [
            (player, place, factor)
            for player in players
            for factor, each in losses.sums[player]
            if each is term
            for place, parameter in enumerate(parameters[player])
            if parameter.requires_grad
        ]
        free = [parameters[player][place] for player, place, _ in places]
        found = _grad(term, free, again or key != last)
        for (player, place, factor), gradient in zip(places, found, strict=True):
            totals[player][place] = _plus(totals[player][place], gradient, factor)
    return {player: average(values) for player, values in totals.items()}


def _grad(loss: Tensor, parameters: Sequence[Tensor], keep: bool, history: bool = False) -> tuple[Tensor | None, ...]:
    """The gradients of a loss; none if a player has no free parameter, which `torch.autograd.grad` refuses."""
    if not parameters:
        return ()
    return torch.autograd.grad(loss, parameters, retain_graph=keep, create_graph=history, allow_unused=True)


def _plus(total: Tensor | None, gradient: Tensor | None, factor: float) -> Tensor | None:
    """total + factor · gradient, where None is no gradient."""
    if gradient is None:
        return total
    if total is None:
        return gradient if factor == 1 else factor * gradient
    return torch.add(total, gradient, alpha=factor)


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in its parameter's memory format: fused optimisers match the two by memory, not by index."""
    if gradient.stride() == parameter.stride():
        return gradient.detach() if gradient.requires_grad else gradient
    return torch.empty_like(parameter).copy_(gradient.detach())


@contextmanager
def isolate(game: Game, movers: Collection[str]) -> Iterator[None]:
    """Let only the movers' parameters require gradients, and only the movers' buffers change."""
    with freeze(game, movers), leave_buffers(game, movers):
        yield


@contextmanager
def freeze(game: Game, but: Collection[str]) -> Iterator[None]:
    """Within the context, only the parameters of the players in `but` require gradients."""
    parameters = [p for player in _others(game, but) for p in parameters_of(game, player) if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def preserve_buffers(game: Game, but: Collection[str]) -> Iterator[None]:
    """Restore the buffers of all players but those in `but` at the end of the context.

    A player's statistics (batch and spectral normalisation) change in its own move only: other players
    still normalise by the current batch, but their running statistics are restored.
    """
    buffers = [buffer for player in _others(game, but) for buffer in buffers_of(game, player)]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        _restore(buffers, before)


@contextmanager
def leave_buffers(game: Game, but: Collection[str]) -> Iterator[None]:
    """As `preserve_buffers`, for passes through the game's own modules, which are not recomputed elsewhere.

    torch's batch normalisation leaves its statistics as they are if it does not track them, and nothing is copied.
    """
    layers = {id(layer): layer for player in _others(game, but) for layer in layers_with_buffers(game, player)}
    tracking = [layer for layer in layers.values() if type(layer) in NORMS and layer.track_running_stats]
    for layer in tracking:
        layers.pop(id(layer))
        vars(layer)["track_running_stats"] = False
    buffers = [buffer for layer in layers.values() for buffer in layer._buffers.values() if buffer is not None]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        _restore(buffers, before)
        for layer in tracking:
            vars(layer)["track_running_stats"] = True


def _restore(buffers: Sequence[Tensor], before: Sequence[Tensor]) -> None:
    for buffer, value in zip(buffers, before, strict=True):
        buffer.data.copy_(value)  # hidden from autograd: a graph still in use may hold this very value


def _others(game: Game, players: Collection[str]) -> list[str]:
    return [player for player in game.players if player not in players]


def after_update_of(game: Game, seen: Mapping[str, Float[Tensor, "..."]]) -> Callable[[nn.Module, str], None] | None:
    """The game's `after_update`, as a function of a functional module and a player; None if the game has none."""
    if not game.has_after_update:
        return None
    return lambda module, player: module.after_update(player, seen)  # type: ignore[operator]

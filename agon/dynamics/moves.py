"""One move: some players follow their gradients together while all others stand still, bit for bit."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from agon.dynamics.processes import average
from agon.games.game import Batch, Game, Losses, buffers_of, parameters_of

Optimisers = Mapping[str, torch.optim.Optimizer]
Gradients = dict[str, list[Tensor | None]]  # player -> one for each of its parameters


def update(game: Game, optimisers: Optimisers, movers: Collection[str], batch: Batch, fake: Tensor | None) -> Losses:
    """Each mover takes one optimiser step along the gradient of its own loss at the present point.

    Args:
        game: changed in place: the movers' parameters and buffers, nothing else.
        optimisers: one for each player.
        movers: who moves; together means simultaneously.
        batch: what they see.
        fake: "n *shape", generated samples with the history that their losses need, or None to make them.

    Returns:
        Detached losses of the movers, and what was seen.
    """
    with isolate(game, movers):
        losses = game(batch, fake, of=movers)
        gradients = gradients_of(game, losses, movers)
    return apply_gradients(game, optimisers, gradients, losses)


def apply_gradients(
    game: Game, optimisers: Optimisers, gradients: Gradients, losses: Losses, *, ends_move: bool = True
) -> Losses:
    """Each player that has gradients takes its optimiser's step along them.

    Args:
        game: its parameters change in place.
        optimisers: one for each player.
        gradients: of each mover, one in the shape of each parameter.
        losses: with or without history.
        ends_move: whether the move ends with this step; else more of it is to come.

    Returns:
        The losses, detached.
    """
    for player, player_gradients in gradients.items():
        for parameter, gradient in zip(parameters_of(game, player), player_gradients, strict=True):
            parameter.grad = None if gradient is None else _laid_out_as(parameter, gradient.detach())
        optimisers[player].step()
        if ends_move:
            with torch.no_grad():
                game.after_update(player, losses.seen)
    return Losses({name: loss.detach() for name, loss in losses.players.items()}, losses.seen)


def gradients_of(
    game: Game, losses: Losses, movers: Collection[str], *, again: bool = False, history: bool = False
) -> Gradients:
    """Each mover's gradient ∂L_p/∂θ_p of its own loss in its own parameters, averaged over processes.

    A parameter that is frozen, or that the loss does not reach, has None, as after `backward`.

    Args:
        game: whose parameters.
        losses: with their history.
        movers: whose gradients.
        again: whether the losses' history will be needed once more.
        history: whether the gradients can be differentiated in turn.
    """
    players = list(movers)
    gradients = {}
    for player in players:
        parameters = parameters_of(game, player)
        free = [p for p in parameters if p.requires_grad]
        keep, loss = again or history or player != players[-1], losses.players[player]
        of_free = iter(torch.autograd.grad(loss, free, retain_graph=keep, create_graph=history, allow_unused=True))
        gradients[player] = average([next(of_free) if p.requires_grad else None for p in parameters])
    return gradients


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in its parameter's memory format: fused optimisers pair the two by memory, not by index."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


@contextmanager
def isolate(game: Game, movers: Collection[str]) -> Iterator[None]:
    """Within it, only the movers' parameters require gradients; after it, only their buffers have changed."""
    with freeze(game, movers), preserve_buffers(game, movers):
        yield


@contextmanager
def freeze(game: Game, but: Collection[str]) -> Iterator[None]:
    """Within it, no player's parameters require gradients but those of `but`."""
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
    """After it, no player's buffers have changed but those of `but`.

    A player's statistics (batch and spectral normalisation) belong to its own move: others still
    normalise by the batch at hand, but their running statistics are put back.
    """
    buffers = [b for player in _others(game, but) for b in buffers_of(game, player)]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, value in zip(buffers, before, strict=True):
            buffer.data.copy_(value)  # unseen by autograd: a pass still to be used may hold this very value


def _others(game: Game, players: Collection[str]) -> list[str]:
    return [player for player in game.players if player not in players]


def after_update_of(game: Game, seen: Mapping[str, Tensor]) -> Callable[[nn.Module, str], None] | None:
    """What each player's move ends with, to be done to a functional module of the game; None where that is nothing."""
    if not game.has_after_update:
        return None
    return lambda module, player: module.after_update(player, seen)  # type: ignore[operator]

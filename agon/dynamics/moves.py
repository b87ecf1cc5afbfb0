"""One move: some players follow their gradients together while all others stand still, bit for bit."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from agon.dynamics.processes import average
from agon.games.game import Batch, Game, Losses, buffers_of, parameters_of

Optimisers = Mapping[str, torch.optim.Optimizer]


def move(game: Game, optimisers: Optimisers, movers: Collection[str], batch: Batch, fake: Tensor | None) -> Losses:
    """Each mover takes one optimiser step along the gradient of its own loss at the present point.

    Args:
        game: changed in place: the movers' parameters and buffers, nothing else.
        optimisers: one for each player.
        movers: who moves; together means simultaneously.
        batch: what they see.
        fake: generated samples with the history that their losses need, or None to make them.

    Returns:
        Detached losses of the movers, and what was seen.
    """
    with only(game, movers):
        losses = game(batch, fake, of=movers)
        gradients = gradients_of(game, losses, movers)
    for player in movers:
        for parameter, gradient in zip(parameters_of(game, player), gradients[player], strict=True):
            parameter.grad = _laid_out_as(parameter, gradient)
        optimisers[player].step()
        game.settle(player, losses.seen)
    return Losses({name: loss.detach() for name, loss in losses.players.items()}, losses.seen)


def gradients_of(game: Game, losses: Losses, movers: Collection[str]) -> dict[str, list[Tensor | None]]:
    """Each mover's gradient of its own loss in its own parameters, averaged over processes.

    A parameter that is frozen, or that the loss does not reach, has None, as after `backward`.
    """
    players = list(movers)
    gradients = {}
    for player in players:
        parameters = parameters_of(game, player)
        free = [p for p in parameters if p.requires_grad]
        keep = player != players[-1]
        found = iter(torch.autograd.grad(losses.players[player], free, retain_graph=keep, allow_unused=True))
        gradients[player] = average([next(found) if p.requires_grad else None for p in parameters])
    return gradients


def _laid_out_as(parameter: Tensor, gradient: Tensor | None) -> Tensor | None:
    """The gradient in its parameter's memory format: fused optimisers pair the two by memory, not by index."""
    if gradient is None or gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


@contextmanager
def only(game: Game, movers: Collection[str]) -> Iterator[None]:
    """Within it, only the movers' parameters require gradients; after it, only their buffers have changed.

    A player's statistics (batch and spectral normalisation) belong to its own move: others still
    normalise by the batch at hand, but their running statistics are put back.
    """
    others = [player for player in game.players if player not in movers]
    parameters = [p for player in others for p in parameters_of(game, player) if p.requires_grad]
    buffers = [b for player in others for b in buffers_of(game, player)]
    before = [buffer.clone() for buffer in buffers]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
        for buffer, value in zip(buffers, before, strict=True):
            buffer.data.copy_(value)  # unseen by autograd: a pass still to be used may hold this very value

"""Gradient accumulation: a batch in equal parts, one after another, and the mean of their gradients.

    ∇L = (1/N) Σ_i ∇L_i,   with L_i the loss on part i of N.

A part's activations are freed before the next part's are made, so the memory is that of one part. For a loss that is a
mean over samples this is the gradient on the whole batch; batch normalisation takes its statistics in each part.
"""

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.source import RealBatch
from agon.dynamics.moves import Gradients, Optimisers, apply_gradients, gradients_of, isolate
from agon.games.game import COUNT, Batch, Game, Losses
from agon.games.lazy import LazyBatch

T = TypeVar("T")


class Piece(NamedTuple):
    """A part of a batch, with the samples "n *shape" that belong to it, or None."""

    batch: Batch
    fake: Tensor | None


def pieces(batch: Batch, fake: Float[Tensor, "n ..."] | None, parts: int) -> list[Piece]:
    """Split a batch, and its generated samples "n *shape" if there are any, into equal parts, in their order."""
    if parts == 1:
        return [Piece(batch, fake)]
    size = len(batch.latent) // parts

    def piece(start: int) -> Piece:
        cut = slice(start, start + size)

        def read() -> RealBatch:
            return RealBatch(batch.real[cut], None if batch.label is None else batch.label[cut])

        noise = {name: tensor[cut] for name, tensor in batch.noise.items()}
        return Piece(LazyBatch(read, batch.latent[cut], noise), None if fake is None else fake[cut])

    return [piece(size * index) for index in range(parts)]


def update(
    game: Game,
    optimisers: Optimisers,
    movers: Collection[str],
    batch: Batch,
    fake: Float[Tensor, "n ..."] | None,
    *,
    parts: int = 1,
) -> Losses:
    """Let each mover take one optimiser step along the gradient of its own loss at the current point.

    Args:
        game: changed in place: the movers' parameters and buffers, nothing else.
        optimisers: one for each player.
        movers: the players that move, simultaneously.
        batch: the batch on which the losses are computed.
        fake: generated samples "n *shape" with the history that the losses need, or None to generate them.
        parts: how many parts of the batch are computed one after another.

    Returns:
        The movers' detached losses, and the scalars for the log.
    """
    with isolate(game, movers):
        losses, gradients = own_gradients(game, movers, batch, fake, parts)
    return apply_gradients(game, optimisers, gradients, losses)


def own_gradients(
    game: Game, movers: Collection[str], batch: Batch, fake: Float[Tensor, "n ..."] | None, parts: int = 1
) -> tuple[Losses, Gradients]:
    """The movers' losses on a batch and the gradients of each in its own parameters, as means over the batch's parts.

    Statistics move once: every part starts from the current ones, and the mean of what they become stays.

    Args:
        game: its buffers change.
        movers: the players whose losses are computed.
        batch: the whole batch.
        fake: generated samples "n *shape" of the whole batch, or None to generate them.
        parts: how many parts the batch has; with one, the losses keep their history.
    """

    def play(piece: Piece) -> tuple[Losses, Gradients]:
        losses: Losses = game(piece.batch, piece.fake, of=movers)
        return losses, gradients_of(game, losses, movers)

    if parts == 1:
        return play(Piece(batch, fake))
    results = each_from_here(game, play, pieces(batch, fake, parts))
    return mean_of((detached(losses), gradients) for losses, gradients in results)


def samples(game: Game, batch: Batch, parts: int) -> Float[Tensor, "n ..."]:
    """Samples "n *shape" of a batch's latents, and of its labels if the game takes any, generated part by part."""
    batches = [piece.batch for piece in pieces(batch, None, parts)]
    return torch.cat(list(each_from_here(game, game.generate_for, batches)))


def each_from_here(game: Game, play: Callable[..., T], parts: Collection[object]) -> Iterator[T]:
    """Play each part from the current statistics; in the end they are the mean of what each part has made of them."""
    start = [buffer.clone() for buffer in game.buffers()]
    mean = start
    for count, part in enumerate(parts, 1):
        _set(game, start)
        result = play(part)
        mean = [_towards(old, new, count) for old, new in zip(mean, game.buffers(), strict=True)]
        yield result
    _set(game, mean)


def mean_of(results: Iterator[tuple[Losses, Gradients]]) -> tuple[Losses, Gradients]:
    """The means of losses, of the scalars for the log, and of gradients; scalars that count samples are added up."""
    losses, gradients = next(results)
    for count, (others, more) in enumerate(results, 2):
        losses = Losses(
            {name: _towards(value, others.players[name], count) for name, value in losses.players.items()},
            {
                name: value + others.seen[name] if name.endswith(COUNT) else _towards(value, others.seen[name], count)
                for name, value in losses.seen.items()
            },
        )
        gradients = {
            player: [_both(one, other, count) for one, other in zip(values, more[player], strict=True)]
            for player, values in gradients.items()
        }
    return losses, gradients


def detached(losses: Losses) -> Losses:
    """The same losses without their history."""
    return Losses({name: loss.detach() for name, loss in losses.players.items()}, losses.seen)


def _towards(mean: Tensor, value: Tensor, count: int) -> Tensor:
    """The mean of `count` values, from that of the others and the last one; equal values stay exactly what they are."""
    if count == 1 or not value.is_floating_point():
        return value.clone()
    return mean + (value - mean) / count


def _both(mean: Tensor | None, value: Tensor | None, count: int) -> Tensor | None:
    return None if mean is None or value is None else _towards(mean, value, count)


@torch.no_grad()
def _set(game: Game, values: Collection[Tensor]) -> None:
    for buffer, value in zip(game.buffers(), values, strict=True):
        buffer.data.copy_(value)

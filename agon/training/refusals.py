"""Refuse a batch that a game or its dynamics cannot use."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import Change, SettingError
from agon.games import Batch, Game
from agon.latents import Latent
from agon.training.randomness import stream


def refuse_parts(batch: int, world: int, parts: int) -> None:
    """Raise a SettingError if a process's share of a batch cannot be split equally.

    Args:
        batch: real samples over all processes.
        world: number of processes.
        parts: parts in which the dynamics take each process's share.
    """
    n = batch // world
    if n % parts:
        nearest = Change("batch", world * parts * max(1, round(n / parts)))
        raise SettingError(
            f"accumulate: expected a batch in {parts} equal parts, got {n} samples; use {nearest}", nearest
        )


def refuse_alone(game: Game, latent: Latent, real: Float[Tensor, "1 ..."], *, labelled: bool) -> None:
    """Raise a SettingError if a game cannot be played with one sample, as with layers that normalise a batch.

    Args:
        game: the game; it is not changed.
        latent: the distribution of latents.
        real: one sample, on the game's device and in its number type.
        labelled: whether samples have labels.
    """
    game, rng = copy.deepcopy(game), stream(0, "alone")
    latents = latent.sample(1, game.latent_shape, rng).to(real)
    label = torch.zeros(1, dtype=torch.int64, device=real.device) if labelled else None
    noise = {name: tensor.to(real) for name, tensor in game.noise(tuple(real.shape), rng).items()}
    try:
        game.losses(Batch(real, latents, noise, label), of=tuple(game.players))
    except ValueError as error:
        larger = Change("batch", 2)
        raise SettingError(
            f"batch: expected at least 2 samples, over which {type(game).__name__} normalises, got 1 ({error}); "
            f"use {larger}",
            larger,
        ) from error

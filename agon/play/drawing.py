"""What the page's first tabs draw: samples of a seed, a point of a walk, a sample moved along directions."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agon.models import Model
from agon.samples.making import labels_of, latents

STEPS = 33  # positions of the walk's slider


def labels_for(model: Model, n: int, label: int | str | None, seed: int = 0) -> Int[Tensor, " n"] | None:
    """Labels of n samples: one class, or of all; None if the generator takes none."""
    return labels_of(model, n, seed, label or None)


def drawn(
    model: Model, n: int, seed: int, label: str | None = None, truncation: float | None = None
) -> Shaped[Tensor, "n *shape"]:
    """Generate n samples in the generator's range."""
    return model.samples(latents(model, n, seed, truncation), labels_for(model, n, label, seed))


def walked(
    model: Model, paths: int, position: int, seed: int, label: str | None = None
) -> Shaped[Tensor, "paths *shape"]:
    """Generate one sample of each of some paths between random latents, at a position from 0 to 32."""
    ends = model.latents(2 * paths, seed)
    z = [model.experiment.latent.path(ends[2 * i], ends[2 * i + 1], STEPS)[position] for i in range(paths)]
    return model.samples(torch.stack(z), labels_for(model, paths, label, seed))


def moved(
    model: Model, directions: Float[Tensor, "k ..."], amounts: Sequence[float], n: int, seed: int
) -> Shaped[Tensor, "n *shape"]:
    """Generate samples of z + Σ aᵢ dᵢ, for n latents z of a seed and amounts a along directions d."""
    z = model.latents(n, seed)
    shift = sum((a * d for a, d in zip(amounts, directions, strict=True)), torch.zeros_like(directions[0]))
    return model.samples(z + shift.to(z), labels_for(model, n, None, seed))

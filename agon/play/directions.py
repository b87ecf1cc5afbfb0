"""Principal directions of a generator: the directions of its latents along which its samples vary most."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import SettingError
from agon.models import Model
from agon.play.drawing import labels_for

DRAWN = 512  # latents whose samples are analysed


@dataclass(frozen=True)
class Directions:
    """Directions of latents, the strongest first.

    Attributes:
        latents: "k *latent_shape"; adding one moves the samples by one standard deviation of its component, on average.
        shares: the share of the samples' variance that each component has, from 0 to 1.
    """

    latents: Float[Tensor, "k ..."]
    shares: Float[Tensor, " k"]


def principal(z: Float[Tensor, "n ..."], features: Float[Tensor, "n ..."], k: int) -> Directions:
    """Regress latents on the principal components of their samples' features.

        X = U S Vᵀ (features, centred),   a = √n U (coordinates of variance 1),   W = argmin_W |a W - (Z - mean Z)|²

    Row i of W is the direction of component i. As a's columns are orthogonal, W = aᵀ(Z - mean Z) / n.

    Args:
        z: n latents.
        features: what is generated of them; the sample's own numbers, or a layer's.
        k: number of directions.

    Raises:
        SettingError: k is under 1, or not under n.

    Source: Härkönen et al. 2020 (GANSpace), section 2.2, equation 3, with the samples as the layer.
    """
    n = len(z)
    if not 1 <= k < n:
        raise SettingError(f"principal directions: expected 1 to {n - 1} of {n} latents, got {k}")
    x = features.flatten(1).double()
    u, s, _ = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    k = min(k, len(s))
    flat = z.flatten(1).double()
    directions = u[:, :k].T @ (flat - flat.mean(0)) / n**0.5
    shares = s.square() / s.square().sum().clamp_min(1e-300)
    return Directions(directions.reshape(k, *z.shape[1:]).to(z.dtype), shares[:k].float())


def directions_of(model: Model, k: int = 6, seed: int = 0) -> Directions:
    """Find the principal directions of a run's generator, from 512 samples."""
    z = model.latents(DRAWN, seed)
    return principal(z, model.samples(z, labels_for(model, DRAWN, None)).cpu(), k)

"""Latents z ~ p_z: distributions of the generator's inputs, and paths between two of them."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agon.arguments import checks_names
from agon.errors import Change, SettingError


@dataclass(frozen=True, kw_only=True)
class Latent(ABC):
    """A distribution of latents; the generator states the shape of one (`latent_shape`)."""

    @abstractmethod
    def sample(self, n: int, shape: tuple[int, ...], rng: torch.Generator) -> Float[Tensor, "n ..."]:
        """Draw n independent latents of `shape`, float32 on the generator's device."""

    def truncated(
        self, n: int, shape: tuple[int, ...], rng: torch.Generator, threshold: float
    ) -> Float[Tensor, "n ..."]:
        """Draw n latents without the tails of a normal distribution; smaller thresholds trade variety for quality.

        Raises:
            SettingError: the distribution is not normal, or the threshold is not over 0.
        """
        raise SettingError(
            f"truncation: expected a run with normal latents, got {type(self).__name__.lower()} ones, which have no "
            "tails; leave it out"
        )

    @abstractmethod
    def path(
        self, start: Float[Tensor, "*shape"], end: Float[Tensor, "*shape"], steps: int
    ) -> Float[Tensor, "steps *shape"]:
        """`steps` latents from `start` to `end`, both included, on a path that fits the distribution."""


@dataclass(frozen=True, kw_only=True)
class Normal(Latent):
    """z ~ N(0, std² I), a normal distribution."""

    std: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.std) and self.std > 0):
            raise SettingError(f"std of a normal latent: expected a number over 0, got {self.std}; use 1.0")

    def sample(self, n: int, shape: tuple[int, ...], rng: torch.Generator) -> Float[Tensor, "n ..."]:
        return torch.randn((n, *shape), generator=rng, device=rng.device) * self.std

    def truncated(
        self, n: int, shape: tuple[int, ...], rng: torch.Generator, threshold: float
    ) -> Float[Tensor, "n ..."]:
        """Draw coordinates until they lie within ± threshold standard deviations: a truncated normal distribution.

        The draws are those of the inverse distribution function, which have the same distribution as draws that are
        repeated until they fit, and take one number for each. Source: Brock et al. 2019 (BigGAN), section 3.1.
        """
        if not (math.isfinite(threshold) and threshold > 0):
            raise SettingError(f"truncation: expected a number over 0, got {threshold}; use 0.7")
        least = (1 + math.erf(-threshold / math.sqrt(2))) / 2  # Φ(-threshold)
        unit = torch.rand((n, *shape), generator=rng, device=rng.device, dtype=torch.float64)
        normal: Tensor = torch.special.ndtri(least + unit * (1 - 2 * least))
        return normal.clamp(-threshold, threshold).float() * self.std

    def path(
        self, start: Float[Tensor, "*shape"], end: Float[Tensor, "*shape"], steps: int
    ) -> Float[Tensor, "steps *shape"]:
        """A spherical path: a straight line would pass through norms that N(0, I) never has."""
        return spherical(start, end, steps)


@dataclass(frozen=True, kw_only=True)
class Uniform(Latent):
    """z ~ U(low, high), a uniform distribution, independent in each coordinate."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            low, high = Change("latent.low", -1.0), Change("latent.high", 1.0)
            raise SettingError(
                f"range of a uniform latent: expected low < high, got low={self.low} and high={self.high}; "
                f"use {low} and {high}",
                low,
                high,
            )

    def sample(self, n: int, shape: tuple[int, ...], rng: torch.Generator) -> Float[Tensor, "n ..."]:
        unit = torch.rand((n, *shape), generator=rng, device=rng.device)
        return unit.mul_(self.high - self.low).add_(self.low)

    def path(
        self, start: Float[Tensor, "*shape"], end: Float[Tensor, "*shape"], steps: int
    ) -> Float[Tensor, "steps *shape"]:
        """A straight line: the cube is convex, so the line never leaves the distribution."""
        return linear(start, end, steps)


def linear(start: Float[Tensor, "*shape"], end: Float[Tensor, "*shape"], steps: int) -> Float[Tensor, "steps *shape"]:
    """Straight path z(t) = (1 - t) a + t b, t = 0, ..., 1 in `steps` equal steps.

    >>> linear(torch.zeros(2), torch.ones(2), 3)[:, 0]
    tensor([0.0000, 0.5000, 1.0000])
    """
    t = _times(start, steps)
    return torch.lerp(start.expand(steps, *start.shape), end.expand(steps, *end.shape), t)


def spherical(
    start: Float[Tensor, "*shape"], end: Float[Tensor, "*shape"], steps: int
) -> Float[Tensor, "steps *shape"]:
    """Spherical path z(t) = [sin((1 - t)ω) a + sin(tω) b] / sin ω, ω the angle between a and b.

    The norm goes monotonically from |a| to |b| if these are equal or a and b are orthogonal, as independent
    normal latents nearly are. For (anti)parallel ends, where ω or π - ω is below 1e-4, the path is
    straight. Source: White 2016, "Sampling generative networks", section 2.1.
    """
    omega = torch.acos(torch.cosine_similarity(start.flatten(), end.flatten(), dim=0).clamp(-1, 1))
    if min(omega, math.pi - omega) < 1e-4:
        return linear(start, end, steps)
    t = _times(start, steps)
    return (torch.sin((1 - t) * omega) * start + torch.sin(t * omega) * end) / torch.sin(omega)


def _times(like: Tensor, steps: int) -> Tensor:
    """t = 0, ..., 1, shaped to multiply latents of `like`'s shape."""
    if steps < 2:
        raise SettingError(f"steps of a path: expected at least 2 (both ends), got {steps}; use 8")
    times = torch.linspace(0, 1, steps, dtype=like.dtype, device=like.device)
    return times.reshape(-1, *[1] * like.ndim)


LATENTS = {"normal": Normal, "uniform": Uniform}

for _latent in LATENTS.values():
    checks_names(_latent)

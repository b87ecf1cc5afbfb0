"""Corruptions x̃ ~ p(x̃|x), the input of a denoising autoencoder's encoder."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Corruption(ABC):
    """A distribution p(x̃|x), sampled in two steps, so that a game's losses draw no random numbers."""

    @abstractmethod
    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> Float[Tensor, "n ..."]:
        """Draw the noise for a batch of `shape` (n, ...), a tensor of that shape."""

    @abstractmethod
    def __call__(self, x: Float[Tensor, "*n"], noise: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Corrupt x with the noise that was drawn, and return x̃; x does not change."""


@dataclass(frozen=True, kw_only=True)
class GaussianCorruption(Corruption):
    """Gaussian noise: x̃ = x + std · ε, ε ~ N(0, I). x̃ may leave the range of x.

    Attributes:
        std: in units of x, at least 0.
    """

    std: float = 0.05

    def __post_init__(self) -> None:
        if not (math.isfinite(self.std) and self.std >= 0):
            raise SettingError(f"std of GaussianCorruption: expected a number of at least 0, got {self.std}; use 0.05")

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> Float[Tensor, "n ..."]:
        return torch.randn(shape, generator=rng, device=rng.device)

    def __call__(self, x: Float[Tensor, "*n"], noise: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return x + self.std * noise


@dataclass(frozen=True, kw_only=True)
class SaltAndPepper(Corruption):
    """Replaces a share of the numbers of x, half of them by the least and half by the greatest value.

    Attributes:
        share: the share of numbers that are replaced, from 0 to 1.
        range: the (least, greatest) value.
    """

    share: float = 0.1
    range: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise SettingError(f"share of SaltAndPepper: expected a number from 0 to 1, got {self.share}; use 0.1")
        if not (len(self.range) == 2 and self.range[0] < self.range[1]):
            raise SettingError(f"range of SaltAndPepper: expected (least, greatest), got {self.range}; use (0.0, 1.0)")

    def noise(self, shape: tuple[int, ...], rng: torch.Generator) -> Float[Tensor, "n ..."]:
        return torch.rand(shape, generator=rng, device=rng.device)

    def __call__(self, x: Float[Tensor, "*n"], noise: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        low, high = (torch.full_like(x, value) for value in self.range)
        peppered = torch.where(noise < self.share / 2, low, x)
        return torch.where(noise >= 1 - self.share / 2, high, peppered)


CORRUPTIONS = {"gaussian-corruption": GaussianCorruption, "salt-and-pepper": SaltAndPepper}

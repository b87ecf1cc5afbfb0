"""The interface of all augmentations: random, differentiable transformations of images."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import Change, SettingError

Images = Float[Tensor, "n c h w"]
Numbers = Float[Tensor, "n k"]
Probability = float | Float[Tensor, ""]


@dataclass(frozen=True, kw_only=True)
class Augmentation(ABC):
    """A random transformation T(x; u) of images x, differentiable in x any number of times.

    It is applied in two steps, so that losses draw nothing: `noise` draws the numbers u, and a call applies T. Every
    step of a transformation is applied with probability p; with p = 0 the result is x, bit for bit.

    Attributes:
        uniforms: how many numbers of U(0, 1) an image takes.
        normals: how many of N(0, 1) follow them.
    """

    uniforms: ClassVar[int] = 0
    normals: ClassVar[int] = 0

    @property
    def numbers(self) -> int:
        """How many random numbers an image takes."""
        return self.uniforms + self.normals

    def noise(self, n: int, rng: torch.Generator) -> Numbers:
        """Draw the numbers for n images, "n k"; no two images share any."""
        uniform = torch.rand(n, self.uniforms, generator=rng, device=rng.device)
        return torch.cat([uniform, torch.randn(n, self.normals, generator=rng, device=rng.device)], 1)

    @abstractmethod
    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        """Transform images.

        Args:
            x: images "n c h w" in the range of the data.
            noise: what `noise` drew for them, "n k".
            p: the probability of each step, from 0 to 1, a number or a tensor ().

        Returns:
            Images of the same shape and range, though a change of colour may leave the range.
        """

    def check(self, shape: tuple[int, ...], range: tuple[float, float] | None, place: str) -> None:  # noqa: A002
        """Raise a SettingError if samples of `shape` cannot be transformed.

        Args:
            shape: shape of one sample.
            range: the samples' least and greatest value, or None.
            place: path of this augmentation in the experiment, for the message.
        """
        if len(shape) != 3:
            raise SettingError(
                f"{type(self).__name__}: expected images (channels, height, width), got samples of shape {shape}; "
                f"leave {place.removesuffix('.of')} out"
            )


@dataclass(frozen=True, kw_only=True)
class Ranged(Augmentation):
    """An augmentation that must know black and white.

    Attributes:
        range: the data's (least, greatest) value.
    """

    range: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        if not self.range[0] < self.range[1]:
            raise SettingError(f"range of {type(self).__name__}: expected (least, greatest), got {self.range}")

    @property
    def centre(self) -> float:
        """The value in the middle of the range."""
        return sum(self.range) / 2

    @property
    def half(self) -> float:
        """Half of the range's width: 1 for (-1, 1)."""
        return (self.range[1] - self.range[0]) / 2

    def check(self, shape: tuple[int, ...], range: tuple[float, float] | None, place: str) -> None:  # noqa: A002
        super().check(shape, range, place)
        if range is not None and tuple(range) != tuple(self.range):
            change = Change(f"{place}.range", list(range))
            raise SettingError(
                f"{type(self).__name__}: expected the data's range {range}, got {self.range}; give it {change}", change
            )


def chosen(decision: Float[Tensor, " n"], p: Probability, value: Tensor, otherwise: float) -> Tensor:
    """`value` "n" for images whose uniform number is below p, and `otherwise`, the step's identity, for the others."""
    return torch.where(decision < p, value, otherwise)


def whole(uniform: Float[Tensor, " n"], count: int) -> Float[Tensor, " n"]:
    """A whole number from 0 to count - 1, all as likely, from a number of U(0, 1)."""
    return (uniform * count).floor().clamp(max=count - 1)  # rounding may reach count itself


def each(values: Float[Tensor, " n"]) -> Float[Tensor, "n 1 1 1"]:
    """One number for all pixels of an image."""
    return values[:, None, None, None]


def share(name: str, value: float, most: float = 1.0) -> None:
    """Raise a SettingError unless a share of an image is over 0 and at most `most`."""
    if not 0 < value <= most:
        raise SettingError(f"{name}: expected a number over 0 and at most {most:g}, got {value}")

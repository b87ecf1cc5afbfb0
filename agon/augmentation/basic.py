"""Four transformations: of the data alone, or the steps of `DiffAugment`."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from agon.augmentation.augmentation import (
    Augmentation,
    Images,
    Numbers,
    Probability,
    Ranged,
    chosen,
    each,
    share,
    whole,
)
from agon.augmentation.warping import shifted
from agon.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Flip(Augmentation):
    """Mirrors left and right: half of the images if p = 1.

    Of the data alone it doubles a set whose mirror images are as likely. Not for letters and digits.
    """

    uniforms: ClassVar[int] = 1

    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        return torch.where(each(noise[:, 0]) < p / 2, x.flip(3), x)


@dataclass(frozen=True, kw_only=True)
class Translation(Ranged):
    """Shifts by whole pixels, down and right each uniform from -share to share of the image's side.

    Attributes:
        share: over 0 and at most 1/2.
        border: "reflect" continues the image by its mirror image; "centre" shows the middle of the range.

    Source: Zhao et al. 2020, section 3.2 (1/8 of the size, border of zeros).
    """

    uniforms: ClassVar[int] = 3
    share: float = 0.125
    border: Literal["reflect", "centre"] = "reflect"

    def __post_init__(self) -> None:
        super().__post_init__()
        share("share of Translation", self.share, most=0.5)
        if self.border not in ("reflect", "centre"):
            raise SettingError(f"border of Translation: expected 'reflect' or 'centre', got {self.border!r}")

    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        decision, *uniform = noise.unbind(1)
        most = [int(side * self.share) for side in x.shape[2:]]
        down, right = (chosen(decision, p, whole(u, 2 * m + 1) - m, 0.0) for u, m in zip(uniform, most, strict=True))
        return shifted(x, down, right, None if self.border == "reflect" else self.centre)


@dataclass(frozen=True, kw_only=True)
class Colour(Ranged):
    """Changes brightness, then saturation, then contrast, with a = strength and u, v, w ~ U(-1, 1) for each image:

        x + a u/2 · half the range,   x + a v (x - mean over channels),   x + a w/2 · (x - mean of the image).

    Attributes:
        strength: a, over 0 and at most 1; the source's is 1.

    Source: Zhao et al. 2020, section 3.2, and its code ("color").
    """

    uniforms: ClassVar[int] = 6
    strength: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        share("strength of Colour", self.strength)

    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        amounts = [
            each(chosen(decision, p, self.strength * (2 * u - 1), 0.0))
            for decision, u in zip(noise[:, ::2].unbind(1), noise[:, 1::2].unbind(1), strict=True)
        ]
        brightness, saturation, contrast = amounts
        x = x + brightness / 2 * self.half
        x = x + saturation * (x - x.mean(1, keepdim=True))
        return x + contrast / 2 * (x - x.mean((1, 2, 3), keepdim=True))


@dataclass(frozen=True, kw_only=True)
class Cutout(Ranged):
    """Replaces a rectangle by the middle of the range; its centre is anywhere in the image.

    Attributes:
        share: the rectangle's share of each side, over 0 and below 1.

    Source: Zhao et al. 2020, section 3.2 (half the size); DeVries and Taylor 2017.
    """

    uniforms: ClassVar[int] = 3
    share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        share("share of Cutout", self.share)

    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        decision, *uniform = noise.unbind(1)
        hidden = [self._hidden(u, side) for u, side in zip(uniform, x.shape[2:], strict=True)]
        rectangle = hidden[0][:, :, None] & hidden[1][:, None]  # n h w
        applies = (decision < p)[:, None, None]
        return torch.where((rectangle & applies)[:, None], self.centre, x)

    def _hidden(self, uniform: torch.Tensor, side: int) -> torch.Tensor:
        """Which rows or columns "n s" of a side the rectangle covers."""
        size = int(side * self.share)
        first = whole(uniform, side + 1 - size % 2) - size // 2
        places = torch.arange(side, device=uniform.device) - first[:, None]
        return (places >= 0) & (places < size)

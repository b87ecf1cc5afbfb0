"""The invertible transformations of ADA: pixel blitting, geometry and colour, each with probability p."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from agon.augmentation.augmentation import Images, Numbers, Probability, Ranged, chosen, each, whole
from agon.augmentation.warping import Matrix, moving, product, scaling, turning, warped
from agon.errors import SettingError

SHIFT = 0.125  # of a side: most of a whole shift, and the deviation of a fractional one
SCALE = 0.2  # the deviation of log2 of a scale
BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.5, 1.0  # deviations, of the two latter in log2


@dataclass(frozen=True, kw_only=True)
class Pipeline(Ranged):
    """ADA's pipeline "bgc": each transformation is applied with probability p, in this order.

    | group | transformation | its amount |
    |---|---|---|
    | blitting | mirror left and right | half of those chosen |
    | | turn by 0, 90, 180 or 270 degrees | all as likely |
    | | shift by whole pixels | U(-1/8, 1/8) of each side |
    | geometry | scale | 2^(0.2 N(0, 1)) |
    | | rotate, before and after the next, each with 1 - sqrt(1 - p) | U(-180, 180) degrees |
    | | scale by s one way, by 1/s the other | s = 2^(0.2 N(0, 1)) |
    | | shift by fractions | N(0, 1/8) of each side |
    | colour | brightness, in units of half the range | N(0, 0.2) |
    | | contrast | 2^(0.5 N(0, 1)) |
    | | mirror the luma | half of those chosen |
    | | rotate the hue (three channels) | U(-180, 180) degrees |
    | | saturation (three channels) | 2^N(0, 1) |

    At p < 1 each of these is an invertible map of distributions, so a generator can match the transformed data only by
    matching the data: the augmentation does not leak. At p = 1 it does: nothing then tells an image from its rotations.

    All of blitting and geometry is one affine map and one bilinear interpolation of the reflected image; the source
    interpolates between wavelet-filtered images of twice the size. Its filters and corruptions, which it does not
    recommend, are left out.

    Attributes:
        blitting, geometry, colour: which groups are applied.

    Source: Karras et al. 2020, "Training generative adversarial networks with limited data", section 2.2 and
    appendix B.
    """

    uniforms: ClassVar[int] = 21
    normals: ClassVar[int] = 7
    blitting: bool = True
    geometry: bool = True
    colour: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.blitting or self.geometry or self.colour):
            raise SettingError("Pipeline: expected blitting, geometry or colour, got none of them")

    def check(self, shape: tuple[int, ...], range: tuple[float, float] | None, place: str) -> None:  # noqa: A002
        super().check(shape, range, place)
        if self.colour and shape[0] not in (1, 3):
            raise SettingError(
                f"Pipeline: expected images of 1 or 3 channels, got {shape[0]}; set {place}.colour to false"
            )

    def __call__(self, x: Images, noise: Numbers, p: Probability = 1.0) -> Images:
        uniform, normal = iter(noise[:, : self.uniforms].unbind(1)), iter(noise[:, self.uniforms :].unbind(1))
        height, width = x.shape[2:]
        blits = _blits(uniform, p, height, width)
        moves = _moves(uniform, normal, p, height, width)
        if self.blitting or self.geometry:
            both = [m for m, used in ((blits, self.blitting), (moves, self.geometry)) if used]
            x = warped(x, both[0] if len(both) == 1 else product(*both))
        return _recoloured(x, uniform, normal, p, self.centre, self.half) if self.colour else x


def _blits(uniform: Iterator[Tensor], p: Probability, height: int, width: int) -> Matrix:
    """Mirror, quarter turns, whole shifts: they move pixels and change none, if the image is square."""
    mirror = chosen(next(uniform), p, whole(next(uniform), 2), 0.0)
    quarter = chosen(next(uniform), p, whole(next(uniform), 4), 0.0)
    decision = next(uniform)
    shifts = [chosen(decision, p, ((2 * next(uniform) - 1) * SHIFT * side).round(), 0.0) for side in (width, height)]
    cosine, sine = ((quarter == a).to(mirror) - (quarter == b).to(mirror) for a, b in ((0, 2), (1, 3)))
    flipped = scaling(1 - 2 * mirror, torch.ones_like(mirror))
    return product(product(flipped, turning(cosine, sine)), moving(*shifts))


def _moves(uniform: Iterator[Tensor], normal: Iterator[Tensor], p: Probability, height: int, width: int) -> Matrix:
    """Scaling, rotation, anisotropic scaling, rotation, fractional shifts."""
    p_turn = 1 - (1 - p) ** 0.5  # so that one rotation or the other is applied with probability p
    size = chosen(next(uniform), p, torch.exp2(SCALE * next(normal)), 1.0)
    before = chosen(next(uniform), p_turn, _angle(next(uniform)), 0.0)
    stretch = chosen(next(uniform), p, torch.exp2(SCALE * next(normal)), 1.0)
    after = chosen(next(uniform), p_turn, _angle(next(uniform)), 0.0)
    decision = next(uniform)
    shifts = [chosen(decision, p, SHIFT * side * next(normal), 0.0) for side in (width, height)]
    scaled = product(scaling(size, size), turning(before.cos(), before.sin()))
    stretched = product(scaled, scaling(stretch, 1 / stretch))
    return product(product(stretched, turning(after.cos(), after.sin())), moving(*shifts))


def _recoloured(
    x: Images, uniform: Iterator[Tensor], normal: Iterator[Tensor], p: Probability, centre: float, half: float
) -> Images:
    """Changes of colour, as affine maps of (red, green, blue) about the axis of greys.

    The change is added to x, so that images which none is chosen for stay as they are, bit for bit.
    """
    brightness = each(chosen(next(uniform), p, BRIGHTNESS * next(normal), 0.0))
    contrast = each(chosen(next(uniform), p, torch.exp2(CONTRAST * next(normal)), 1.0))
    mirror = each(chosen(next(uniform), p, whole(next(uniform), 2), 0.0))
    hue = each(chosen(next(uniform), p, _angle(next(uniform)), 0.0))
    saturation = each(chosen(next(uniform), p, torch.exp2(SATURATION * next(normal)), 1.0))
    standard = (x - centre) / half
    y = (standard + brightness) * contrast
    y = y - 2 * mirror * y.mean(1, keepdim=True)
    if x.shape[1] == 3:
        grey = y.mean(1, keepdim=True)
        across = (y.roll(1, 1) - y.roll(-1, 1)) / math.sqrt(3)  # the grey axis' cross product with y
        y = y * hue.cos() + across * hue.sin() + grey * (1 - hue.cos())  # Rodrigues' formula
        y = y + (saturation - 1) * (y - grey)
    return x + half * (y - standard)


def _angle(uniform: Tensor) -> Tensor:
    return (2 * uniform - 1) * math.pi

"""Residual networks for images: a DCGAN with residual blocks as hidden stages; with 0 blocks, the DCGAN itself.

| stage, of a generator (of a critic) | without blocks | with b blocks |
|---|---|---|
| first | linear projection to a small image (a convolution of stride 2) | the same |
| each of the others | one transposed convolution (convolution) of stride 2 | b blocks of two layers |
| last | a transposed convolution of stride 2 (a linear layer) | the same |

The first layer of a stage's first block has the stage's stride; every other layer of its blocks is a 3x3 convolution
of stride 1. Halving rounds up, so any size works: with three strides of 2, 28 goes 28, 14, 7, 4.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from agon.errors import SettingError
from agon.networks.cnn import channels_of
from agon.networks.convolutions import Down, Flat, Sides, Up, after, shrunk
from agon.networks.layers import Initialisation, LinearHead, flat, initialise, positive, squash

STRIDE, INNER = 2, 3  # stride of a stage; kernel of the layers in a block that keep the size


class Residual(nn.Module):
    """H(x) = S(x) + F(x); with F = 0 it is its shortcut.

    Args:
        layers: F, whose last activation comes before the sum.
        shortcut: S, the identity if F keeps its input's shape.

    Source: yamazaki2017, equation 3.2; He et al. 2015, equations 1 and 2.
    """

    def __init__(self, layers: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.layers, self.shortcut = layers, shortcut

    def forward(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return self.shortcut(x) + self.layers(x)  # type: ignore[no-any-return]


class Enlarging(nn.Module):
    """The shortcut of a stage that doubles the sides: a 1x1 convolution, nearest upsampling, cropped to `sides`.

    Args:
        inputs: input channels.
        outputs: output channels.
        sides: (height, width) of the output.
    """

    def __init__(self, inputs: int, outputs: int, sides: Sides) -> None:
        super().__init__()
        self.project, self.sides = nn.Conv2d(inputs, outputs, 1, bias=False), sides

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k a b"]:
        height, width = self.sides
        large: Tensor = interpolate(self.project(x), scale_factor=float(STRIDE))
        return large[:, :, :height, :width]


class Shrinking(nn.Module):
    """The shortcut of a stage that halves the sides, rounding up: means of 2x2 pixels, then a 1x1 convolution.

    Args:
        inputs: input channels.
        outputs: output channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k a b"]:
        return self.project(avg_pool2d(x, STRIDE, ceil_mode=True))  # type: ignore[no-any-return]


class Generator(nn.Module):
    """z -> image: a linear projection, stages of residual blocks that double the sides, a transposed convolution.

    Args:
        shape: (channels, height, width) of one sample.
        latent: number of coordinates of z.
        first: channels of the small image to which z is projected.
        widths: channels of each stage.
        blocks: residual blocks of each stage; 0 makes it one layer.
        kernel: kernel of the layers that change the size.
        normalise: batch normalisation before every hidden activation.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, or `blocks` below 0.

    Source: yamazaki2017, Table A.2.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 100,
        first: int = 256,
        widths: Sequence[int] = (128, 64),
        blocks: int = 1,
        kernel: int = 4,
        normalise: bool = True,
        range: tuple[float, float] | None = (-1.0, 1.0),  # noqa: A002 - the sources' word
        initialisation: Initialisation = "gaussian",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        check(blocks, widths)
        positive(latent=latent, first=first, kernel=kernel, gain=gain)
        channels = channels_of(shape)
        small, *larger = list(shrunk(shape[1:], [STRIDE] * (len(widths) + 1)))[::-1]
        self.latent_shape = (latent,)
        self.first = (first, *small)
        self.project = nn.Linear(latent, flat(self.first), bias=not normalise)
        self.start = after(first, normalise, nn.ReLU(inplace=True))
        stages: list[nn.Module] = []
        for inputs, outputs, sides in zip((first, *widths), widths, larger, strict=False):
            up = Up(inputs, outputs, sides, kernel, not normalise)
            shortcut = Enlarging(inputs, outputs, sides)
            stages += stage(up, shortcut, outputs, blocks, normalise, slope=0.0)
        last = Up((first, *widths)[-1], channels, larger[-1], kernel, True)
        self.layers = nn.Sequential(*stages, last, squash(range))
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        x: Tensor = self.project(latent).reshape(-1, *self.first)  # n c h₀ w₀
        return self.layers(self.start(x))  # type: ignore[no-any-return]


class Critic(LinearHead):
    """Image -> logit: a convolution, stages of residual blocks that halve the sides, a linear layer.

    Args:
        shape: (channels, height, width) of one sample.
        widths: channels of the first convolution, then of each stage.
        blocks: residual blocks of each stage; 0 makes it one layer.
        kernel: kernel of the layers that change the size.
        normalise: batch normalisation before every activation but the first.
        slope: slope of the leaky ReLUs for negative numbers.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, or `blocks` below 0.

    Source: yamazaki2017, Table A.2.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        widths: Sequence[int] = (64, 128, 256),
        blocks: int = 1,
        kernel: int = 4,
        normalise: bool = True,
        slope: float = 0.2,
        initialisation: Initialisation = "gaussian",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        check(blocks, widths)
        positive(widths=len(widths), kernel=kernel, gain=gain)
        first, *others = widths
        stages: list[nn.Module] = [Down(channels_of(shape), first, kernel, bias=True)]
        stages += after(first, False, nn.LeakyReLU(slope, inplace=True))
        for inputs, outputs in zip(widths, others, strict=False):
            down = Down(inputs, outputs, kernel, bias=not normalise)
            stages += stage(down, Shrinking(inputs, outputs), outputs, blocks, normalise, slope)
        *_, small = shrunk(shape[1:], [STRIDE] * len(widths))
        judge = nn.Linear(flat((widths[-1], *small)), 1)
        self.layers = nn.Sequential(*stages, Flat(), judge, nn.Flatten(0))
        initialise(self, initialisation, gain)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        return self.layers(x)  # type: ignore[no-any-return]


def stage(
    resize: nn.Module, shortcut: nn.Module, width: int, blocks: int, normalise: bool, slope: float
) -> list[nn.Module]:
    """A stage that starts with `resize`: that layer alone, or `blocks` residual blocks, the first with `shortcut`."""

    def layer(module: nn.Module) -> nn.Sequential:
        return nn.Sequential(module, *after(width, normalise, nn.LeakyReLU(slope, inplace=True)))

    def inner() -> nn.Sequential:
        return layer(Down(width, width, INNER, bias=not normalise, stride=1))

    if blocks == 0:
        return [layer(resize)]
    later = [Residual(nn.Sequential(inner(), inner()), nn.Identity()) for _ in range(blocks - 1)]
    return [Residual(nn.Sequential(layer(resize), inner()), shortcut), *later]


def check(blocks: int, widths: Sequence[int]) -> None:
    """Refuse a number of blocks below 0, or a width below 1."""
    if blocks < 0 or any(width < 1 for width in widths):
        raise SettingError(
            f"blocks, widths: expected blocks from 0 and widths over 0, got {blocks} and {tuple(widths)}"
        )

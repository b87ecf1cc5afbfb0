"""Convolutions with exact output sizes, and the layers after them, shared by the convolutional networks."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.parametrizations import spectral_norm

from agon.errors import SettingError

Sides = tuple[int, int]


class Layer(NamedTuple):
    """One row of a table of layers.

    Attributes:
        kernel: side of the kernel in pixels; odd if the stride is 1.
        stride: factor by which height and width shrink (or grow, in a generator).
        outputs: output channels.
    """

    kernel: int
    stride: int
    outputs: int


def rows(layers: Sequence[tuple[int, int, int]]) -> list[Layer]:
    """Check a table, and return its rows.

    Raises:
        SettingError: a row does not have three numbers, a number is below 1, a stride exceeds its kernel, or an even
            kernel has stride 1, which would change the size.
    """
    for row in layers:
        if len(row) != len(Layer._fields):
            raise SettingError(f"layers: expected rows of (kernel, stride, outputs), got {tuple(row)}")
    table = [Layer(*row) for row in layers]
    for row in table:
        if min(row) < 1 or row.stride > row.kernel or (row.stride == 1 and row.kernel % 2 == 0):
            raise SettingError(
                f"layers: expected (kernel, stride, outputs) over 0 with stride <= kernel, and an odd kernel at "
                f"stride 1, got {tuple(row)}"
            )
    return table


def shrunk(sides: Sides, strides: Sequence[int]) -> Iterator[Sides]:
    """Yield (height, width) before and after each stride, rounded up.

    >>> list(shrunk((28, 20), (2, 2)))
    [(28, 20), (14, 10), (7, 5)]
    """
    height, width = sides
    yield height, width
    for stride in strides:
        height, width = -(-height // stride), -(-width // stride)
        yield height, width


class Up(nn.ConvTranspose2d):
    """A transposed convolution cropped to an exact height and width, at most `stride` times its input's."""

    def __init__(self, inputs: int, outputs: int, sides: Sides, kernel: int, bias: bool, stride: int = 2) -> None:
        padding = (kernel - 1) // 2
        extra = max(stride + 2 * padding - kernel, 0)
        super().__init__(inputs, outputs, kernel, stride=stride, padding=padding, output_padding=extra, bias=bias)
        self.outputs, self.sides = outputs, sides

    def forward(self, x: Float[Tensor, "n k a b"], output_size: list[int] | None = None) -> Float[Tensor, "n c h w"]:
        return self.cropped(super().forward(x))

    def cropped(self, y: Float[Tensor, "n c a b"]) -> Float[Tensor, "n c h w"]:
        """The first pixels, so that the output has the exact sides."""
        height, width = self.sides
        return y if tuple(y.shape[2:]) == self.sides else y[:, :, :height, :width]


def transposed_sides(
    x: Float[Tensor, "n k a b"],
    weight: Float[Tensor, "k c h w"],
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
) -> Sides:
    """(height, width) of a transposed convolution's result."""
    height, width = (
        (side - 1) * step - 2 * before + kernel + after
        for side, step, before, kernel, after in zip(
            x.shape[2:], stride, padding, weight.shape[2:], output_padding, strict=True
        )
    )
    return height, width


class Down(nn.Conv2d):
    """A convolution that divides each side by its stride, rounding up; extra zeros are padded where needed."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool, stride: int = 2) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, padding=(kernel - 1) // 2, bias=bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k a b"]:
        return super().forward(self.padded(x))

    def padded(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c a b"]:
        """Zeros after the last pixels, so that the output has the exact sides; the others are the convolution's own."""
        lack_height, lack_width = self._lack(x.shape[2]), self._lack(x.shape[3])
        return pad(x, (0, lack_width, 0, lack_height)) if lack_height or lack_width else x

    def _lack(self, side: int) -> int:
        """Zeros to pad after the last pixel, so that the output has the exact side."""
        kernel, stride, before = self.kernel_size[0], self.stride[0], (self.kernel_size[0] - 1) // 2
        wanted = (-(-side // stride) - 1) * stride + kernel
        return max(wanted - side - 2 * before, 0)


class Flat(nn.Module):
    """n c h w -> n h·w·c: without a copy in channels-last memory, and without a format clash in the backward pass.

    With the order c h w, the preceding activation got its gradient in another memory format than its
    output, which made its backward pass 11 times as slow (measured on a CPU).
    """

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h*w*c"]:
        return x.permute(0, 2, 3, 1).flatten(1)


def after(width: int, normalise: bool, nonlinearity: nn.Module) -> nn.Sequential:
    """The layers after a convolution: optional batch normalisation, then the activation."""
    return nn.Sequential(nn.BatchNorm2d(width), nonlinearity) if normalise else nn.Sequential(nonlinearity)


def normalise_spectrally(module: nn.Module) -> None:
    """Replace W by W / σ(W) in every linear and convolutional layer, where σ is its largest singular value.

    Each pass in training mode does one power iteration; u and v are constants in the derivative. A convolution's
    kernel counts as a matrix with `outputs` rows. Source: Miyato et al. 2018, algorithm 1 and equation 8.
    """
    for layer in list(module.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            spectral_norm(layer)

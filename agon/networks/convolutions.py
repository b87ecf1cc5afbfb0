"""Convolutions with exact sides, and what follows them: shared by the convolutional networks."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.parametrizations import spectral_norm

from agon.errors import SettingError

Sides = tuple[int, int]


class Layer(NamedTuple):
    """One row of a table of layers.

    Attributes:
        kernel: its side in pixels; odd where the stride is 1.
        stride: 1, or the factor by which height and width shrink (a generator's grow).
        outputs: channels.
    """

    kernel: int
    stride: int
    outputs: int


def rows(layers: Sequence[tuple[int, int, int]]) -> list[Layer]:
    """The rows of a table, checked.

    Raises:
        SettingError: not three numbers, a size under 1, a stride over the kernel, or an even kernel of stride 1, which
            would not keep the size.
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
    """(height, width) before and after each stride, rounded up.

    >>> list(shrunk((28, 20), (2, 2)))
    [(28, 20), (14, 10), (7, 5)]
    """
    height, width = sides
    yield height, width
    for stride in strides:
        height, width = -(-height // stride), -(-width // stride)
        yield height, width


class Up(nn.ConvTranspose2d):
    """A transposed convolution whose output is cut to an exact height and width: at most `stride` times its input's."""

    def __init__(self, inputs: int, outputs: int, sides: Sides, kernel: int, bias: bool, stride: int = 2) -> None:
        padding = (kernel - 1) // 2
        extra = max(stride + 2 * padding - kernel, 0)
        super().__init__(inputs, outputs, kernel, stride=stride, padding=padding, output_padding=extra, bias=bias)
        self.outputs, self.sides = outputs, sides

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        height, width = self.sides
        return super().forward(x)[:, :, :height, :width]


class Down(nn.Conv2d):
    """A convolution that divides each side by its stride, rounding up; an even kernel sees rows of zeros more."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool, stride: int = 2) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, padding=(kernel - 1) // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        lack_height, lack_width = self._lack(x.shape[2]), self._lack(x.shape[3])
        if lack_height or lack_width:
            x = pad(x, (0, lack_width, 0, lack_height))
        return super().forward(x)

    def _lack(self, side: int) -> int:
        """Zeros after the last pixel without which the side would come out too small."""
        kernel, stride, before = self.kernel_size[0], self.stride[0], (self.kernel_size[0] - 1) // 2
        wanted = (-(-side // stride) - 1) * stride + kernel
        return max(wanted - side - 2 * before, 0)


class Flat(nn.Module):
    """n c h w -> n h·w·c: no copy where memory is channels-last, and no clash of formats on the way back.

    In the order c h w, the activation before it got its gradient in another memory format than its
    output has, which made its backward pass 11 times as slow (measured on a CPU).
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def after(width: int, normalise: bool, nonlinearity: nn.Module) -> nn.Sequential:
    """What follows a convolution: batch normalisation if asked for, then the activation."""
    return nn.Sequential(nn.BatchNorm2d(width), nonlinearity) if normalise else nn.Sequential(nonlinearity)


def normalise_spectrally(module: nn.Module) -> None:
    """W -> W / σ(W) in every linear and convolutional layer, σ its largest singular value.

    One power iteration a pass in training mode; u and v are constants to the derivative. A convolution's
    kernel is the matrix of `outputs` rows. Source: Miyato et al. 2018, algorithm 1 and equation 8.
    """
    for layer in list(module.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            spectral_norm(layer)

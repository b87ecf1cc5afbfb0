"""Convolutions of many channels and few pixels, such as a critic's last, as products of matrices.

oneDNN's convolutions reach the machine's peak where their weights fit into a core's cache, and half of it where there
are more of them and few pixels to use each for. A product of matrices does not mind; by MKL it reaches 0.9 of the peak
of Intel's processors and 0.8 of AMD's, whose lower peak convolutions reach with more weights. Of x its columns are
made, "n·a·b k·k·c", which are few where pixels are few, and are kept for the weights' gradient:

    y = columns(x) Wᵀ,   ∂/∂W = (∂/∂y)ᵀ columns(x),   ∂/∂x = fold(∂/∂y W).
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

from agon.networks.convolutions import Down, Up, transposed_sides
from agon.networks.fused.transposed import Transposed, wanted

PIXELS, WEIGHTS = 16, 2**19  # most pixels, and fewest weights, at which it paid by measurements on a Xeon
ELSEWHERE, MANY = 9, 2**22  # most pixels on an EPYC, and fewest weights at which it paid for all of `PIXELS`
FOLDED = 2**20  # fewest weights at which the fold paid, too


def pays(pixels: int, weights: int) -> bool:
    """Whether products take less time than the convolution, by measurements at two processors."""
    return pixels <= (PIXELS if weights >= MANY or by_intel() else ELSEWHERE)


@cache
def by_intel() -> bool:
    """Whether the processor is one that MKL is written for."""
    try:
        return "GenuineIntel" in Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:  # another system than Linux
        return False


class DeepDown(Down):
    """A convolution to few pixels."""

    @staticmethod
    def fits(layer: Down) -> bool:
        """Whether it has so many weights that it pays, if the pixels are few."""
        return layer.weight.numel() >= WEIGHTS

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k a b"]:
        height, width = (-(-side // step) for side, step in zip(x.shape[2:], self.stride, strict=True))
        few = pays(height * width, self.weight.numel())
        if not self.training or torch._C._are_functorch_transforms_active() or not few:
            return super().forward(x)
        return Convolved.apply(self.padded(x), self.weight, self.bias, self.stride, self.padding)  # type: ignore[no-any-return]


class DeepUp(Up):
    """A transposed convolution from few pixels."""

    @staticmethod
    def fits(layer: Up) -> bool:
        """Whether it has so many weights that it pays, if the pixels are few."""
        return layer.weight.numel() >= WEIGHTS

    def forward(self, x: Float[Tensor, "n k a b"], output_size: list[int] | None = None) -> Float[Tensor, "n c h w"]:
        few = pays(x.shape[2] * x.shape[3], self.weight.numel())
        if not self.training or torch._C._are_functorch_transforms_active() or not few:
            return super().forward(x, output_size)
        settings = (self.stride, self.padding, self.output_padding)
        return self.cropped(DeepTransposed.apply(_product, x, self.weight, self.bias, *settings))


class Convolved(torch.autograd.Function):
    """torch.nn.functional.conv2d."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any) -> Tensor:
        ctx.settings, ctx.bias = (stride, padding), None if bias is None else list(bias.shape)
        if not ctx.needs_input_grad[1] and weight.numel() < FOLDED:  # columns are for the weights' gradient
            ctx.save_for_backward(x, weight, None)
            return conv2d(x, weight, bias, stride, padding)
        columns = _columns(x, weight.shape[2:], stride, padding)
        ctx.save_for_backward(x, weight, columns if ctx.needs_input_grad[1] else None)
        n, a, b, _ = columns.shape
        y = torch.empty((n, len(weight), a, b), dtype=x.dtype, memory_format=torch.channels_last)
        torch.mm(columns.flatten(0, 2), _matrix(weight).t(), out=_rows(y))
        return y if bias is None else y.add_(bias.view(1, -1, 1, 1))

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, columns = ctx.saved_tensors
        stride, padding = ctx.settings
        wanted = [*ctx.needs_input_grad[:2], ctx.bias is not None and ctx.needs_input_grad[2]]
        again, whole = torch.is_grad_enabled(), weight.numel() < FOLDED  # to be differentiated again
        by_convolution = wanted if again else [wanted[0] and whole, False, False]
        in_x = in_weight = in_bias = None
        if any(by_convolution):
            in_x, in_weight, in_bias = torch.ops.aten.convolution_backward(
                *(cotangent, x, weight, ctx.bias, stride, padding, [1, 1], False, [0, 0], 1), by_convolution
            )
        if again:
            return in_x, in_weight, in_bias, None, None
        rows = _rows(cotangent)
        if wanted[0] and not whole:
            in_x = _folded(rows @ _matrix(weight), cotangent, weight, x.shape[2:], stride, padding)
        if wanted[1]:
            in_weight = _weights(rows.t() @ columns.flatten(0, 2), weight)
        if wanted[2]:
            in_bias = rows.sum(0)
        return in_x, in_weight, in_bias, None, None


class DeepTransposed(Transposed):
    """torch.nn.functional.conv_transpose2d: the other way round."""

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding, _ = ctx.settings
        if torch.is_grad_enabled():  # to be differentiated again
            return Transposed.backward(ctx, cotangent)
        of_x, of_weight, of_bias = wanted(ctx)
        rows = _columns(cotangent, weight.shape[2:], stride, padding).flatten(0, 2)
        in_x = in_weight = in_bias = None
        if of_x:
            in_x = (rows @ _matrix(weight).t()).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)
        if of_weight:
            in_weight = _weights(_rows(x).t() @ rows, weight)
        if of_bias:
            in_bias = cotangent.sum((0, 2, 3))
        return None, in_x, in_weight, in_bias, None, None, None


def _product(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any
) -> Float[Tensor, "n c h w"]:
    """A transposed convolution, as a fold where that paid."""
    if weight.numel() < FOLDED:
        return conv_transpose2d(x, weight, bias, stride, padding, output_padding)
    sides = transposed_sides(x, weight, stride, padding, output_padding)
    y = _folded(_rows(x) @ _matrix(weight), x, weight, sides, stride, padding)
    return y if bias is None else y.add_(bias.view(1, -1, 1, 1))


def _columns(x: Tensor, kernel: Any, stride: Any, padding: Any) -> Float[Tensor, "n a b m"]:
    """What the kernel sees at each place, in channels-last order: copies of whole rows of the kernel."""
    (down, across), (before, left) = stride, padding
    x = pad(x.permute(0, 2, 3, 1), (0, 0, left, left, before, before)).contiguous()
    n, height, width, channels = x.shape
    a, b = (height - kernel[0]) // down + 1, (width - kernel[1]) // across + 1
    steps = (height * width * channels, down * width * channels, across * channels, width * channels, 1)
    return x.as_strided((n, a, b, kernel[0], kernel[1] * channels), steps).flatten(3)


def _folded(
    columns: Float[Tensor, "r m"], small: Tensor, weight: Tensor, sides: Any, stride: Any, padding: Any
) -> Float[Tensor, "n c h w"]:
    """Add up where kernels overlap, a place of the kernel after the other; the image's memory is channels-last."""
    (n, _, a, b), (_, channels, height, width) = small.shape, weight.shape
    (down, across), (before, left) = stride, padding
    parts = columns.view(n, a, b, height, width, channels)
    rows, cells = (a - 1) * down, (b - 1) * across
    whole = (max(rows + height, sides[0] + before), max(cells + width, sides[1] + left))
    image = columns.new_zeros(n, *whole, channels)
    for i in range(height):
        for j in range(width):
            image[:, i : i + rows + 1 : down, j : j + cells + 1 : across].add_(parts[:, :, :, i, j])
    cut = image[:, before : before + sides[0], left : left + sides[1]].permute(0, 3, 1, 2)
    return torch.empty_like(cut, memory_format=torch.channels_last).copy_(cut)  # no view: activations work in place


def _rows(x: Float[Tensor, "n c a b"]) -> Float[Tensor, "r c"]:
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _matrix(weight: Float[Tensor, "o c a b"]) -> Float[Tensor, "o m"]:
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1)


def _weights(matrix: Float[Tensor, "o m"], like: Float[Tensor, "o c a b"]) -> Float[Tensor, "o c a b"]:
    """The opposite of `_matrix`."""
    outputs, channels, height, width = like.shape
    return matrix.view(outputs, height, width, channels).permute(0, 3, 1, 2)

"""Transposed convolutions to few channels, by faster products than oneDNN's.

oneDNN computes the channels of a result in blocks of 16, so one to a grey image does 16 times the work. To one channel,
a product of matrices whose columns are then added up where they overlap (`torch.nn.functional.fold`) takes a quarter
of the time. To 2 to 8 channels at stride s the s² phases of the result, each a convolution of its own at stride 1, are
computed as the channels of one convolution, which fill a block: half of the time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, fold, pad

from agon.networks.convolutions import transposed_sides

Product = Callable[[Tensor, Tensor, Tensor | None, Any, Any, Any], Tensor]  # arguments of conv_transpose2d
FEW, TIMES = 4, 6  # channels of an image; and how many more the other side must have, by measurements, that a fold pays
HALF = 8  # channels that fill half of a block; at most so many phases pay, from twice as many channels


class Transposed(torch.autograd.Function):
    """torch.nn.functional.conv_transpose2d, its result by another product, its derivatives by torch's own."""

    @staticmethod
    def forward(
        ctx: Any,
        product: Product,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Any,
        padding: Any,
        output_padding: Any,
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.settings, ctx.bias = (stride, padding, output_padding), None if bias is None else list(bias.shape)
        return product(x, weight, bias, stride, padding, output_padding)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding, output_padding = ctx.settings
        gradients = torch.ops.aten.convolution_backward(
            *(cotangent.contiguous(memory_format=torch.channels_last), x, weight, ctx.bias, stride, padding, [1, 1]),
            *(True, output_padding, 1, wanted(ctx)),
        )
        return (None, *gradients, None, None, None)


def wanted(ctx: Any) -> list[bool]:
    """Which of the derivatives in x, weight and bias a backward pass of `Transposed` has to compute."""
    return [*ctx.needs_input_grad[1:3], ctx.bias is not None and ctx.needs_input_grad[3]]


def product_of(few: int, many: int, stride: Sequence[int]) -> Product | None:
    """The fastest product for a transposed convolution from many to few channels; None where torch's own is."""
    if 1 < few <= HALF and many >= 2 * few and stride[0] == stride[1] > 1:
        return phased
    return folded if pays(few, many) else None


def pays(few: int, many: int) -> bool:
    """Whether a product of matrices and a fold are faster than a convolution from many to few channels."""
    return few <= FEW and many >= TIMES * few


def folded(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any
) -> Float[Tensor, "n c h w"]:
    """Each pixel of x times the kernel, added up where kernels overlap.

    The products are "n c·k·k a·b", as `fold` takes them: one product of all pixels, whose result `fold` copies into
    that order, took 0.95 to 1.2 times as long to one channel, and 2 to 3 times to three.

    Args:
        x: "n k a b".
        weight: "k c h w".
        bias: "c", or None.
        stride: pixels of the result between two of x.
        padding: pixels that are cut off at the sides.
        output_padding: pixels that are added after the last ones.
    """
    pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # n a·b k
    kernels = weight.reshape(weight.shape[0], -1).t().expand(len(x), -1, -1)
    columns = torch.bmm(kernels, pixels.transpose(1, 2))  # matmul would copy all of it, twice
    sides = transposed_sides(x, weight, stride, padding, output_padding)
    image: Tensor = fold(columns, sides, tuple(weight.shape[2:]), padding=padding, stride=stride)
    y = image.contiguous(memory_format=torch.channels_last)
    return y if bias is None else y.add_(bias.view(1, -1, 1, 1))


def phased(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any
) -> Float[Tensor, "n c h w"]:
    """One convolution to the s² phases of the result, whose pixels then interleave; arguments as of `folded`.

    With p the padding, y[s g + i - p] = Σ_t x[g - t] W[i + s t] is phase i at g.
    """
    step = stride[0]
    inputs, outputs, *sides = weight.shape
    down, across = (  # taps t of each dimension
        -(-(side + max(after - before, 0)) // step)
        for side, before, after in zip(sides, padding, output_padding, strict=True)
    )
    kernels = pad(weight, (0, across * step - sides[1], 0, down * step - sides[0]))
    kernels = kernels.view(inputs, outputs, down, step, across, step).flip(2, 4).permute(3, 5, 1, 0, 2, 4)
    kernels = kernels.reshape(-1, inputs, down, across).contiguous(memory_format=torch.channels_last)
    phases = conv2d(x, kernels, None if bias is None else bias.repeat(step**2), 1, (down - 1, across - 1))
    n, _, a, b = phases.shape
    cells = phases.permute(0, 2, 3, 1).view(n, a, b, step, step, outputs)
    image = cells.transpose(2, 3).reshape(n, a * step, b * step, outputs).permute(0, 3, 1, 2)
    height, width = transposed_sides(x, weight, stride, padding, output_padding)
    top, left = padding
    cut = image[:, :, top : top + height, left : left + width]
    return cut.detach()  # no view for autograd, as activations work in place; a copy took 1 % of a step

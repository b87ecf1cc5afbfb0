"""Transposed convolutions as products of matrices of one's own choice."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Product = Callable[[Tensor, Tensor, Tensor | None, Any, Any, Any], Tensor]  # arguments of conv_transpose2d


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

"""Convolutions to or from very few channels, such as an image's, and normalisation in channels-last memory.

oneDNN computes the channels of a result in blocks of 16, so a transposed convolution to a grey image does 16 times the
work; so does a convolution's gradient in a grey image. As a product of matrices whose columns are then added up where
they overlap (`torch.nn.functional.fold`) either takes a quarter of the time (a half with 3 channels).
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, fold, linear

from agon.networks.convolutions import Down, Up, transposed_sides
from agon.networks.fused.transposed import Transposed

FEW, TIMES = 4, 6  # channels of an image; and how many more the other side must have, by measurements, that it pays


class FusedUp(Up):
    """A transposed convolution to few channels."""

    @staticmethod
    def fits(layer: Up) -> bool:
        """Whether it pays."""
        return pays(layer.out_channels, layer.in_channels)

    def forward(self, x: Float[Tensor, "n k a b"], output_size: list[int] | None = None) -> Float[Tensor, "n c h w"]:
        if not self.training or torch._C._are_functorch_transforms_active():
            return super().forward(x, output_size)
        settings = (self.stride, self.padding, self.output_padding)
        return self.cropped(Transposed.apply(folded, x, self.weight, self.bias, *settings))


class FusedDown(Down):
    """A convolution from few channels, or at stride 1 to few channels."""

    @staticmethod
    def fits(layer: Down) -> bool:
        """Whether it pays."""
        few, many = sorted((layer.in_channels, layer.out_channels))
        return pays(few, many) and (layer.in_channels == few or layer.stride == (1, 1))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k a b"]:
        if not self.training or torch._C._are_functorch_transforms_active():
            return super().forward(x)
        if self.in_channels > self.out_channels:  # its adjoint's adjoint
            kernel, rest = self.weight.transpose(0, 1).flip(2, 3), [k - 1 - p for k, p in self._kernels]
            return Transposed.apply(folded, x, kernel, self.bias, self.stride, rest, (0, 0))  # type: ignore[no-any-return]
        if not x.requires_grad:
            return super().forward(x)
        return Convolved.apply(self.padded(x), self.weight, self.bias, self.stride, self.padding)  # type: ignore[no-any-return]

    @property
    def _kernels(self) -> Iterator[tuple[int, int]]:
        """(side, zeros before) of each dimension."""
        return zip(self.weight.shape[2:], self.padding, strict=True)  # type: ignore[arg-type]


class FusedPointwise(nn.Conv2d):
    """A convolution of one pixel as a product of matrices."""

    @staticmethod
    def fits(layer: nn.Conv2d) -> bool:
        """Whether it is one."""
        plain = layer.kernel_size == (1, 1) and layer.stride == (1, 1) and layer.groups == 1
        return plain and layer.padding == (0, 0)

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:  # noqa: A002 - torch's name
        if not self.training:
            return super().forward(input)
        return linear(input.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class ChannelsLastNorm(nn.BatchNorm2d):
    """Batch normalisation of channels-last tensors, which it makes of others.

    After a linear layer and a reshape memory is in the other order; then this layer, the activation and both
    their backward passes met tensors in two orders, which made them 4 to 20 times as slow.
    """

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:  # noqa: A002 - torch's name
        plain = not self.training or torch._C._are_functorch_transforms_active()
        return super().forward(input if plain else input.contiguous(memory_format=torch.channels_last))


class Convolved(torch.autograd.Function):
    """torch.nn.functional.conv2d, whose gradient in the input has few channels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.settings, ctx.bias = (stride, padding), None if bias is None else list(bias.shape)
        return conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding = ctx.settings
        of_x, of_weight, of_bias = ctx.needs_input_grad[:3]
        of_bias = of_bias and ctx.bias is not None
        in_x = in_weight = in_bias = None
        if of_weight or of_bias:
            _, in_weight, in_bias = torch.ops.aten.convolution_backward(
                *(cotangent, x, weight, ctx.bias, stride, padding, [1, 1], False, [0, 0], 1),
                [False, of_weight, of_bias],
            )
        if of_x:
            rest = [
                side + 2 * before - kernel - step * (small - 1)
                for side, before, kernel, step, small in zip(
                    x.shape[2:], padding, weight.shape[2:], stride, cotangent.shape[2:], strict=True
                )
            ]  # pixels at the end that no kernel reaches
            in_x = Transposed.apply(folded, cotangent, weight, None, stride, padding, rest)
        return in_x, in_weight, in_bias, None, None


def pays(few: int, many: int) -> bool:
    """Whether a product of matrices and a fold are faster than a convolution from many to few channels."""
    return few <= FEW and many >= TIMES * few


def folded(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any
) -> Float[Tensor, "n c h w"]:
    """A transposed convolution to few channels: each pixel of x times the kernel, added up where kernels overlap.

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

"""Convolutions to or from few channels, such as an image's, and normalisation in channels-last memory.

oneDNN computes the channels of a result in blocks of 16, so a transposed convolution to a grey image does 16 times the
work; so does a convolution's gradient in a grey image. `fused.transposed` has products that do less.
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from agon.networks.convolutions import Down, Up
from agon.networks.fused.transposed import Transposed, folded, pays, product_of


class FusedUp(Up):
    """A transposed convolution to few channels."""

    @staticmethod
    def fits(layer: Up) -> bool:
        """Whether it pays."""
        return product_of(layer.out_channels, layer.in_channels, layer.stride) is not None

    def forward(self, x: Float[Tensor, "n k a b"], output_size: list[int] | None = None) -> Float[Tensor, "n c h w"]:
        if not self.training or torch._C._are_functorch_transforms_active():
            return super().forward(x, output_size)
        product = product_of(self.out_channels, self.in_channels, self.stride)
        settings = (self.stride, self.padding, self.output_padding)
        return self.cropped(Transposed.apply(product, x, self.weight, self.bias, *settings))


class FusedDown(Down):
    """A convolution from few channels, or at stride 1 to few channels."""

    @staticmethod
    def fits(layer: Down) -> bool:
        """Whether it pays."""
        inputs, outputs = layer.in_channels, layer.out_channels
        if inputs > outputs:
            return layer.stride == (1, 1) and pays(outputs, inputs)
        return product_of(inputs, outputs, layer.stride) is not None

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
    """Batch normalisation of channels-last tensors, which it makes of others, by torch's kernel alone.

    After a linear layer and a reshape memory is in the other order; then this layer, the activation and both
    their backward passes met tensors in two orders, which made them 4 to 20 times as slow. And torch's function chooses
    between libraries, for which it makes an empty tensor in each pass: 1 % of a step of residual networks.
    """

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:  # noqa: A002 - torch's name
        if not self.training or torch._C._are_functorch_transforms_active():
            return super().forward(input)
        x = input.contiguous(memory_format=torch.channels_last)
        if self.momentum is None or x.numel() < 2 * x.shape[1]:  # a mean over all passes, or refused
            return super().forward(x)
        mean = variance = None
        if self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            mean, variance = self.running_mean, self.running_var
        settings = (mean, variance, True, self.momentum, self.eps)
        return torch.native_batch_norm(x, self.weight, self.bias, *settings)[0]


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
            product = product_of(weight.shape[1], weight.shape[0], stride)
            in_x = Transposed.apply(product, cotangent, weight, None, stride, padding, rest)
        return in_x, in_weight, in_bias, None, None

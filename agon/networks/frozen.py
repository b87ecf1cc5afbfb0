"""A DCGAN generator whose weights are constants: its samples, and their derivative by the latents alone.

Batch normalisation is part of the weights, hidden transposed convolutions are Winograd's, and memory is "h w n c",
pixels first, from the projection to the image.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm

from agon.networks import dcgan
from agon.networks.convolutions import Up
from agon.networks.winograd import Doubling, products

KERNEL = 4
LARGEST = 10**8  # numbers that the hidden convolutions' weights become at most; a DCGAN of 64x64 pixels has 76 million


@runtime_checkable
class Stage(Protocol):
    """An affine function with constant weights, and the product of a vector with its derivative."""

    def forward(self, x: Tensor) -> Tensor: ...

    def backward(self, cotangent: Tensor) -> Tensor: ...


class Frozen:
    """Compute a generator's samples as it does, to rounding; its parameters get no gradients.

    Later changes of the generator's weights have no effect.

    Args:
        generator: one that `fits`.
    """

    def __init__(self, generator: dcgan.Generator) -> None:
        self.squash = generator.layers[-1]
        self.stages = list(_stages(generator))

    @staticmethod
    def fits(generator: nn.Module) -> bool:
        """Whether it is a DCGAN with kernel 4 in evaluation mode, on a CPU, in float32 or float64, without hooks."""
        if type(generator) is not dcgan.Generator or any(up.kernel_size[0] != KERNEL for up in _ups(generator)):
            return False
        layers, parameters = list(generator.modules()), list(generator.parameters())
        plain = not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
        still = not any(layer.training for layer in layers if isinstance(layer, _BatchNorm))
        exact = all(each.device.type == "cpu" and each.dtype in (torch.float32, torch.float64) for each in parameters)
        return plain and still and exact and _numbers(generator) <= LARGEST

    def __call__(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        """Compute samples."""
        samples: Tensor = self.squash(_Samples.apply(latent, self.stages))
        return samples


class _Samples(torch.autograd.Function):
    """The stages with ReLUs between them."""

    @staticmethod
    def forward(ctx: Any, x: Float[Tensor, "n k"], stages: list[Stage]) -> Float[Tensor, "n c h w"]:
        hidden = []
        for stage in stages[:-1]:
            x = stage.forward(x).relu_()
            hidden.append(x)
        ctx.stages = stages
        ctx.save_for_backward(*hidden)
        return stages[-1].forward(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n k"], None]:
        *stages, last = ctx.stages
        cotangent = last.backward(cotangent)
        for stage, x in zip(reversed(stages), reversed(ctx.saved_tensors), strict=True):
            torch.ops.aten.threshold_backward.grad_input(cotangent, x, 0, grad_input=cotangent)
            cotangent = stage.backward(cotangent)
        return cotangent, None


def _stages(generator: dcgan.Generator) -> Iterator[Stage]:
    *hidden, last = _ups(generator)
    found = [layer for layer in generator.modules() if isinstance(layer, _BatchNorm)]
    norms: Sequence[_BatchNorm | None] = found or [None] * (1 + len(hidden))
    yield _Projection(generator.project, norms[0], generator.first)
    sides = generator.first[1:]
    for up, norm in zip(hidden, norms[1:], strict=True):
        scale, shift = _affine(norm, up.bias, up.weight.new_ones(up.outputs))
        yield Doubling(up.weight.detach() * scale[:, None, None], shift, sides, up.sides)
        sides = up.sides
    yield _Image(last)


def _ups(generator: dcgan.Generator) -> list[Up]:
    return [layer for layer in generator.layers if isinstance(layer, Up)]


def _numbers(generator: dcgan.Generator) -> int:
    """How many numbers the weights of the hidden convolutions become."""
    *hidden, _ = _ups(generator)
    sides = [generator.first[1:], *(up.sides for up in hidden[:-1])]
    return sum(products(side) * 8 * up.in_channels * up.outputs for side, up in zip(sides, hidden, strict=False))


@torch.no_grad()
def _affine(norm: _BatchNorm | None, bias: Tensor | None, ones: Float[Tensor, " o"]) -> tuple[Tensor, Tensor]:
    """The factor and the summand of each channel: normalisation(x + bias) = scale x + shift."""
    shift = torch.zeros_like(ones) if bias is None else bias.detach()
    if norm is None:
        return ones, shift
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return scale, norm.bias + scale * (shift - norm.running_mean)


class _Projection:
    """Latents "n k" -> "h w n c"."""

    def __init__(self, linear: nn.Linear, norm: _BatchNorm | None, to: tuple[int, int, int]) -> None:
        channels, *self.sides = to
        weight = linear.weight.detach().view(channels, -1, linear.in_features).transpose(0, 1)  # s c k
        bias = None if linear.bias is None else linear.bias.detach().view(channels, -1).t()
        scale, shift = _affine(norm, bias, weight.new_ones(channels))
        self.weight, self.shift = (weight * scale[:, None]).contiguous(), shift.view(-1, 1, channels)

    def forward(self, x: Tensor) -> Tensor:
        pixels, channels, _ = self.weight.shape
        y = torch.bmm(x.expand(pixels, -1, -1), self.weight.transpose(1, 2)).add_(self.shift)
        return y.view(*self.sides, -1, channels)

    def backward(self, cotangent: Tensor) -> Tensor:
        return cotangent.flatten(0, 1).transpose(0, 1).flatten(1) @ self.weight.flatten(0, 1)


class _Image:
    """The last transposed convolution, "a b n c" -> "n k h w": pixels times the kernel, added up where they meet."""

    def __init__(self, up: Up) -> None:
        self.kernels = up.weight.detach().flatten(1).t().contiguous()
        self.outputs, self.sides = up.outputs, up.sides
        self.bias = None if up.bias is None else up.bias.detach().view(-1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a, b, n, channels = x.shape
        parts = (self.kernels @ x.view(-1, channels).t()).view(self.outputs, KERNEL, KERNEL, a, b, n)
        image = x.new_zeros(self.outputs, 2 * a + 2, 2 * b + 2, n)
        for i in range(KERNEL):
            for j in range(KERNEL):
                image[:, i : i + 2 * a : 2, j : j + 2 * b : 2] += parts[:, i, j]
        samples = self._cut(image).permute(3, 0, 1, 2)
        return samples.contiguous() if self.bias is None else samples.contiguous().add_(self.bias)

    def backward(self, cotangent: Tensor) -> Tensor:
        n, _, height, width = cotangent.shape
        a, b = -(-height // 2), -(-width // 2)
        image = cotangent.new_zeros(self.outputs, 2 * a + 2, 2 * b + 2, n)
        self._cut(image).copy_(cotangent.permute(1, 2, 3, 0))
        windows = image.unfold(1, KERNEL, 2).unfold(2, KERNEL, 2)  # k a b n 4 4
        parts = windows.permute(0, 4, 5, 1, 2, 3).reshape(len(self.kernels), -1)
        return (parts.t() @ self.kernels).view(a, b, n, -1)

    def _cut(self, image: Tensor) -> Tensor:
        height, width = self.sides
        return image[:, 1 : 1 + height, 1 : 1 + width]

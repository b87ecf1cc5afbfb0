"""GRAN's encoder, whose gradient stays in channels-last memory."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import relu

from agon.networks import gran


class FusedEncoder(gran.Encoder):
    """ΔC -> h_c; the last activation gets its gradient in the memory order in which it is."""

    def forward(self, increment: Float[Tensor, "n c h w"], step: int) -> Float[Tensor, "n m"]:
        if not self.training or torch._C._are_functorch_transforms_active():
            return super().forward(increment, step)
        x = increment
        for down, norm in zip(self.downs, self.norms, strict=True):
            x = relu(norm(down(x), step), inplace=True)
        return torch.tanh(self.norm(self.top(Flattened.apply(x)), step))


class Flattened(torch.autograd.Function):
    """x.flatten(1), "n c·h·w", whose gradient is in channels-last memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        return x.flatten(1)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Tensor:
        return cotangent.reshape(ctx.shape).contiguous(memory_format=torch.channels_last)

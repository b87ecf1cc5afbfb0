"""ReLUs for second derivatives: piecewise linear, so that their slope's own derivative is 0 and need not be added.

torch's rule for the derivative of a ReLU's derivative makes a tensor of zeros for every layer and adds it to what
flows back: in an unrolled step on points that was a twentieth of the time.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LinearReLU(nn.ReLU):
    """max(0, x)."""

    def forward(self, input: Float[Tensor, "..."]) -> Float[Tensor, "..."]:  # noqa: A002 - torch's name
        return _activated(self, input, 0.0)


class LinearLeakyReLU(nn.LeakyReLU):
    """x above 0, and slope · x below."""

    def forward(self, input: Float[Tensor, "..."]) -> Float[Tensor, "..."]:  # noqa: A002 - torch's name
        return _activated(self, input, self.negative_slope)


def linearise(module: nn.Module) -> nn.Module:
    """Exchange a module's ReLUs, in place, by those of this file, and return it."""
    kinds = {nn.ReLU: LinearReLU, nn.LeakyReLU: LinearLeakyReLU}
    for layer in module.modules():
        layer.__class__ = kinds.get(type(layer), type(layer))
    return module


def _activated(layer: nn.ReLU | nn.LeakyReLU, x: Tensor, slope: float) -> Tensor:
    if torch._C._are_functorch_transforms_active() or slope < 0:
        return nn.ReLU.forward(layer, x) if isinstance(layer, nn.ReLU) else nn.LeakyReLU.forward(layer, x)
    return _Activated.apply(x, slope, layer.inplace and x.requires_grad and not x.is_leaf)  # type: ignore[no-any-return]


class _Activated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float, inplace: bool) -> Tensor:
        if inplace:
            ctx.mark_dirty(x)
            y = torch.nn.functional.leaky_relu_(x, slope) if slope else x.relu_()
        else:
            y = torch.nn.functional.leaky_relu(x, slope) if slope else x.relu()
        ctx.slope = slope
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        y = ctx.saved_tensors[0].detach()
        if not ctx.slope:
            return torch.ops.aten.threshold_backward(cotangent, y, 0), None, None
        return torch.ops.aten.leaky_relu_backward(cotangent, y, ctx.slope, True), None, None

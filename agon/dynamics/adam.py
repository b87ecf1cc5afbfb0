"""One step of Adam as one operation, with its derivative written out.

An unroll differentiates through K steps. By autograd each is some 25 operations, and 35 more backwards, on vectors so
short that an operation costs its launch; here it is 8 and 15.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from agon.networks.layers import root


class Settings(NamedTuple):
    """Adam's settings at one step.

    Attributes:
        size: lr / (1 - β1ᵗ).
        correction: √(1 - β2ᵗ).
        betas: β1, β2.
        eps: ε.
    """

    size: float
    correction: float
    betas: tuple[float, float]
    eps: float


def step_of(
    parameter: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, by: Settings
) -> tuple[Tensor, Tensor, Tensor]:
    """θ' = θ - s m' / (√v' / c + ε) with m' = m + (1 - β1)(g - m), v' = β2 v + (1 - β2) g², size s and correction c.

    The root's derivative at v' = 0 is 0, as that of `layers.root`.

    Returns:
        θ', m' and v'.
    """
    if torch._C._are_functorch_transforms_active():
        return _plain(parameter, gradient, mean, square, by)
    after: tuple[Tensor, Tensor, Tensor] = _Step.apply(parameter, gradient, mean, square, by)
    return after


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, parameter: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, by: Settings
    ) -> tuple[Tensor, Tensor, Tensor]:
        first, second = by.betas
        mean_after = torch.lerp(mean, gradient, 1 - first)
        square_after = (square * second).addcmul_(gradient, gradient, value=1 - second)
        deviation = square_after.sqrt()
        denominator = (deviation / by.correction).add_(by.eps)
        ctx.by = by
        ctx.save_for_backward(parameter, gradient, mean, square, mean_after, deviation, denominator)
        return torch.addcdiv(parameter, mean_after, denominator, value=-by.size), mean_after, square_after

    @staticmethod
    def backward(ctx: Any, in_parameter: Tensor, in_mean: Tensor, in_square: Tensor) -> tuple[Tensor | None, ...]:
        parameter, gradient, mean, square, mean_after, deviation, denominator = ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated again
            inputs = (parameter, gradient, mean, square)
            wanted = [tensor for tensor in inputs if tensor.requires_grad]
            after, cotangents = _plain(*inputs, ctx.by), (in_parameter, in_mean, in_square)
            found = iter(torch.autograd.grad(after, wanted, cotangents, create_graph=True))
            return (*(next(found) if tensor.requires_grad else None for tensor in inputs), None)
        first, second = ctx.by.betas
        through = (in_parameter / denominator).mul_(-ctx.by.size)  # in m', by θ'
        in_root = (through * mean_after).div_(denominator).mul_(-0.5 / ctx.by.correction)  # in √v', times √v' dv'/d√v'
        in_square = in_square + in_root.div_(deviation).masked_fill_(deviation == 0, 0.0)
        in_mean = through.add_(in_mean)
        in_gradient = (in_mean * (1 - first)).addcmul_(gradient, in_square, value=2 * (1 - second))
        return in_parameter, in_gradient, in_mean * first, in_square * second, None


def _plain(
    parameter: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, by: Settings
) -> tuple[Tensor, Tensor, Tensor]:
    """The same by operations that autograd knows, and can differentiate any number of times."""
    first, second = by.betas
    mean = torch.lerp(mean, gradient, 1 - first)
    square = second * square + (1 - second) * gradient.square()
    return parameter - by.size * mean / (root(square) / by.correction + by.eps), mean, square

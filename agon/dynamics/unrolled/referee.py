"""The referee of an unrolled gradient: f_K by real steps of torch.optim, and its finite differences.

It uses nothing of the look-ahead. The critic itself makes the steps, not a copy, so that every way in which it
reaches its weights counts; afterwards everything is restored bit for bit.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.networks.layers import seed_global_streams

LossOf = Callable[[nn.Module], Tensor]  # a module -> a scalar ()

WIDTHS = tuple(10.0**-k for k in range(1, 8))  # of the differences, relative to the parameters' norm


class Slope(NamedTuple):
    """f_K's derivative in a direction, and how much it depends on the width of the differences."""

    value: float
    uncertainty: float


class Referee:
    """f_K as a function of the generator's parameters.

    Args:
        critic: makes the steps, and is restored.
        optimiser: the critic's; a copy of it makes the steps.
        inner: the loss that the critic minimises.
        outer: f.
        steps: K.
        parameters: the generator's; moved by small differences, and restored.
    """

    def __init__(
        self,
        critic: nn.Module,
        optimiser: torch.optim.Optimizer,
        inner: LossOf,
        outer: LossOf,
        steps: int,
        parameters: Sequence[Float[Tensor, "..."]],
    ) -> None:
        self._critic, self._optimiser, self._parameters = critic, optimiser, parameters
        self._inner, self._outer, self._steps = inner, outer, steps

    def value(self, seed: int = 0) -> Float[Tensor, ""]:
        """f_K, a scalar (), with torch's global random stream seeded."""
        with same_draws(seed), self._stepped(self._steps):
            return self._outer(self._critic).detach()

    def first_order(self, steps: int) -> list[Float[Tensor, "..."] | None]:
        """The first term of metz2017's equation 12 alone: the derivative at the critic after some steps.

        One gradient in the shape of each parameter; None if the loss does not depend on it.
        """
        with same_draws(), self._stepped(steps):
            return list(torch.autograd.grad(self._outer(self._critic), self._parameters, allow_unused=True))

    def slope(self, direction: Float[Tensor, " p"]) -> Slope:
        """The derivative in a direction "p" of all parameters, by central differences of the most stable width."""
        pairs = pairwise(list(self._slopes(direction)))
        slopes = (Slope(b.value, abs(b.value - a.value) + b.uncertainty) for a, b in pairs)
        return min(slopes, key=lambda slope: slope.uncertainty)

    def _slopes(self, direction: Tensor) -> Iterator[Slope]:
        """Slopes of ever smaller width; the uncertainty of each is that of f_K's rounding."""
        before = [p.detach().clone() for p in self._parameters]
        size = float(torch.cat([p.flatten() for p in before]).norm()) or 1.0
        try:
            for width in (size * relative for relative in WIDTHS):
                ends = []
                for sign in (1, -1):
                    _shift(self._parameters, before, sign * width * direction)
                    ends.append(self.value())
                yield Slope(float(ends[0].double() - ends[1].double()) / (2 * width), rounding(ends[0]) / (2 * width))
        finally:
            _shift(self._parameters, before, torch.zeros_like(direction))

    @contextmanager
    def _stepped(self, steps: int) -> Iterator[None]:
        """Within the context, the critic has made real steps; afterwards it is restored."""
        with _restored(self._critic, self._optimiser):
            optimiser = _copy_for_same_parameters(self._optimiser)
            free = [p for p in self._critic.parameters() if p.requires_grad]
            for _ in range(steps):
                gradients = torch.autograd.grad(self._inner(self._critic), free, allow_unused=True)
                for parameter, gradient in zip(free, gradients, strict=True):
                    parameter.grad = gradient
                optimiser.step()
            yield


def rounding(value: Float[Tensor, "..."]) -> float:
    """The distance between neighbouring numbers of the size and precision of a scalar ()."""
    return float(value.abs()) * torch.finfo(value.dtype).eps


@contextmanager
def same_draws(seed: int = 0) -> Iterator[None]:
    """Seed torch's global stream, so that layers draw the same numbers in each such context."""
    with torch.random.fork_rng():
        seed_global_streams(seed)
        yield


def _copy_for_same_parameters(optimiser: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """A copy with the current settings and moments, which moves the same parameters."""
    other = copy.copy(optimiser)
    other.param_groups = [dict(group) for group in optimiser.param_groups]
    other.state = copy.copy(optimiser.state)
    for parameter, state in optimiser.state.items():
        other.state[parameter] = {n: v.clone() if isinstance(v, Tensor) else v for n, v in state.items()}
    return other


@contextmanager
def _restored(critic: nn.Module, optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Restore the critic's tensors and attributes, and everything else that the optimiser moves, at the end."""
    moved = [p for group in optimiser.param_groups for p in group["params"]]
    tensors = {id(t): t for t in (*critic.parameters(), *critic.buffers(), *moved)}
    values = [(t, t.detach().clone(), t.grad) for t in tensors.values()]
    modules = [(m, vars(m).copy(), m._buffers.copy()) for m in critic.modules()]
    try:
        yield
    finally:
        for module, attributes, buffers in modules:
            vars(module).clear()
            vars(module).update(attributes)
            module._buffers.update(buffers)
        for tensor, value, gradient in values:
            tensor.data.copy_(value)  # hidden from autograd: a loss still to be differentiated stays valid
            tensor.grad = gradient


@torch.no_grad()
def _shift(parameters: Iterable[Tensor], before: Sequence[Tensor], by: Tensor) -> None:
    for p, value, part in zip(parameters, before, torch.split(by, [v.numel() for v in before]), strict=True):
        p.data.copy_(value + part.view_as(p))

"""Is a gradient the true unrolled one? Finite differences decide, made with torch's own optimiser."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from agon.dynamics.unrolled_loss import LossOf, unrolled_loss
from agon.errors import SettingError

WIDTHS = tuple(10.0**-k for k in range(1, 8))  # of the differences, relative to the parameters' norm
CLOSE = 0.05  # two gradients are called equal if their distance is a smaller part of the true one
SENTENCES = {
    "unrolled": "this is the true unrolled gradient",
    "first-order": "this is a first-order look-alike: the critic's reaction is missing from it",
    "neither": "this is neither the unrolled nor the first-order gradient",
    "undecided": "finite differences cannot tell the unrolled from the first-order gradient here; try float64",
}


@dataclass(frozen=True)
class Verdict:
    """What `check_unrolling` has found: true if the gradient is unrolled; printed, it is a sentence.

    Attributes:
        kind: "undecided" where finite differences are too inexact, or where both gradients agree.
        off: distance of the checked gradient from the true one, relative to the true one's norm.
        first_order_off: the same of the first-order gradient: how much the reaction matters.
        slope: of f_K along the difference of the two, by finite differences.
        uncertainty: of that: how much it depends on the differences' width.
        expected: the same slope by the true gradient.
        steps: K.
    """

    kind: Literal["unrolled", "first-order", "neither", "undecided"]
    off: float
    first_order_off: float
    slope: float
    uncertainty: float
    expected: float
    steps: int

    def __bool__(self) -> bool:
        return self.kind == "unrolled"

    def __str__(self) -> str:
        return (
            f"{SENTENCES[self.kind]} ({self.steps} steps; off by {self.off:.2%}, a first-order gradient is off by "
            f"{self.first_order_off:.2%}; slope by finite differences {self.slope:.6g} ± {self.uncertainty:.2g}, "
            f"by the unrolled gradient {self.expected:.6g})"
        )


def check_unrolling(
    critic: nn.Module,
    critic_optimiser: torch.optim.Optimizer,
    *,
    inner: LossOf,
    outer: LossOf,
    steps: int,
    parameters: Iterable[Tensor],
    gradient: Sequence[Tensor | None] | None = None,
) -> Verdict:
    """Say whether a gradient of the generator is that of the surrogate loss, or a first-order look-alike.

    The referee is f_K itself: for each difference the critic and its optimiser are copied and the copy
    takes K real steps of torch.optim, so that nothing of agon's look-ahead is in the judgement.

    Args:
        critic: as in `unrolled_loss`; not changed.
        critic_optimiser: the critic's own, of any kind that `unrolled_loss` takes; not changed.
        inner: the critic's loss. Like `outer` it must make its samples from the generator anew at each
            call, from the same latents and the same real batch.
        outer: the generator's loss.
        steps: K, from 1.
        parameters: the generator's; moved by small differences, and put back bit for bit.
        gradient: what is checked, one for each parameter; None takes their `.grad`, as one's own step
            has left it.

    Raises:
        SettingError: no steps, or no gradient to check.

    >>> generator, critic = nn.Linear(1, 2).double(), nn.Linear(2, 1).double()
    >>> optimiser = torch.optim.SGD(critic.parameters(), lr=0.1)
    >>> ones = torch.ones(4, 1).double()
    >>> losses = {"inner": lambda c: c(generator(ones)).square().mean(), "outer": lambda c: -c(generator(ones)).mean()}
    >>> unrolled_loss(critic, optimiser, **losses, steps=3).backward()
    >>> check_unrolling(critic, optimiser, **losses, steps=3, parameters=generator.parameters()).kind
    'unrolled'
    """
    own = [p for p in parameters if p.requires_grad]
    given = [p.grad for p in own] if gradient is None else list(gradient)
    if steps < 1 or len(given) != len(own) or all(g is None for g in given):
        raise SettingError(
            f"check_unrolling: expected steps from 1 and a gradient for each of {len(own)} free parameters, got "
            f"{steps} steps and {sum(g is not None for g in given)} gradients; call backward() first, or hand them in"
        )
    surrogate = _Surrogate(critic, critic_optimiser, inner, outer, steps)
    checked, true, first_order = (_flat(g, own) for g in (given, surrogate.gradient(own), surrogate.first_order(own)))
    direction = _unit(true - first_order)
    slope, uncertainty = _steadiest(_slopes(surrogate, own, direction))
    expected = float(true @ direction)
    off, first_order_off = (float((g - true).norm() / true.norm()) for g in (checked, first_order))
    told = abs(slope - expected) + uncertainty < abs(slope - float(first_order @ direction)) / 4
    kind = _kind(off, float((checked - first_order).norm() / first_order.norm())) if told else "undecided"
    return Verdict(kind, off, first_order_off, slope, uncertainty, expected, steps)


class _Surrogate:
    """f_K by K real steps of a copy of the critic, and its gradient."""

    def __init__(
        self, critic: nn.Module, optimiser: torch.optim.Optimizer, inner: LossOf, outer: LossOf, steps: int
    ) -> None:
        self._critic, self._optimiser, self._inner, self._outer, self._steps = critic, optimiser, inner, outer, steps

    def gradient(self, own: list[Tensor]) -> tuple[Tensor | None, ...]:
        with _same_draws():
            loss = unrolled_loss(self._critic, self._optimiser, inner=self._inner, outer=self._outer, steps=self._steps)
        return torch.autograd.grad(loss, own, allow_unused=True)

    def first_order(self, own: list[Tensor]) -> tuple[Tensor | None, ...]:
        """The first term of metz2017's equation 12 alone."""
        return torch.autograd.grad(self._outcome(), own, allow_unused=True)

    def value(self) -> float:
        return float(self._outcome().detach())

    def _outcome(self) -> Tensor:
        critic, optimiser = copy.deepcopy((self._critic, self._optimiser))
        free = [p for p in critic.parameters() if p.requires_grad]
        with _same_draws():
            for _ in range(self._steps):
                for p, g in zip(free, torch.autograd.grad(self._inner(critic), free, allow_unused=True), strict=True):
                    p.grad = g
                optimiser.step()
            return self._outer(critic)


@contextmanager
def _same_draws() -> Iterator[None]:
    """Within it, layers that draw from torch's global stream draw the same at each call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _slopes(surrogate: _Surrogate, own: list[Tensor], direction: Tensor) -> Iterator[float]:
    """Central differences of ever smaller width."""
    before = [p.detach().clone() for p in own]
    size = float(torch.cat([p.flatten() for p in before]).norm()) or 1.0
    try:
        for width in (size * each for each in WIDTHS):
            ends = []
            for sign in (1, -1):
                _shift(own, before, sign * width * direction)
                ends.append(surrogate.value())
            yield (ends[0] - ends[1]) / (2 * width)
    finally:
        _shift(own, before, torch.zeros_like(direction))


@torch.no_grad()
def _shift(own: list[Tensor], before: list[Tensor], by: Tensor) -> None:
    for p, value, part in zip(own, before, torch.split(by, [p.numel() for p in own]), strict=True):
        p.data.copy_(value + part.view_as(p))  # unseen by autograd: a loss still to be differentiated stays valid


def _steadiest(slopes: Iterable[float]) -> tuple[float, float]:
    """The slope that changes least as the width does, and by how much it still changes."""
    return min(((b, abs(b - a)) for a, b in pairwise(slopes)), key=lambda found: found[1])


def _kind(off: float, off_first_order: float) -> Literal["unrolled", "first-order", "neither"]:
    if off < min(CLOSE, off_first_order):
        return "unrolled"
    return "first-order" if off_first_order < CLOSE else "neither"


def _flat(gradients: Sequence[Tensor | None], own: list[Tensor]) -> Tensor:
    parts = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, own, strict=True)]
    return torch.cat([part.detach().flatten() for part in parts])


def _unit(direction: Tensor) -> Tensor:
    unit: Tensor = direction / direction.norm().clamp_min(torch.finfo(direction.dtype).tiny)
    return unit

"""Check whether a gradient is the true unrolled one, by finite differences with torch's own optimiser."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.dynamics.unrolled.loss import unrolled_loss
from agon.dynamics.unrolled.referee import LossOf, Referee, Slope, rounding, same_draws
from agon.errors import SettingError

GradientKind = Literal["unrolled", "first-order", "not unrolled", "neither", "detached", "random", "undecided"]

CLOSE = 0.05  # two gradients count as equal below this relative distance
RANDOM = 2  # directions that are independent of the gradients
WHOLE = 24  # up to this many parameters, each of them is a direction
SENTENCES: dict[GradientKind, str] = {
    "unrolled": "this is the true unrolled gradient",
    "first-order": "this is a first-order look-alike: the critic's reaction is missing from it",
    "not unrolled": "this is not unrolled at all: it is the gradient at the present critic, of 0 steps",
    "neither": "this is neither the unrolled nor the first-order gradient",
    "detached": "this is the unrolled gradient as autograd sees the losses, and not the whole derivative: they depend "
    "on weights or samples by a detach, a no_grad or an estimate that no derivative goes through",
    "random": "no gradient can be checked against losses that draw random numbers: with the same weights they differ "
    "from call to call; hand in losses of one fixed batch, without dropout (eval mode) or noise",
    "undecided": "finite differences are too inexact here to tell; try float64",
}


@dataclass(frozen=True)
class Verdict:
    """The result of `check_unrolling`: true if the gradient is unrolled; printed, it is a sentence.

    Attributes:
        kind: what the gradient is; "undecided" only if finite differences are too inexact to tell.
        off: distance of the checked gradient from the true one, relative to the true one's norm. The true one
            is the unrolled gradient if finite differences confirm it, else the differences themselves.
        first_order_off: the same distance for the first-order gradient: how much the reaction matters.
        slope: derivative of f_K along the unrolled minus the first-order gradient, by finite differences.
        uncertainty: how much `slope` depends on the width of the differences.
        expected: the same slope by the unrolled gradient, or by the checked one if there is none.
        steps: K.
        refusal: why there is no unrolled gradient to compare with; empty if there is one.
    """

    kind: GradientKind
    off: float
    first_order_off: float
    slope: float
    uncertainty: float
    expected: float
    steps: int
    refusal: str = ""

    def __bool__(self) -> bool:
        return self.kind == "unrolled"

    def __str__(self) -> str:
        numbers = (
            f"{self.steps} steps; off by {self.off:.2%}, a first-order gradient is off by {self.first_order_off:.2%}; "
            f"slope by finite differences {self.slope:.6g} ± {self.uncertainty:.2g}, "
            f"by the {'checked' if self.refusal else 'unrolled'} gradient {self.expected:.6g}"
        )
        return f"{SENTENCES[self.kind]} ({numbers})" + (f"; {self.refusal}" if self.refusal else "")


def check_unrolling(
    critic: nn.Module,
    critic_optimiser: torch.optim.Optimizer,
    *,
    inner: LossOf,
    outer: LossOf,
    steps: int,
    parameters: Iterable[Float[Tensor, "..."]],
    gradient: Sequence[Float[Tensor, "..."] | None] | None = None,
) -> Verdict:
    """Check whether a gradient of the generator is that of the surrogate loss, and say what it is if not.

    The reference is f_K itself: for each difference the critic takes K real steps of torch.optim and is restored
    bit for bit, so that the reference does not use agon's look-ahead.

    Args:
        critic: as in `unrolled_loss`; restored afterwards.
        critic_optimiser: the critic's own optimiser, as in `unrolled_loss`; not changed.
        inner: the critic's loss, a scalar (). Like `outer`, it must generate its samples at each call, from the
            same latents, and use the same real batch.
        outer: the generator's loss, a scalar ().
        steps: K, from 1.
        parameters: the generator's parameters; moved by small differences, and restored bit for bit.
        gradient: the gradient to check, a tensor in the shape of each parameter; by default their `.grad`, as your
            own training step left it.

    Returns:
        What the gradient is, with its distances from the true one; true if the gradient is unrolled.

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
    free = [p for p in parameters if p.requires_grad]
    given = [p.grad for p in free] if gradient is None else list(gradient)
    if steps < 1 or len(given) != len(free) or all(g is None for g in given):
        raise SettingError(
            f"check_unrolling: expected steps from 1 and a gradient for each of {len(free)} free parameters, got "
            f"{steps} steps and {sum(g is not None for g in given)} gradients; call backward() first, or hand them in"
        )
    referee = Referee(critic, critic_optimiser, inner, outer, steps, free)
    gradients = {
        "checked": _flat(given, free),
        "first-order": _flat(referee.first_order(steps), free),
        "not unrolled": _flat(referee.first_order(0), free),
    }
    refusal = ""
    try:
        with same_draws():
            loss = unrolled_loss(critic, critic_optimiser, inner=inner, outer=outer, steps=steps)
        gradients["unrolled"] = _flat(torch.autograd.grad(loss, free, allow_unused=True), free)
    except SettingError as refused:
        refusal = str(refused)
    directions = _directions(gradients)
    slopes = [referee.slope(direction) for direction in directions]
    return _verdict(gradients, directions, slopes, steps, refusal, random=_random(referee))


def _verdict(
    gradients: dict[str, Tensor], directions: Tensor, slopes: list[Slope], steps: int, refusal: str, random: bool
) -> Verdict:
    """Judge each gradient "p" by its distance from the measured slopes, over all directions "d p" together."""
    values = directions.new_tensor([slope.value for slope in slopes])
    size = float(values.norm()) or float((directions @ gradients["checked"]).norm())
    off = {name: float((directions @ gradient - values).norm()) / size for name, gradient in gradients.items()}
    blurred = float(directions.new_tensor([slope.uncertainty for slope in slopes]).norm()) / size
    confirmed = off.get("unrolled", 1.0) < CLOSE
    if confirmed:  # distances to that gradient are more precise than to finite differences
        off = {name: _distance(gradient, gradients["unrolled"]) for name, gradient in gradients.items()}
    known = dict(gradients) if not confirmed else {n: g for n, g in gradients.items() if n != "unrolled"}
    distances = {"unrolled": off["checked"]} | {
        "detached" if name == "unrolled" else name: _distance(gradients["checked"], gradient)
        for name, gradient in known.items()
        if name != "checked"
    }
    nearest = min(distances, key=lambda name: distances[name])
    close = distances[nearest] < CLOSE
    kind = "random" if random else "undecided" if blurred > CLOSE else nearest if close else "neither"
    expected = float(directions[0] @ gradients.get("unrolled", gradients["checked"]))
    return Verdict(kind, off["checked"], off["first-order"], *slopes[0], expected, steps, refusal)  # type: ignore[arg-type]


def _distance(one: Tensor, other: Tensor) -> float:
    """Distance of two gradients "p", relative to the second."""
    return float((one - other).norm() / other.norm().clamp_min(torch.finfo(other.dtype).tiny))


def _directions(gradients: dict[str, Tensor]) -> Tensor:
    """Orthonormal rows "d p", the first along what the look-ahead adds to the first-order gradient."""
    checked, first_order = gradients["checked"], gradients["first-order"]
    true = gradients.get("unrolled", checked)
    rng, n = torch.Generator().manual_seed(0), checked.numel()
    noise = torch.eye(n) if n <= WHOLE else torch.randn(RANDOM, n, generator=rng)
    candidates = [true - first_order, true, checked - true, true - gradients["not unrolled"], *noise.to(checked)]
    units: list[Tensor] = []
    for vector in candidates:
        rest, size = vector, float(vector.norm())
        for _ in range(2):  # twice is enough (Kahan and Parlett)
            for unit in units:
                rest = rest - (rest @ unit) * unit
        if float(rest.norm()) > 1e-6 * size:
            units.append(rest / rest.norm())
    return torch.stack(units)


def _random(referee: Referee) -> bool:
    """Whether f_K changes between calls with the same weights, under another seed of the global stream or the same."""
    first, others = referee.value(seed=0), (referee.value(seed=0), referee.value(seed=1))
    return any(abs(float(first - other)) > 100 * rounding(first) for other in others)


def _flat(gradients: Sequence[Tensor | None], parameters: list[Tensor]) -> Tensor:
    """Flatten gradients to one vector "p", with zeros where there is no gradient."""
    parts = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)]
    return torch.cat([part.detach().flatten() for part in parts])

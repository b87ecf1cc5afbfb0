"""Batched L-BFGS: many independent problems minimised at once, each with its own history and its own steps.

In every round each problem evaluates its value and gradient at one point, and then, independently of the others,
accepts the point or tries another one along the same direction. So every call of the function has a full batch, even
though the problems are at different stages. Problems that have ended leave the batch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agon.errors import DataError, SettingError
from agon.terminal.waiting import stage

HISTORY = 10  # pairs that each problem keeps
DECREASE = 1e-4  # c₁: a step lowers the value by at least this share of what the slope predicts
CURVATURE = 0.9  # c₂: a step leaves at most this share of the slope
TRIALS = 20  # the most points tried along one direction

Function = Callable[[Tensor, Tensor], Tensor]  # points "b *shape" and the numbers "b" of their problems -> "b"


class Minimum(NamedTuple):
    """The minimum that each problem found.

    Attributes:
        points: each problem's lowest point.
        values: the values at these points; none is above its start's value.
        iterations: the number of accepted steps.
        evaluations: the number of evaluations of the value and its gradient.
        converged: whether the problem ended before the maximum of iterations: a step lowered its value too little, or
            no step was found.
    """

    points: Float[Tensor, "n *shape"]
    values: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    converged: Bool[Tensor, " n"]


def minimise(
    function: Function,
    start: Float[Tensor, "n *shape"],
    *,
    iterations: int = 100,
    tolerance: float = 1e-9,
    chunk: int = 64,
) -> Minimum:
    """x_i = argmin f_i(x) for n independent problems, by limited-memory BFGS.

        x ← x - t H g,   g = ∇f(x),

    where H approximates the inverse Hessian by the last 10 pairs s = Δx, y = Δg with sᵀy > 0 (two-loop recursion scaled
    by the last pair's sᵀy / yᵀy). Each search tries t = 1 first, and then doubles t or interpolates in a bracket until
    the weak Wolfe conditions hold: f(x + t p) <= f(x) + 1e-4 t gᵀp and g(x + t p)ᵀp >= 0.9 gᵀp. A trial whose value or
    gradient is not finite counts as too long. The first step has length 1. If a search fails, it restarts once along
    -g without history; if that fails too, the problem ends.

    A result depends on the other problems and on `chunk` only through rounding in `function`. Memory: 28 numbers for
    each coordinate of each problem, beside what `function` needs for `chunk` points.

    Args:
        function: maps points "b *shape" and the indices "b" of their problems to values "b"; it must be differentiable,
            and each value must depend on its own point alone.
        start: one point for each problem; its precision is that of the search.
        iterations: the most steps, above 0.
        tolerance: a problem ends when a step lowers its value by no more than this share of it; 0 or more.
        chunk: the number of points in a call of `function`, above 0.

    Raises:
        DataError: there are no problems, or a value or gradient at a start is not finite.
        SettingError: iterations or chunk are under 1, or the tolerance is negative.

    Source: Nocedal and Wright 2006, algorithms 7.4 and 7.5; the search is that of Lewis and Overton 2013.

    >>> bowls = minimise(lambda x, i: (x - i[:, None]).square().sum(1), torch.zeros(3, 2))
    >>> bowls.points
    tensor([[0., 0.],
            [1., 1.],
            [2., 2.]])
    """
    if iterations < 1 or chunk < 1 or not tolerance >= 0:
        raise SettingError(
            "L-BFGS: expected iterations and chunk over 0 and a tolerance of 0 or more, "
            f"got {iterations}, {chunk} and {tolerance}"
        )
    evaluate = _Evaluation(function, start.shape[1:], chunk)
    live = _begin(evaluate, start)
    minimum = Minimum(
        live.x.clone(), live.value.clone(), live.iterations.clone(), live.evaluations.clone(), live.index < 0
    )
    with stage("iterations of L-BFGS", iterations) as advance:
        while len(live.index):
            converged = _advance(live, evaluate, tolerance)
            advance(1)
            ended = converged | (live.iterations >= iterations)
            if bool(ended.any()):
                last = _select(live, ended)
                rows = (last.x, last.value, last.iterations, last.evaluations, converged[ended])
                for column, row in zip(minimum, rows, strict=True):
                    column[last.index] = row
                live = _select(live, ~ended)
    return minimum._replace(points=minimum.points.reshape(start.shape))


@dataclass
class _Pairs:
    """The last pairs of each problem in a ring buffer: pair number c is at index c modulo HISTORY."""

    s: Float[Tensor, "b m d"]
    y: Float[Tensor, "b m d"]
    sy: Float[Tensor, "b m"]
    count: Int[Tensor, " b"]  # pairs ever kept

    def keep(self, rows: Bool[Tensor, " b"], s: Float[Tensor, "b d"], y: Float[Tensor, "b d"]) -> None:
        """Store the pairs of `rows` that have positive curvature."""
        sy = _dot(s, y)
        chosen = (rows & (sy > torch.finfo(s.dtype).eps * _dot(y, y))).nonzero()[:, 0]
        at = self.count[chosen] % HISTORY
        self.s[chosen, at], self.y[chosen, at], self.sy[chosen, at] = s[chosen], y[chosen], sy[chosen]
        self.count[chosen] += 1

    def applied(self, g: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """H g by the two-loop recursion; g itself for problems without pairs."""
        depth = min(HISTORY, int(self.count.max()))
        back = torch.arange(depth, device=g.device)[:, None]  # 0 is the newest
        slots, known = (self.count - 1 - back) % HISTORY, back < self.count  # depth b
        rows = slots + HISTORY * torch.arange(len(g), device=g.device)
        s, y, sy = self.s.flatten(0, 1), self.y.flatten(0, 1), self.sy.flatten()[rows]
        rho = torch.where(known, 1 / sy, 0.0)
        q, parts = g, []
        for i in range(depth):
            parts.append(rho[i] * _dot(s.index_select(0, rows[i]), q))
            q = q - parts[i][:, None] * y.index_select(0, rows[i])
        if depth:
            newest = y.index_select(0, rows[0])
            q = torch.where(known[0], sy[0] / _dot(newest, newest), 1.0)[:, None] * q
        for i in reversed(range(depth)):
            share = rho[i] * _dot(y.index_select(0, rows[i]), q)
            q = q + (parts[i] - share)[:, None] * s.index_select(0, rows[i])
        return q


@dataclass
class _Search:
    """The line search of each problem: its next step, the bracket around it, and the number of trials."""

    step: Float[Tensor, " b"]
    low: Float[Tensor, " b"]
    high: Float[Tensor, " b"]
    trials: Int[Tensor, " b"]

    @classmethod
    def of(cls, step: Float[Tensor, " b"]) -> "_Search":
        """A new search whose first trial is `step`."""
        zero = torch.zeros_like(step)
        return cls(step, zero, torch.full_like(step, math.inf), zero.long())

    def judge(
        self, rise: Float[Tensor, " b"], before: Float[Tensor, " b"], after: Float[Tensor, " b"]
    ) -> tuple[Bool[Tensor, " b"], Bool[Tensor, " b"]]:
        """Which steps are accepted and which searches fail, given f(x + t p) - f(x) and the slopes at both points.

        The other searches move to their next step: twice the step if none was too long yet, the bracket's middle after
        a step that was too short, and otherwise the minimum of a parabola, within 0.1 and 0.5 of the bracket.
        """
        self.trials = self.trials + 1
        enough = rise <= DECREASE * self.step * before  # no number fulfils it that is none
        last = self.trials >= TRIALS
        accepted, failed = enough & ((after >= CURVATURE * before) | last), last & ~enough
        self.low, self.high = torch.where(enough, self.step, self.low), torch.where(enough, self.high, self.step)
        width, bend = self.high - self.low, rise - self.step * before
        least = torch.where(bend > 0, -before * self.step.square() / (2 * bend), 0.0).nan_to_num(0.0)
        inside = torch.minimum(torch.maximum(least, self.low + 0.1 * width), self.low + 0.5 * width)
        inside = torch.where(self.high.isinf(), 2 * self.step, torch.where(enough, self.low + 0.5 * width, inside))
        self.step = torch.where((self.trials == TRIALS - 1) & (self.low > 0), self.low, inside)
        return accepted, failed

    def renew(self, rows: Bool[Tensor, " b"], step: Float[Tensor, " b"]) -> None:
        """Start new searches in `rows`."""
        new = _Search.of(step)
        for entry in fields(self):
            setattr(self, entry.name, torch.where(rows, getattr(new, entry.name), getattr(self, entry.name)))


@dataclass
class _Live:
    """The problems that have not ended: their indices, points, values, directions and searches."""

    index: Int[Tensor, " b"]
    x: Float[Tensor, "b d"]
    value: Float[Tensor, " b"]
    gradient: Float[Tensor, "b d"]
    direction: Float[Tensor, "b d"]
    slope: Float[Tensor, " b"]
    iterations: Int[Tensor, " b"]
    evaluations: Int[Tensor, " b"]
    pairs: _Pairs
    search: _Search

    def aim(self, rows: Bool[Tensor, " b"]) -> None:
        """Point `rows` along -H g, or along -g where -H g is not a descent direction."""
        p = -self.pairs.applied(self.gradient)
        down = _dot(p, self.gradient) < 0
        p = torch.where(down[:, None], p, -self.gradient)
        tiny = torch.finfo(p.dtype).tiny
        step = torch.where(down & (self.pairs.count > 0), 1.0, 1 / p.norm(dim=1).clamp_min(tiny))
        self.direction = torch.where(rows[:, None], p, self.direction)
        self.slope = torch.where(rows, _dot(p, self.gradient), self.slope)
        self.search.renew(rows, step)


class _Evaluation(NamedTuple):
    """Compute values and gradients at flat points, a chunk at a time."""

    function: Function
    shape: torch.Size
    chunk: int

    def __call__(
        self, x: Float[Tensor, "b d"], index: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, "b d"]]:
        values, gradients = [], []
        for part, numbers in zip(torch.split(x, self.chunk), torch.split(index, self.chunk), strict=True):
            point = part.detach().reshape(-1, *self.shape).requires_grad_()
            with torch.enable_grad():
                value = self.function(point, numbers)
                total = value.sum() + 0 * point.sum()  # a constant has a gradient, too
            (gradient,) = torch.autograd.grad(total, point)
            values.append(value.detach())
            gradients.append(gradient.reshape(part.shape))
        return torch.cat(values), torch.cat(gradients)


PerProblem = TypeVar("PerProblem", _Pairs, _Search, _Live)


def _select(live: PerProblem, rows: Bool[Tensor, " b"]) -> PerProblem:
    """Select `rows` of every tensor."""
    parts: dict[str, Any] = {entry.name: getattr(live, entry.name) for entry in fields(live)}
    kind: Any = type(live)
    selected: PerProblem = kind(
        **{name: p[rows] if isinstance(p, Tensor) else _select(p, rows) for name, p in parts.items()}
    )
    return selected


def _begin(evaluate: _Evaluation, start: Float[Tensor, "n *shape"]) -> _Live:
    """Evaluate all problems at their starts and choose their first directions."""
    n = len(start)
    if not n:
        raise DataError("L-BFGS: expected at least 1 problem, got none")
    x, index = start.detach().reshape(n, -1), torch.arange(n, device=start.device)
    value, gradient = evaluate(x, index)
    non_finite = int((~(value.isfinite() & gradient.isfinite().all(1))).sum())
    if non_finite:
        raise DataError(f"L-BFGS: expected finite values and gradients at the start, got {non_finite} of {n} without")
    empty, zero = x.new_zeros(n, HISTORY, x.shape[1]), torch.zeros_like(index)
    pairs = _Pairs(empty, empty.clone(), x.new_zeros(n, HISTORY), zero)
    search = _Search.of(torch.zeros_like(value))
    live = _Live(index, x, value, gradient, gradient, value, zero, zero + 1, pairs, search)
    live.aim(index >= 0)
    return live


def _advance(live: _Live, evaluate: _Evaluation, tolerance: float) -> Bool[Tensor, " b"]:
    """Try one point of every problem; return which problems have ended."""
    x = live.x + live.search.step[:, None] * live.direction
    value, gradient = evaluate(x, live.index)
    live.evaluations = live.evaluations + 1
    finite = value.isfinite() & gradient.isfinite().all(1)
    rise = torch.where(finite, value - live.value, math.inf)
    accepted, failed = live.search.judge(rise, live.slope, _dot(gradient, live.direction))
    live.pairs.keep(accepted, x - live.x, gradient - live.gradient)
    restarted = failed & (live.pairs.count > 0)
    live.pairs.count = torch.where(restarted, 0, live.pairs.count)
    converged = accepted & (-rise <= tolerance * live.value.abs())
    live.x = torch.where(accepted[:, None], x, live.x)
    live.gradient = torch.where(accepted[:, None], gradient, live.gradient)
    live.value = torch.where(accepted, value, live.value)
    live.iterations = live.iterations + accepted.long()
    live.aim(accepted | restarted)
    return converged | (failed & ~restarted)


def _dot(a: Float[Tensor, "b d"], b: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    return (a * b).sum(1)

"""Batched L-BFGS: many independent problems minimised at once, each with its own history and its own steps.

At every turn each problem asks for its value and gradient at one point, and whoever lies in the batch with it has no
say in what it does next: it accepts the point, or looks at another one along the same direction. So every pass
through the function is full, though no two problems are at the same stage; those that have ended leave.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agon.errors import DataError, SettingError

HISTORY = 10  # pairs kept of each problem
DECREASE = 1e-4  # c₁: a step lowers the value by at least this share of what its slope promises
CURVATURE = 0.9  # c₂: and leaves at most this share of the slope
TRIALS = 20  # points looked at along one direction

Function = Callable[[Tensor, Tensor], Tensor]  # points "b *shape" and the numbers "b" of their problems -> "b"


class Minimum(NamedTuple):
    """Where each problem ended.

    Attributes:
        points: the lowest that were found.
        values: there; none is above its start's.
        iterations: steps taken.
        evaluations: values, each with its gradient, that were asked for.
        converged: whether it ended before the maximum of iterations: a step brought nothing more, or none was found.
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

    H the approximation of the inverse Hessian by the last 10 pairs s = Δx, y = Δg (two-loop recursion, scaled by
    sᵀy / yᵀy of the last one), without those whose sᵀy is not positive; t = 1 is tried first. A step fulfils the
    weak Wolfe conditions, f(x + t p) <= f(x) + 1e-4 t gᵀp and g(x + t p)ᵀp >= 0.9 gᵀp, found by doubling or
    interpolating in a bracket; a trial whose value or gradient is not finite is a step too far. The first step has the
    length 1. A direction that leads nowhere is replaced by -g without a history once, then the problem ends.

    No result depends on the other problems or on `chunk` but by what rounding in `function` does. Memory: 28 numbers
    for each coordinate of each problem, beside what `function` takes for `chunk` points.

    Args:
        function: (points "b *shape", numbers "b" of their problems) -> values "b", differentiable, each of its own
            point alone.
        start: one point a problem; its precision is that of the search.
        iterations: at most so many steps, above 0.
        tolerance: a problem ends when a step lowers its value by no more than this share of it; 0 or more.
        chunk: points a call of `function`, above 0.

    Raises:
        DataError: no problems, or a start whose value or gradient is not finite.
        SettingError: iterations or chunk under 1, or a negative tolerance.

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
    found = Minimum(
        live.x.clone(), live.value.clone(), live.iterations.clone(), live.evaluations.clone(), live.index < 0
    )
    while len(live.index):
        converged = _advance(live, evaluate, tolerance)
        ended = converged | (live.iterations >= iterations)
        if bool(ended.any()):
            last = _only(live, ended)
            rows = (last.x, last.value, last.iterations, last.evaluations, converged[ended])
            for kept, row in zip(found, rows, strict=True):
                kept[last.index] = row
            live = _only(live, ~ended)
    return found._replace(points=found.points.reshape(start.shape))


@dataclass
class _Pairs:
    """The last pairs of each problem, in a ring: pair number c lies at c modulo HISTORY."""

    s: Float[Tensor, "b m d"]
    y: Float[Tensor, "b m d"]
    sy: Float[Tensor, "b m"]
    count: Int[Tensor, " b"]  # pairs ever kept

    def keep(self, rows: Bool[Tensor, " b"], s: Float[Tensor, "b d"], y: Float[Tensor, "b d"]) -> None:
        """The pairs of `rows`, where they have a positive curvature."""
        sy = _dot(s, y)
        chosen = (rows & (sy > torch.finfo(s.dtype).eps * _dot(y, y))).nonzero()[:, 0]
        at = self.count[chosen] % HISTORY
        self.s[chosen, at], self.y[chosen, at], self.sy[chosen, at] = s[chosen], y[chosen], sy[chosen]
        self.count[chosen] += 1

    def applied(self, g: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """H g by the two-loop recursion; g itself where there are no pairs."""
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
    """The search along each problem's direction: the step tried next, the bracket around it, the steps tried."""

    step: Float[Tensor, " b"]
    low: Float[Tensor, " b"]
    high: Float[Tensor, " b"]
    tried: Int[Tensor, " b"]

    @classmethod
    def of(cls, step: Float[Tensor, " b"]) -> "_Search":
        """A new one that begins with `step`."""
        zero = torch.zeros_like(step)
        return cls(step, zero, torch.full_like(step, math.inf), zero.long())

    def judge(
        self, rise: Float[Tensor, " b"], before: Float[Tensor, " b"], after: Float[Tensor, " b"]
    ) -> tuple[Bool[Tensor, " b"], Bool[Tensor, " b"]]:
        """Which steps are taken and which searches are given up, from f(x + t p) - f(x) and the slopes at both.

        The others are at their next step: twice as long where nothing is too far yet, in the middle after one that
        is too short, and else where a parabola has its minimum, but within 0.1 and 0.5 of the bracket.
        """
        self.tried = self.tried + 1
        enough = rise <= DECREASE * self.step * before  # no number fulfils it that is none
        last = self.tried >= TRIALS
        taken, lost = enough & ((after >= CURVATURE * before) | last), last & ~enough
        self.low, self.high = torch.where(enough, self.step, self.low), torch.where(enough, self.high, self.step)
        width, bend = self.high - self.low, rise - self.step * before
        least = torch.where(bend > 0, -before * self.step.square() / (2 * bend), 0.0).nan_to_num(0.0)
        inside = torch.minimum(torch.maximum(least, self.low + 0.1 * width), self.low + 0.5 * width)
        inside = torch.where(self.high.isinf(), 2 * self.step, torch.where(enough, self.low + 0.5 * width, inside))
        self.step = torch.where((self.tried == TRIALS - 1) & (self.low > 0), self.low, inside)
        return taken, lost

    def renew(self, rows: Bool[Tensor, " b"], step: Float[Tensor, " b"]) -> None:
        """Begin anew in `rows`."""
        new = _Search.of(step)
        for each in fields(self):
            setattr(self, each.name, torch.where(rows, getattr(new, each.name), getattr(self, each.name)))


@dataclass
class _Live:
    """The problems that still move: their numbers, where they are, and where they look."""

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
        """Let `rows` look along -H g, or along -g where that does not lead down."""
        p = -self.pairs.applied(self.gradient)
        down = _dot(p, self.gradient) < 0
        p = torch.where(down[:, None], p, -self.gradient)
        tiny = torch.finfo(p.dtype).tiny
        step = torch.where(down & (self.pairs.count > 0), 1.0, 1 / p.norm(dim=1).clamp_min(tiny))
        self.direction = torch.where(rows[:, None], p, self.direction)
        self.slope = torch.where(rows, _dot(p, self.gradient), self.slope)
        self.search.renew(rows, step)


class _Evaluation(NamedTuple):
    """Values and gradients of flat points, a chunk at a time."""

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
                whole = value.sum() + 0 * point.sum()  # a constant has a gradient, too
            (gradient,) = torch.autograd.grad(whole, point)
            values.append(value.detach())
            gradients.append(gradient.reshape(part.shape))
        return torch.cat(values), torch.cat(gradients)


PerProblem = TypeVar("PerProblem", _Pairs, _Search, _Live)


def _only(live: PerProblem, rows: Bool[Tensor, " b"]) -> PerProblem:
    """Those rows of every tensor."""
    parts: dict[str, Any] = {each.name: getattr(live, each.name) for each in fields(live)}
    kind: Any = type(live)
    whole: PerProblem = kind(
        **{name: p[rows] if isinstance(p, Tensor) else _only(p, rows) for name, p in parts.items()}
    )
    return whole


def _begin(evaluate: _Evaluation, start: Float[Tensor, "n *shape"]) -> _Live:
    """All problems at their starts, aimed downhill."""
    n = len(start)
    if not n:
        raise DataError("L-BFGS: expected at least 1 problem, got none")
    x, index = start.detach().reshape(n, -1), torch.arange(n, device=start.device)
    value, gradient = evaluate(x, index)
    lost = int((~(value.isfinite() & gradient.isfinite().all(1))).sum())
    if lost:
        raise DataError(f"L-BFGS: expected finite values and gradients at the start, got {lost} of {n} without")
    room, none = x.new_zeros(n, HISTORY, x.shape[1]), torch.zeros_like(index)
    pairs = _Pairs(room, room.clone(), x.new_zeros(n, HISTORY), none)
    search = _Search.of(torch.zeros_like(value))
    live = _Live(index, x, value, gradient, gradient, value, none, none + 1, pairs, search)
    live.aim(index >= 0)
    return live


def _advance(live: _Live, evaluate: _Evaluation, tolerance: float) -> Bool[Tensor, " b"]:
    """One point of every problem; whether it has converged."""
    x = live.x + live.search.step[:, None] * live.direction
    value, gradient = evaluate(x, live.index)
    live.evaluations = live.evaluations + 1
    finite = value.isfinite() & gradient.isfinite().all(1)
    rise = torch.where(finite, value - live.value, math.inf)
    taken, lost = live.search.judge(rise, live.slope, _dot(gradient, live.direction))
    live.pairs.keep(taken, x - live.x, gradient - live.gradient)
    again = lost & (live.pairs.count > 0)
    live.pairs.count = torch.where(again, 0, live.pairs.count)
    still = taken & (-rise <= tolerance * live.value.abs())
    live.x = torch.where(taken[:, None], x, live.x)
    live.gradient = torch.where(taken[:, None], gradient, live.gradient)
    live.value = torch.where(taken, value, live.value)
    live.iterations = live.iterations + taken.long()
    live.aim(taken | again)
    return still | (lost & ~again)


def _dot(a: Float[Tensor, "b d"], b: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    return (a * b).sum(1)

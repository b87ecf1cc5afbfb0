"""Whether skill rises over a training, has stopped rising, or falls: from a curve of ratings to one sentence."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

from agon.errors import DataError, require
from agon.figures.numbers import number
from agon.metrics.intervals import LEVEL, NORMAL

FEWEST = 6  # points of a curve
LATE = 4  # the last quarter of the points, and at least so many, say where the curve goes
Course = Literal["rises", "stopped", "falls", "flat", "unclear"]


class Gain(NamedTuple):
    """By how much skill changes, with its 95 % interval.

    Attributes:
        value: in logits.
        half: half the width of the interval.
    """

    value: float
    half: float

    @property
    def sign(self) -> int:
        """1 or -1 if the interval excludes 0, else 0."""
        return 0 if abs(self.value) <= self.half else int(math.copysign(1, self.value))

    @property
    def reversed(self) -> "Gain":
        """The same as a loss."""
        return Gain(-self.value, self.half)

    def __str__(self) -> str:
        low, high = self.value - self.half, self.value + self.half
        return f"{number(self.value, 2)} [{number(low, 2)}, {number(high, 2)}]"


class Trend(NamedTuple):
    """Where a curve of skill has come from, and where it goes.

    Attributes:
        whole: the mean of the last quarter of the points minus that of the first.
        late: the change along the last quarter, by a straight line over the logarithm of the steps.
        steps: the first and the last step of the last quarter.
        points: number of points in it.
        best: the step of the highest point.
    """

    whole: Gain
    late: Gain
    steps: tuple[int, int]
    points: int
    best: int

    @property
    def course(self) -> Course:
        """How the last quarter goes on: "falls" or "rises", or else what the whole says.

        Above the first quarter it has "stopped", if the last one cannot hold half of the whole rise; else that is
        "unclear". Not above it, it is "flat".
        """
        if self.late.sign:
            return "rises" if self.late.sign > 0 else "falls"
        if self.whole.sign <= 0:
            return "flat"
        return "stopped" if self.late.half <= self.whole.value / 2 else "unclear"

    def sentence(self, what: str) -> str:
        """The course in words, of a skill named `what`."""
        first, last = (f"{step:,}" for step in self.steps)
        begun = {1: f"rose by {self.whole}", -1: f"fell by {self.whole.reversed}", 0: f"changed by {self.whole}"}
        whole = f"from the first quarter of the snapshots to the last it {begun[self.whole.sign]} logits"
        late = f"along the last {self.points} snapshots, from step {first} to {last}, it changes by {self.late}"
        heads = {
            "rises": f"{what} still rises at the end",
            "falls": f"{what} falls at the end; it was highest at step {self.best:,}",
            "stopped": f"{what} has stopped rising",
            "flat": f"{what} does not rise",
            "unclear": f"{what} has risen, and swings too much to say whether it still does",
        }
        return f"{heads[self.course]}: {whole}; {late}."


def trend(steps: Sequence[int], values: Sequence[float], errors: Sequence[float]) -> Trend:
    """Return the trend of a curve.

    The change along the last quarter is b·log(t_last / t_first), with the slope b of least squares. Its half width is

        √(t² s² / S + 1.96² Σ w_i² e_i²)·log(t_last / t_first),   w_i = (log t_i - mean) / S,   S = Σ (log t_i - mean)²,

    so it knows how much a training swings from snapshot to snapshot (s², of the residuals, with Student's t) besides
    the errors e_i of the single ratings.

    Args:
        steps: in order, from 1.
        values: skill at each step, in logits.
        errors: standard errors of the values; 0 for unknown ones.

    Raises:
        DataError: there are too few steps to tell.
    """
    if len(steps) < FEWEST:
        raise DataError(f"a trend of skill: expected at least {FEWEST} snapshots, got {len(steps)}; keep more")
    x, y, e = np.log(np.array(steps, dtype=float)), np.array(values, dtype=float), np.array(errors, dtype=float)
    count = max(LATE, len(steps) // 4)
    return Trend(
        whole=_between(y[: len(steps) // 4 or 1], y[-count:], e[: len(steps) // 4 or 1], e[-count:]),
        late=_along(x[-count:], y[-count:], e[-count:]),
        steps=(steps[-count], steps[-1]),
        points=count,
        best=steps[int(y.argmax())],
    )


def _along(x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"], e: Float64[np.ndarray, " n"]) -> Gain:
    """The change along a straight line through the points."""
    centred = x - x.mean()
    total, span = float(centred @ centred), float(x[-1] - x[0])
    slope = float(centred @ y) / total
    residuals = y - y.mean() - slope * centred
    spread = float(residuals @ residuals) / (len(x) - 2) / total
    sampling = float((centred**2) @ (e**2)) / total**2
    return Gain(slope * span, span * math.sqrt(_student(len(x) - 2) ** 2 * spread + NORMAL**2 * sampling))


def _between(
    early: Float64[np.ndarray, " n"],
    late: Float64[np.ndarray, " m"],
    early_errors: Float64[np.ndarray, " n"],
    late_errors: Float64[np.ndarray, " m"],
) -> Gain:
    """The difference of two means; the points' spread within both parts is taken for the noise of each."""
    freedom = len(early) + len(late) - 2
    spread = ((early - early.mean()) ** 2).sum() + ((late - late.mean()) ** 2).sum()
    swing = float(spread) / freedom * (1 / len(early) + 1 / len(late))
    sampling = sum(float((errors**2).sum()) / len(errors) ** 2 for errors in (early_errors, late_errors))
    half = math.sqrt(_student(freedom) ** 2 * swing + NORMAL**2 * sampling)
    return Gain(float(late.mean() - early.mean()), half)


def _student(freedom: int) -> float:
    require("scipy")
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))

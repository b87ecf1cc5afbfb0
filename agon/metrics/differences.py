"""The difference between two generators or two sets of seeds in one score, with its interval."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance
from typing import Literal, NamedTuple

from agon.errors import require
from agon.metrics.intervals import LEVEL

Noise = Literal["seeds", "samples"]


class Measured(NamedTuple):
    """A score of one generator: its value and its standard error, None if it has none."""

    value: float
    error: float | None = None


class Difference(NamedTuple):
    """A difference of means, first minus second.

    Attributes:
        value: the difference.
        half: half the width of its 95 % interval; None if it cannot be told.
        covers: what varies in the interval: training and samples ("seeds"), or the samples of two fixed generators.
    """

    value: float
    half: float | None
    covers: Noise

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.half is not None and abs(self.value) > self.half


def difference(first: Sequence[Measured], second: Sequence[Measured], *, comparisons: int = 1) -> Difference:
    """Compare two sets of generators, trained under different seeds, in one score.

    With two or more seeds on both sides, the interval is Welch's. With one seed on one side, its spread is taken from
    the other side. With one seed on both sides, the interval has the standard errors of the two values alone, so it
    says nothing of what another seed would give. An interval over seeds is never narrower than the standard errors of
    the values make it.

    Args:
        first: values of the first set, one for each seed; at least 1.
        second: values of the second set.
        comparisons: number of such intervals that shall hold together (Bonferroni).

    Source: Welch 1947.

    >>> one, other = [Measured(0.13, 0.004)], [Measured(0.00035, 0.0002)]
    >>> difference(one, other).decided, difference(one, one).decided
    (True, False)
    """
    value = fmean(score.value for score in first) - fmean(score.value for score in second)
    level = 1 - (1 - LEVEL) / comparisons
    covers: Noise = "seeds" if max(len(first), len(second)) > 1 else "samples"
    if not math.isfinite(value):
        return Difference(value, None, covers)
    if covers == "seeds":
        return Difference(value, _over_seeds(first, second, level), covers)
    errors = [score.error for score in (*first, *second)]
    known = [error for error in errors if error is not None]
    half = _normal(level) * math.hypot(*known) if len(known) == len(errors) else None
    return Difference(value, half, covers)


def _over_seeds(first: Sequence[Measured], second: Sequence[Measured], level: float) -> float:
    require("scipy")
    from scipy.special import stdtrit

    sides = [side for side in (first, second) if len(side) > 1]
    spreads = [variance([score.value for score in side]) for side in sides]
    shared = spreads if len(sides) == 2 else 2 * spreads  # one seed has the spread of the other side
    parts = [spread / len(side) for spread, side in zip(shared, (first, second), strict=True)]
    freedom = _freedom(parts, [len(side) for side in (first, second)]) if len(sides) == 2 else len(sides[0]) - 1
    half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(sum(parts))
    return max(half, _normal(level) * math.hypot(*(_error(side) for side in (first, second))))


def _freedom(parts: Sequence[float], sizes: Sequence[int]) -> float:
    """Welch's degrees of freedom."""
    total = sum(parts)
    if total == 0:
        return float(min(sizes) - 1)
    return total**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))


def _error(side: Sequence[Measured]) -> float:
    """Standard error of a mean by its values' standard errors alone."""
    return math.hypot(*(score.error or 0.0 for score in side)) / len(side)


def _normal(level: float) -> float:
    """How many standard errors to either side hold this share."""
    return NormalDist().inv_cdf((1 + level) / 2)

"""The difference between two generators or two sets of seeds in one score, with its interval."""

import math
from collections.abc import Sequence
from statistics import NormalDist, variance
from typing import Literal, NamedTuple

from agon.errors import require
from agon.metrics.intervals import LEVEL, mean_value

Noise = Literal["seeds", "samples"]


class Measured(NamedTuple):
    """A score of one generator: its value and its standard error, None if it has none."""

    value: float
    error: float | None = None


class Contrast(NamedTuple):
    """A difference of means, first minus second, and everything that its interval at any level needs.

    Attributes:
        value: the difference.
        error: its standard error; None if it cannot be told.
        freedom: Student's degrees of freedom of that error; infinite for errors of samples.
        floor: its standard error by the noise of sampling alone, under which no interval over seeds goes.
        covers: what varies: training and samples ("seeds"), or the samples of two fixed generators.
        spread: standard deviation of the difference between one further seed of each side; None without seeds.
        freedom_per_seed: degrees of freedom that S seeds of each side would have, by S - 1.
    """

    value: float
    error: float | None
    freedom: float = math.inf
    floor: float = 0.0
    covers: Noise = "seeds"
    spread: float | None = None
    freedom_per_seed: float = 1.0

    def half(self, level: float = LEVEL) -> float | None:
        """Half the width of the interval; None if it cannot be told."""
        if self.error is None:
            return None
        return max(student(level, self.freedom) * self.error, _normal(level) * self.floor)

    @property
    def p(self) -> float | None:
        """Two-sided p-value of no difference: 1 minus the level whose interval ends at 0."""
        if self.error is None:
            return None
        if self.value == 0:
            return 1.0
        tails = [_tails(abs(self.value), self.error, self.freedom), _tails(abs(self.value), self.floor, math.inf)]
        return max(tails)


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
    between = contrast(first, second)
    level = 1 - (1 - LEVEL) / comparisons
    return Difference(between.value, between.half(level), between.covers)


def contrast(first: Sequence[Measured], second: Sequence[Measured]) -> Contrast:
    """Contrast two sets of generators as `difference` does, by Welch's statistic.

    Args:
        first: values of the first set, one for each seed; at least 1.
        second: values of the second set.
    """
    value = mean_value([score.value for score in first]) - mean_value([score.value for score in second])
    covers: Noise = "seeds" if max(len(first), len(second)) > 1 else "samples"
    if not math.isfinite(value):
        return Contrast(value, None, covers=covers)
    if covers == "seeds":
        return _over_seeds(value, first, second)
    errors = [score.error for score in (*first, *second)]
    known = [error for error in errors if error is not None]
    return Contrast(value, math.hypot(*known) if len(known) == len(errors) else None, covers=covers)


def paired_contrast(first: Sequence[Measured], second: Sequence[Measured]) -> Contrast:
    """Contrast generators that were trained under the same seeds, by the differences within pairs.

    t = mean(d) / (s_d / √S) with d_s = x_s - y_s and S - 1 degrees of freedom. What a seed does to both sides (data
    order, initial weights, latents) cancels; where it does nothing to both, Welch's interval has more degrees of
    freedom. Like every interval over seeds, this one is never narrower than the standard errors of the values make it.

    Args:
        first: values of the first set, one for each seed; at least 2.
        second: values of the second set under the same seeds, in the same order.

    Source: Student 1908.

    >>> one, other = [[Measured(seed + shift) for seed in (0.0, 5.0, 9.0)] for shift in (0.0, 1.0)]
    >>> paired_contrast(one, other).p, round(contrast(one, other).p, 2)
    (0.0, 0.8)
    """
    differences = [one.value - other.value for one, other in zip(first, second, strict=True)]
    value, floor = mean_value(differences), math.hypot(_error(first), _error(second))
    if not math.isfinite(value):
        return Contrast(value, None)
    deviation = math.sqrt(variance(differences))
    return Contrast(
        value,
        deviation / math.sqrt(len(differences)),
        freedom=len(differences) - 1,
        floor=floor,
        spread=max(deviation, floor * math.sqrt(len(differences))),
    )


def _over_seeds(value: float, first: Sequence[Measured], second: Sequence[Measured]) -> Contrast:
    sides = [side for side in (first, second) if len(side) > 1]
    spreads = [variance([score.value for score in side]) for side in sides]
    shared = spreads if len(sides) == 2 else 2 * spreads  # one seed has the spread of the other side
    parts = [spread / len(side) for spread, side in zip(shared, (first, second), strict=True)]
    freedom = _freedom(parts, [len(side) for side in (first, second)]) if len(sides) == 2 else len(sides[0]) - 1
    noises = [len(side) * _error(side) ** 2 for side in (first, second)]  # variance of one seed's value by its samples
    return Contrast(
        value,
        math.sqrt(sum(parts)),
        freedom=float(freedom),
        floor=math.hypot(*(_error(side) for side in (first, second))),
        spread=math.sqrt(max(sum(shared), sum(noises))),
        freedom_per_seed=_freedom(shared, [2, 2]),
    )


def _freedom(parts: Sequence[float], sizes: Sequence[int]) -> float:
    """Welch's degrees of freedom."""
    total = sum(parts)
    if total == 0:
        return float(min(sizes) - 1)
    return total**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))


def _error(side: Sequence[Measured]) -> float:
    """Standard error of a mean by its values' standard errors alone."""
    return math.hypot(*(score.error or 0.0 for score in side)) / len(side)


def student(level: float, freedom: float) -> float:
    """How many estimated standard errors to either side hold this share."""
    if math.isinf(freedom):
        return _normal(level)
    require("scipy")
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def _normal(level: float) -> float:
    """How many standard errors to either side hold this share."""
    return NormalDist().inv_cdf((1 + level) / 2)


def _tails(size: float, error: float, freedom: float) -> float:
    """Probability of a difference at least that large without any; 0 if there is no error."""
    if error == 0:
        return 0.0
    if math.isinf(freedom):
        return math.erfc(size / error / math.sqrt(2))
    require("scipy")
    from scipy.special import stdtr

    return 2 * float(stdtr(freedom, -size / error))

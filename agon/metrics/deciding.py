"""Many comparisons at once, and how many seeds would decide one: what stands beside the interval of a difference."""

from collections.abc import Sequence

from agon.errors import require
from agon.metrics.differences import Contrast, student
from agon.metrics.intervals import LEVEL

POWER = 0.8  # how often the needed seeds would decide
MOST = 1_000  # seeds; who needs more will not train them


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that, of all true hypotheses together, one is rejected at 0.05 in at most 5 of 100 cases.

    The k-th smallest of m, counted from 1, becomes max_{j ≤ k} (m - j + 1) p_(j), and at most 1. It needs no
    independence.

    Source: Holm 1979.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def seeds_needed(between: Contrast, *, level: float = LEVEL, power: float = POWER) -> int | None:
    """Return how many seeds of each side would decide a difference, if it and its spread are what they seem to be.

    The least S from 2 for which an experiment with S new seeds of each side (S pairs, where seeds are paired) has an
    interval without 0 with probability `power`: T = value / (spread / √S) then has a noncentral t distribution, and
    |T| must be above Student's quantile. An estimate from few seeds is as uncertain as their difference and spread.

    Args:
        between: a contrast over seeds.
        level: of the interval, 0 to 1.
        power: probability that the interval excludes 0, 0 to 1.

    Returns:
        The number; None if it is above `MOST`, or nothing is known of the spread.

    Source: Cohen 1988, chapter 2; for trainings Colas et al. 2018, arXiv 1806.08295.

    >>> seeds_needed(Contrast(1.0, 0.5, spread=1.0)), seeds_needed(Contrast(0.0, 0.5, spread=1.0))
    (10, None)
    """
    if between.spread is None or between.value == 0:
        return None
    if between.spread == 0:
        return 2
    size = abs(between.value) / between.spread
    low, high = 1, 2
    while not _decides(size, high, between.freedom_per_seed, level, power):
        low, high = high, 2 * high
        if low > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = _decides(size, middle, between.freedom_per_seed, level, power)
        low, high = (low, middle) if enough else (middle, high)
    return high if high <= MOST else None


def _decides(size: float, seeds: int, freedom_per_seed: float, level: float, power: float) -> bool:
    """Whether so many seeds have the power; `size` is the difference in standard deviations."""
    require("scipy")
    from scipy.special import nctdtr

    freedom = (seeds - 1) * freedom_per_seed
    return float(nctdtr(freedom, size * seeds**0.5, student(level, freedom))) <= 1 - power

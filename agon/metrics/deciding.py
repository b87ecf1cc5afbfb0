"""Many comparisons at once, and how many seeds would decide one: what stands beside the interval of a difference."""

from collections.abc import Sequence

from agon.metrics.differences import Contrast, student
from agon.metrics.intervals import LEVEL

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


def seeds_needed(between: Contrast, *, level: float = LEVEL) -> int | None:
    """Return how many seeds of each side would decide a difference, if it and its spread are what they seem to be.

    The least S from 2 for which the interval of S seeds of each side (S pairs, where seeds are paired) has less than
    the difference as half its width, t_{S-1} · spread / √S < |value|. An experiment with S new seeds then decides as
    often as not, since the difference that it finds is as often less as it is more; with about 2 S, in 4 of 5 cases.
    An estimate from few seeds is as uncertain as their difference and spread.

    Args:
        between: a contrast over seeds.
        level: of the interval, 0 to 1.

    Returns:
        The number; None if it is above `MOST`, or nothing is known of the spread.

    >>> seeds_needed(Contrast(1.0, 0.5, spread=1.0)), seeds_needed(Contrast(0.0, 0.5, spread=1.0))
    (7, None)
    """
    if between.spread is None or between.value == 0:
        return None
    low, high = 1, 2  # the width falls with S, so that the least S can be bisected
    while not _decides(between, high, level):
        low, high = high, 2 * high
        if low >= MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _decides(between, middle, level) else (middle, high)
    return high if high <= MOST else None


def _decides(between: Contrast, seeds: int, level: float) -> bool:
    freedom = (seeds - 1) * between.freedom_per_seed
    half: float = student(level, freedom) * (between.spread or 0.0) / seeds**0.5
    return half < abs(between.value)

"""Means over seeds with their intervals, and what they say of an expectation."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

from agon.errors import require
from agon.papers.expectation import Expectation, Verdict

LEVEL = 0.95  # of the intervals
NORMAL = 1.96  # standard errors to each side of a single measurement

TableRow = Mapping[str, Any]  # as the numbers' file has it: label, and a mapping of scores for each seed


class Interval(NamedTuple):
    """A mean over seeds.

    Attributes:
        mean: of the values.
        deviation: their standard deviation; None of a single one.
        half: of the 95 % interval of the mean; None of a single one, and where one is not finite.
    """

    mean: float
    deviation: float | None
    half: float | None


def interval(values: Sequence[float]) -> Interval:
    """Mean, standard deviation, and half of the 95 % interval of the mean by Student's t.

    >>> mean, deviation, half = interval([1.0, 2.0, 3.0])
    >>> mean, deviation, round(half, 3)
    (2.0, 1.0, 2.484)
    """
    require("scipy")
    from scipy.special import stdtrit

    n = len(values)
    if n < 2 or not all(map(math.isfinite, values)):
        return Interval(fmean(values), None, None)
    deviation = stdev(values)
    factor = float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return Interval(fmean(values), deviation, factor * deviation / math.sqrt(n))


def judged(expectation: Expectation, rows: Sequence[TableRow]) -> dict[str, Any]:
    """An expectation with the mean difference seed by seed, half of its 95 % interval, and the verdict.

    One seed has the interval of its measurement alone, by the scores' standard errors, where they have any.
    """
    bound = expectation.above if expectation.above is not None else expectation.below
    assert bound is not None
    values = _values(rows, expectation.row, expectation.score)
    others = _values(rows, bound, expectation.score) if isinstance(bound, str) else [(bound, 0.0)] * len(values)
    sign = 1.0 if expectation.above is not None else -1.0
    differences = [sign * (one - other) for (one, _), (other, _) in zip(values, others, strict=True)]
    mean, _, half = interval(differences)
    if len(differences) == 1:
        errors = [error for _, error in (*values, *others)]
        half = None if None in errors else NORMAL * math.hypot(*(error for error in errors if error is not None))
    expected = {"says": expectation.says, "score": expectation.score, "row": expectation.row}
    side = "above" if sign > 0 else "below"
    return {**expected, side: bound, "mean": mean, "half": half, "verdict": _verdict(mean, half)}


def _values(rows: Sequence[TableRow], label: str, score: str) -> list[tuple[float, float | None]]:
    """Value and standard error of a score, seed by seed."""
    (row,) = (row for row in rows if row["label"] == label)
    scores = [seed["scores"][score] for seed in row["seeds"]]
    return [(float(record["value"]), record["error"]) for record in scores]


def _verdict(mean: float, half: float | None) -> Verdict:
    """By whether the interval of the difference, of which positive is as expected, leaves zero out."""
    if half is None or not math.isfinite(mean) or not math.isfinite(half):
        return "undecided"
    return "held" if mean - half > 0 else "contradicted" if mean + half < 0 else "undecided"

"""The verdict on an expectation, from the 95 % interval over seeds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from agon.metrics.intervals import interval
from agon.papers.expectation import Expectation, ExpectationVerdict

NORMAL = 1.96  # standard errors on each side of a single measurement

TableRow = Mapping[str, Any]  # as in the numbers' file: a label, and a mapping of scores for each seed


def judge(expectation: Expectation, rows: Sequence[TableRow]) -> dict[str, Any]:
    """Judge an expectation: the mean difference over seeds, half of its 95 % interval, and the verdict.

    With one seed, the interval comes from the standard errors of the scores, if they have any.
    """
    bound = expectation.above if expectation.above is not None else expectation.below
    assert bound is not None
    values = _values(rows, expectation.row, expectation.score)
    others = _values(rows, bound, expectation.score) if isinstance(bound, str) else [(bound, 0.0)] * len(values)
    sign = 1.0 if expectation.above is not None else -1.0
    differences = [sign * (value - other) for (value, _), (other, _) in zip(values, others, strict=True)]
    mean, _, half = interval(differences)
    if len(differences) == 1:
        errors = [error for _, error in (*values, *others)]
        half = None if None in errors else NORMAL * math.hypot(*(error for error in errors if error is not None))
    expected = {"says": expectation.says, "score": expectation.score, "row": expectation.row}
    side = "above" if sign > 0 else "below"
    return {**expected, side: bound, "mean": mean, "half": half, "verdict": _verdict(mean, half)}


def _values(rows: Sequence[TableRow], label: str, score: str) -> list[tuple[float, float | None]]:
    """Value and standard error of a score for each seed."""
    (row,) = (row for row in rows if row["label"] == label)
    scores = [seed["scores"][score] for seed in row["seeds"]]
    return [(float(record["value"]), record["error"]) for record in scores]


def _verdict(mean: float, half: float | None) -> ExpectationVerdict:
    """Held or contradicted if the interval of the difference excludes zero; a positive difference is as expected."""
    if half is None or not math.isfinite(mean) or not math.isfinite(half):
        return "undecided"
    return "held" if mean - half > 0 else "contradicted" if mean + half < 0 else "undecided"

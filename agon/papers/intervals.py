"""The verdict on an expectation, from the 95 % interval over seeds, and from what its controls make of it."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from agon.metrics.deciding import seeds_needed
from agon.metrics.differences import Contrast, Measured, contrast, paired_contrast
from agon.metrics.directions import is_ratio
from agon.papers.expectation import Bound, Expectation, ExpectationVerdict

TableRow = Mapping[str, Any]  # as in the numbers' file: a label, and a mapping of scores for each seed
TableRows = Sequence[TableRow]
NONE: Mapping[str, TableRows] = MappingProxyType({})
RANK = {"held": 2, "partly": 1}  # a control that comes as far as the item itself fools the expectation
ALIKE = "alike"  # of a control whose rows are the same: before training, two methods can be one network
SAME = 1e-4  # largest difference, relative to the values, of scores that one network has in two rows
AS_FAR = "as far"  # of a control that does not surely meet an expectation, and that the item does not surely surpass


def judge(expectation: Expectation, rows: TableRows, controls: Mapping[str, TableRows] = NONE) -> dict[str, Any]:
    """Judge an expectation: the mean difference over seeds, half of its 95 % interval, and the verdict.

    A difference is positive if it is as expected. Seeds are compared pair by pair; the interval is Student's, and never
    narrower than the standard errors of the scores make it. Of ratios, `mean` and `half` are those of the difference of
    logarithms. With one seed, the interval comes from the standard errors alone, and there is no verdict.

    An expectation that is undecided comes with the number of seeds that would decide it, if mean and deviation stay as
    they are; None if they are over 1,000.

    An expectation is no evidence if a control meets it as far as the item does, or if the item meets it by no more than
    the control, which the interval of item minus control tells ("as far"): that one of two differences is significant
    does not make their difference so. What the item contradicts stays contradicted, whatever the controls do. Rows
    exchanged are the mirror image, which holds where the claim is contradicted: they can fool what is held alone. A
    control whose rows are the same ("alike") cannot fool; that any difference comes from training is what it shows.

    What a second judge makes of the expectation is under "second", in the same form; the verdict does not depend on it.

    Args:
        expectation: what the paper claims.
        rows: the item's rows.
        controls: name of a control -> its rows; of "exchanged", the item's own; of "copies", those of them with copies.
    """
    found, towards = _compared(
        expectation, rows if expectation.beyond is None else _beyond(expectation, rows, controls)
    )
    judged = _judged(found, towards)
    names = [name for name in controls if expectation.controls is None or name in expectation.controls]
    of_controls = {name: _tried(expectation, judged, name, rows, controls[name]) for name in names}
    asked = [each["verdict"] for name, each in of_controls.items() if name != "exchanged" or judged in RANK]
    fooled = any(_fools(verdict, judged) for verdict in asked)
    verdict = _verdict(judged, fooled, 0 if found is None else _seeds(rows, expectation))
    needed = seeds_needed(found) if found is not None and verdict == "undecided" else None
    told = {**_described(expectation, found, towards), "verdict": verdict, "needed": needed, "controls": of_controls}
    by_second = expectation.by_second
    return told if by_second is None else {**told, "second": judge(by_second, rows, controls)}


def _tried(
    expectation: Expectation, judged: ExpectationVerdict, name: str, rows: TableRows, control: TableRows
) -> dict[str, Any]:
    """What a control makes of an expectation, beside what the item makes of it."""
    found = _control(expectation, name, control)
    if name == expectation.beyond:  # part of the comparison: minus itself, it shows nothing
        return {**found, "verdict": "subtracted"}
    if name != "exchanged" and _alike(expectation, control):
        return {**found, "verdict": ALIKE}
    if name == "exchanged" or judged not in RANK or _fools(found["verdict"], judged):
        return found
    bound = expectation.bound if judged == "held" else expectation.direction
    assert bound is not None  # what held partly has a direction
    return found if _surpasses(expectation, bound, rows, control) else {**found, "verdict": AS_FAR}


def _alike(expectation: Expectation, rows: TableRows) -> bool:
    """Whether the two rows of an expectation are the same in each seed."""
    if not isinstance(expectation.bound, str):
        return False
    one, other = (measured(rows, label, expectation.score) for label in (expectation.row, expectation.bound))
    pairs = list(zip(one, other, strict=False))
    return len(one) == len(other) > 0 and all(math.isclose(a.value, b.value, rel_tol=SAME) for a, b in pairs)


def _fools(control: str, judged: ExpectationVerdict) -> bool:
    """Whether what a control makes of an expectation comes as far as the item, which has not contradicted it."""
    if judged == "contradicted":
        return False
    return control == AS_FAR or RANK.get(control, 0) >= max(1, RANK.get(judged, 0))


def _surpasses(expectation: Expectation, bound: Bound, rows: TableRows, control: TableRows) -> bool:
    """Whether the item's difference is surely larger than that of a control which was measured."""
    own, other = _differences(expectation, bound, rows), _differences(expectation, bound, control)
    if not own or not other or all(each.value == -math.inf for each in other):
        return True
    paired = len(own) == len(other) > 1
    return _side((paired_contrast if paired else contrast)(own, other)) > 0


def _verdict(judged: ExpectationVerdict, fooled: bool, seeds: int) -> ExpectationVerdict:
    if judged == "not measured":
        return judged
    return "no evidence" if fooled else "one seed" if seeds == 1 else judged


def _described(expectation: Expectation, found: Contrast | None, towards: Contrast | None) -> dict[str, Any]:
    described: dict[str, Any] = {"says": expectation.says, "score": expectation.score, "row": expectation.row}
    described["above" if expectation.sign > 0 else "below"] = expectation.bound
    if expectation.direction is not None:
        described["direction"] = {"bound": expectation.direction, **_interval(towards)}
    if expectation.beyond is not None:
        described["beyond"] = expectation.beyond
    return {**described, "ratio": is_ratio(expectation.score), **_interval(found)}


def _interval(found: Contrast | None) -> dict[str, float | None]:
    return {"mean": None, "half": None} if found is None else {"mean": found.value, "half": found.half()}


def _control(expectation: Expectation, name: str, rows: TableRows) -> dict[str, Any]:
    """What a control makes of an expectation; without any error its single seed is taken at its word."""
    found, towards = _compared(expectation, _exchanged(expectation, rows) if name == "exchanged" else rows)
    exact = None if found is None else found._replace(error=found.error or 0.0)
    return {**_interval(found), "verdict": _judged(exact, towards)}


def _beyond(expectation: Expectation, rows: TableRows, controls: Mapping[str, TableRows]) -> TableRows:
    """The rows with a control's scores taken away, seed by seed; none if the control was not measured."""
    score, control = expectation.score, controls.get(expectation.beyond or "", [])
    labels = [expectation.row, *(each for each in (expectation.bound, expectation.direction) if isinstance(each, str))]
    left = []
    for label in labels:
        pairs = list(zip(measured(rows, label, score), measured(control, label, score), strict=False))
        if len(pairs) == len(measured(rows, label, score)):
            records = [_less(one, other, ratio=is_ratio(score))._asdict() for one, other in pairs]
            left.append({"label": label, "seeds": [{"scores": {score: record}} for record in records]})
    return left


def _less(one: Measured, other: Measured, *, ratio: bool) -> Measured:
    """One value less the other, or by the other, with the standard errors of both."""
    if not ratio:
        errors = [each.error for each in (one, other) if each.error is not None]
        return Measured(one.value - other.value, math.hypot(*errors) if errors else None)
    logarithms = logarithm(one), logarithm(other)
    between = _less(*logarithms, ratio=False)
    value = math.exp(between.value) if math.isfinite(between.value) else math.nan
    return Measured(value, None if between.error is None else between.error * value)


def _exchanged(expectation: Expectation, rows: TableRows) -> TableRows:
    """The rows with the two of an expectation exchanged, or with the two sides of its ratio; none for other numbers."""
    if isinstance(expectation.bound, str):
        labels = {expectation.row: expectation.bound, expectation.bound: expectation.row}
        return [{**row, "label": labels.get(row["label"], row["label"])} for row in rows]
    if not is_ratio(expectation.score):
        return []
    return [{**row, "seeds": [_turned(seed, expectation.score) for seed in row["seeds"]]} for row in rows]


def _turned(seed: Mapping[str, Any], score: str) -> dict[str, Any]:
    record = seed["scores"].get(score)
    if record is None or not record["value"]:
        return dict(seed)
    error = None if record["error"] is None else record["error"] / record["value"] ** 2
    return {**seed, "scores": {**seed["scores"], score: {"value": 1 / record["value"], "error": error}}}


def _compared(expectation: Expectation, rows: TableRows) -> tuple[Contrast | None, Contrast | None]:
    """The differences from the bound and from the weaker bound; None for what there is none of."""
    weaker = expectation.direction
    towards = None if weaker is None else _contrast(expectation, weaker, rows)
    return _contrast(expectation, expectation.bound, rows), towards


def _contrast(expectation: Expectation, bound: Bound, rows: TableRows) -> Contrast | None:
    """The difference as expected; None if a score was not measured."""
    values, others = _sides(expectation, bound, rows)
    if not values or not others:
        return None
    first, second = (values, others) if expectation.sign > 0 else (others, values)
    return (paired_contrast if len(values) > 1 else contrast)(first, second)


def _differences(expectation: Expectation, bound: Bound, rows: TableRows) -> list[Measured]:
    """The difference of each seed, positive as expected; none if a score was not measured."""
    return [
        Measured(expectation.sign * (one.value - other.value), math.hypot(one.error or 0.0, other.error or 0.0))
        for one, other in zip(*_sides(expectation, bound, rows), strict=False)
    ]


def _sides(expectation: Expectation, bound: Bound, rows: TableRows) -> tuple[list[Measured], list[Measured]]:
    """The values of a row and of what it is compared with, seed by seed; of ratios their logarithms."""
    values = measured(rows, expectation.row, expectation.score)
    exact = [] if isinstance(bound, str) else [Measured(float(bound), 0.0)] * len(values)
    others = measured(rows, bound, expectation.score) if isinstance(bound, str) else exact
    if is_ratio(expectation.score):
        return list(map(logarithm, values)), list(map(logarithm, others))
    return values, others


def measured(rows: TableRows, label: str, score: str) -> list[Measured]:
    """Value and standard error of a score for each seed; empty if it was not measured."""
    seeds: Sequence[Mapping[str, Any]] = next((row["seeds"] for row in rows if row["label"] == label), [])
    records = [seed["scores"].get(score) for seed in seeds]
    return [] if None in records else [Measured(float(record["value"]), record["error"]) for record in records]


def logarithm(score: Measured) -> Measured:
    """The logarithm of a ratio, with its standard error by the delta method; infinite for 0 and for infinity."""
    if not 0 < score.value < math.inf:
        return Measured({0.0: -math.inf, math.inf: math.inf}.get(score.value, math.nan))
    return Measured(math.log(score.value), None if score.error is None else score.error / score.value)


def _seeds(rows: TableRows, expectation: Expectation) -> int:
    return len(measured(rows, expectation.row, expectation.score))


def _judged(found: Contrast | None, towards: Contrast | None) -> ExpectationVerdict:
    """Held if the interval of the difference lies above 0; partly if only that of the weaker bound does."""
    if found is None:
        return "not measured"
    if _side(found) > 0:
        return "held"
    if towards is not None and _side(towards) > 0:
        return "partly"
    return "contradicted" if min(_side(found), 0 if towards is None else _side(towards)) < 0 else "undecided"


def _side(found: Contrast) -> int:
    """On which side of 0 the interval lies: 1, -1, or 0 if it contains 0 or is not known."""
    half = found.half()
    if half is None or not math.isfinite(found.value):
        return 0
    return int(found.value - half > 0) - int(found.value + half < 0)

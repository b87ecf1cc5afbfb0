"""Differences of two experiments in all their scores, as a forest plot: the JSON of a comparison as rows of a page."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agon.errors import RunError
from agon.figures.numbers import number
from agon.reports.tournaments.dots import signed
from agon.runs.description import described_to_show
from agon.untrusted import MALFORMED, is_number

Ends = tuple[float, float]
NONE: Ends = (0.0, 0.0)


class ForestLine(NamedTuple):
    """The difference in one score, on a scale of its own with 0 in the middle; places are in per cent of its width.

    Attributes:
        name: the score.
        at: place of the dot; on the left the first is better.
        alone: start and width of the interval of this score alone.
        together: start and width of the interval that holds together with all others.
        kind: "decided", "open", or "describes" where no side is better.
        value: the difference in words.
        interval: its interval in words.
        note: whether it is decided, or how many seeds would decide it.
    """

    name: str
    at: float
    alone: Ends
    together: Ends
    kind: str
    value: str
    interval: str
    note: str


class Compared(NamedTuple):
    """A comparison: its title, both names, what follows from it, and its rows."""

    title: str
    first: str
    second: str
    sentence: str
    rows: list[ForestLine]


def comparison(file: Path) -> Compared:
    """Read the JSON of a comparison, as `agon compare --out NAME.json` writes it.

    Raises:
        RunError: it cannot be read, or is not a comparison.
    """
    values = described_to_show(file)
    try:
        first, second = map(str, values["names"])
        rows = [_line(score) for score in values["scores"]]
        return Compared(f"{first} against {second}", first, second, str(values["sentence"]), rows)
    except MALFORMED as error:
        raise RunError(
            f"{file}: expected the JSON of a comparison, got other content ({error!r:.60}); make it with agon compare"
        ) from error


def _line(score: Mapping[str, Any]) -> ForestLine:
    difference = score["difference"]
    if not is_number(difference):
        raise ValueError("expected a finite difference")
    turned = -1.0 if _is_left(score, difference) == (difference > 0) else 1.0
    alone, together = (_ends(score[name], turned) for name in ("interval", "together"))
    span = 1.08 * max(abs(end) for end in (difference, *(alone or NONE), *(together or NONE))) or 1.0
    ratio = score["scale"] == "logarithm"
    return ForestLine(
        name=str(score["name"]),
        at=_percent(turned * difference, span),
        alone=_bar(alone, span),
        together=_bar(together, span),
        kind="describes" if score["best"] is None else "decided" if score["decided"] else "open",
        value=_spelled(difference, ratio),
        interval="" if alone is None else f"[{', '.join(_spelled(end, ratio) for end in score['interval'])}]",
        note=_note(score),
    )


def _is_left(score: Mapping[str, Any], difference: float) -> bool:
    """Whether the row belongs on the left: the first is better, or greater where none is."""
    return difference > 0 if score["best"] is None else score["better"] == "first"


def _ends(ends: Any, turned: float) -> Ends | None:
    if ends is None:
        return None
    if not all(map(is_number, ends)):
        raise ValueError("expected finite intervals")
    low, high = sorted(turned * end for end in ends)
    return low, high


def _percent(value: float, span: float) -> float:
    return round(50 + 50 * value / span, 2)


def _bar(ends: Ends | None, span: float) -> Ends:
    if ends is None:
        return NONE
    start = _percent(ends[0], span)
    return start, round(_percent(ends[1], span) - start, 2)


def _spelled(value: float, ratio: bool) -> str:
    """A difference, or of logarithms the ratio."""
    return f"×{number(math.exp(min(value, 700.0)), 3)}" if ratio else signed(f"{value:+.3g}")


def _note(score: Mapping[str, Any]) -> str:
    if score["best"] is None:
        return "describes; no side is better"
    covers = "" if score["covers"] == "seeds" else "; of these trainings alone"
    if score["decided"]:
        return f"decided{covers}"
    needed = score["needed_seeds"]
    return f"open: {number(needed)} seeds of each would decide it as often as not" if needed else f"open{covers}"

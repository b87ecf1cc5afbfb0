"""Dots with whiskers on a shared scale, as rows of a page."""

from collections.abc import Sequence
from typing import NamedTuple

from agon.figures.numbers import number
from agon.figures.whiskers import Axis, Whisker, axis

MINUS = "\N{MINUS SIGN}"


class Dot(NamedTuple):
    """A row: places are in per cent of the scale's width; no whisker if its interval is unknown.

    Attributes:
        name: whose value it is.
        at: place of the dot.
        start: where its whisker starts.
        width: of its whisker.
        hollow: whether the whisker covers samples alone.
        value: the value in words.
        interval: the interval in words; empty if unknown.
        note: in small letters after the name.
        words: all of it, on hover and for screen readers.
    """

    name: str
    at: float
    start: float
    width: float
    hollow: bool
    value: str
    interval: str
    note: str
    words: str


class Tick(NamedTuple):
    """A tick: its place in per cent, and its label."""

    at: float
    label: str


class Dots(NamedTuple):
    """A plot: rows, ticks, and the place of 0."""

    rows: list[Dot]
    ticks: list[Tick]
    zero: float


def dots(whiskers: Sequence[Whisker], shared: Sequence[Whisker], notes: Sequence[str]) -> Dots:
    """Lay out rows on the scale that holds all of `shared`, with a note for each row."""
    scale = axis(shared)
    ticks = [Tick(_percent(scale, tick), signed(f"{tick:g}")) for tick in scale.ticks]
    return Dots([_dot(row, scale, note) for row, note in zip(whiskers, notes, strict=True)], ticks, _percent(scale, 0))


def signed(text: str) -> str:
    """A number with a minus sign as wide as a plus."""
    return text.replace("-", MINUS)


def _dot(row: Whisker, scale: Axis, note: str) -> Dot:
    start, width, interval = 0.0, 0.0, ""
    if row.low is not None and row.high is not None:
        start = _percent(scale, row.low)
        width = round(_percent(scale, row.high) - start, 2)
        interval = f"[{_two(row.low)}, {_two(row.high)}]"
    covers = "other trainings" if row.seeds else "the samples of one training alone"
    words = f"{row.name}: {_two(row.value)}" + (f", 95 % interval {interval} over {covers}" if interval else "")
    return Dot(
        row.name, _percent(scale, row.value), start, width, not row.seeds, _two(row.value), interval, note, words
    )


def _percent(scale: Axis, value: float) -> float:
    return round(100 * scale.place(value), 2)


def _two(value: float) -> str:
    """Two decimals, or three digits of what is large."""
    return signed(f"{value:.2f}" if abs(value) < 100 else number(value, 3))

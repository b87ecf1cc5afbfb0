"""Tables of scores: the latest of each, earlier ones folded away, and histograms of classes."""

from collections.abc import Sequence
from typing import NamedTuple

from agon.figures.colours import colour
from agon.figures.numbers import UNKNOWN, number
from agon.reports.reading import View, ordered
from agon.runs.scores import ScoreRecord
from agon.untrusted import is_number

LABELLED = 20  # largest number of bars with names


class ScoreRow(NamedTuple):
    """One score of one run, as text."""

    run: str
    colour: str
    name: str
    value: str
    uncertainty: str
    n: str
    step: str
    seed: str
    protocol: str
    detail: str
    extractor: str


class Bar(NamedTuple):
    """A class: its name, its number of samples, and its height in per cent of the largest."""

    name: str
    number: str
    height: float


class Histogram(NamedTuple):
    """The number of samples of one run in each class."""

    run: str
    colour: str
    caption: str
    bars: list[Bar]
    labelled: bool


class Table(NamedTuple):
    """All scores: the latest, the earlier ones, and the class histograms of the latest."""

    latest: list[ScoreRow]
    earlier: list[ScoreRow]
    histograms: list[Histogram]


def table(views: Sequence[View]) -> Table:
    """Order scores by name, so that runs can be compared line by line."""
    latest: list[tuple[int, View, ScoreRecord]] = []
    earlier: list[tuple[int, View, ScoreRecord]] = []
    for index, view in enumerate(views):
        newest = {score.key: score for score in ordered(view.scores)}
        for score in view.scores:
            current = newest[score.key] is score
            (latest if current else earlier).append((index, view, score))
    order = list(dict.fromkeys(score.name for view in views for score in view.scores))
    for entries in (latest, earlier):
        entries.sort(key=lambda entry: (order.index(entry[2].name), entry[0], -(entry[2].step or 0)))
    histograms = [histogram for entry in latest if (histogram := _histogram(*entry))]
    return Table([_row(*entry) for entry in latest], [_row(*entry) for entry in earlier], histograms)


def _row(index: int, view: View, score: ScoreRecord) -> ScoreRow:
    return ScoreRow(
        run=view.name,
        colour=colour(index),
        name=score.name,
        value=number(score.value),
        uncertainty=uncertainty(score),
        n=number(score.n) if score.n_real is None else f"{number(score.n)} / {number(score.n_real)} real",
        step=number(score.step),
        seed=UNKNOWN if score.seed is None else str(score.seed),
        protocol=score.protocol or "not recorded",
        detail=_detail(score),
        extractor=", ".join(_provenance(score)),
    )


def uncertainty(score: ScoreRecord) -> str:
    """Return the standard error and the interval, as far as they are known."""
    parts = [f"± {number(score.error, 2)}"] if score.error is not None else []
    if score.interval is not None:
        parts.append(f"[{number(score.interval[0])}, {number(score.interval[1])}]")
    return " ".join(parts) or UNKNOWN


def _detail(score: ScoreRecord) -> str:
    """Return the plain values of a score's detail; lists are drawn or left out.

    Battles have their own table.
    """
    if score.name == "battle":
        return f"against {score.detail.get('opponent', UNKNOWN)}"
    plain = {key: value for key, value in score.detail.items() if isinstance(value, str | int | float)}
    return ", ".join(_plain(value) if key == "told" else f"{key} {_plain(value)}" for key, value in plain.items())


def _provenance(score: ScoreRecord) -> list[str]:
    """Describe how images were processed before the comparison, as far as recorded."""
    extractor = score.extractor
    words = {"resizer": "resized by {}", "precision": "in {}", "hash": "weights {:.8}"}
    return [form.format(str(extractor[key])) for key, form in words.items() if extractor.get(key) not in (None, "none")]


def _plain(value: str | float) -> str:
    return str(value) if isinstance(value, str | bool) else number(value)


def _histogram(index: int, view: View, score: ScoreRecord) -> Histogram | None:
    counts, names = score.detail.get("histogram"), score.detail.get("names")
    if not isinstance(counts, list) or not counts or not all(_is_count(count) for count in counts):
        return None
    named = isinstance(names, list) and len(names) == len(counts)
    labels = map(str, names) if isinstance(names, list) and named else map(str, range(len(counts)))
    largest = max(*counts, 1)
    bars = [Bar(name, number(c), 100 * c / largest) for name, c in zip(labels, counts, strict=True)]
    caption = f"{score.name}: {number(sum(counts))} samples over {len(counts)} classes"
    return Histogram(view.name, colour(index), caption, bars, len(bars) <= LABELLED)


def _is_count(value: object) -> bool:
    return is_number(value) and value >= 0

"""The short table of scores: a row for each score, a column for each run or experiment, marks, and a sentence."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agon.arena.budgets import unequal_budgets
from agon.arena.comparisons import table as comparisons
from agon.arena.comparisons.sentences import verdict
from agon.arena.comparisons.table import BEST, Contestant
from agon.errors import installed
from agon.figures.colours import colour
from agon.figures.numbers import UNKNOWN, number
from agon.metrics.differences import Measured
from agon.metrics.directions import bounds_of
from agon.metrics.intervals import around, mean_value, over_seeds
from agon.reports.curves import labels
from agon.reports.reading import View, ordered
from agon.runs.groups import by_experiment
from agon.runs.scores import ScoreRecord
from agon.untrusted import is_number

ELSEWHERE = ("battle", "error")  # scores with tables of their own
MARKS = {BEST: "★", comparisons.LEVEL_WITH: "≈", "": ""}


class ComparedColumn(NamedTuple):
    """A run, or the seeds of one experiment."""

    name: str
    colour: str
    note: str


class ComparedCell(NamedTuple):
    """A score as text: value, its error or interval, and a mark."""

    value: str
    uncertainty: str
    mark: str


class ComparedRow(NamedTuple):
    """One score: its name, the arrow and the words for its direction, and a cell for each column."""

    name: str
    sign: str
    words: str
    cells: list[ComparedCell]


class Comparison(NamedTuple):
    """The short table, and the sentence that compares its columns; empty for one column."""

    columns: list[ComparedColumn]
    rows: list[ComparedRow]
    sentence: str


def comparison(views: Sequence[View]) -> Comparison:
    """Compare the latest scores of all runs; runs that differ in their seed alone are one column, their mean."""
    groups = _groups(views)
    by_label = _by_label(views)
    columns, contestants = [], []
    for name, indices in groups.items():
        note = f"mean and 95 % interval of {len(indices)} seeds" if len(indices) > 1 else ""
        columns.append(ComparedColumn(name, colour(indices[0]), note))
        measured = {
            label: [_measured(by_view[index]) for index in indices if index in by_view]
            for label, by_view in by_label.items()
        }
        contestants.append(Contestant(name, {label: values for label, values in measured.items() if values}))
    rows = [_row(row, list(groups.values()), by_label[row.name]) for row in comparisons.rows(contestants)]
    sentences = [_budgets(views, groups), verdict(contestants)] if rows and len(columns) > 1 else []
    return Comparison(columns, rows, " ".join(sentence for sentence in sentences if sentence))


def _budgets(views: Sequence[View], groups: Mapping[str, Sequence[int]]) -> str:
    """Say if the columns' latest scores are of different numbers of steps."""
    last = [max((score.step for score in view.scores if score.step is not None), default=None) for view in views]
    return unequal_budgets({name: [last[index] for index in indices] for name, indices in groups.items()})


def _groups(views: Sequence[View]) -> dict[str, list[int]]:
    """Return name -> indices of the runs in a column."""
    if len(views) == 1 or not installed("scipy"):
        return {view.name: [index] for index, view in enumerate(views)}
    places = {view.path: index for index, view in enumerate(views)}
    return {name: [places[run] for run in runs] for name, runs in by_experiment(list(places)).items()}


def _by_label(views: Sequence[View]) -> dict[str, dict[int, ScoreRecord]]:
    """Return score's name, with what tells measurements of one name apart -> index of the run -> its latest."""
    kinds: dict[tuple[object, ...], dict[int, ScoreRecord]] = {}
    for index, view in enumerate(views):
        for score in ordered(view.scores):
            if score.name not in ELSEWHERE:
                kinds.setdefault(score.key, {})[index] = score
    firsts = {key: next(iter(by_view.values())) for key, by_view in kinds.items()}
    by_label: dict[str, dict[int, ScoreRecord]] = {}
    for key, first in firsts.items():
        alike = [other for other, score in firsts.items() if score.name == first.name]
        label = first.name
        if len(alike) > 1:
            label += f" ({labels([firsts[other] for other in alike])[alike.index(key)]})"
        while label in by_label:  # what tells them apart has no words
            label += " "
        by_label[label] = kinds[key]
    return by_label


def _measured(score: ScoreRecord) -> Measured:
    error = score.error if is_number(score.error) else None
    return Measured(float(score.value) if is_number(score.value) else math.nan, error)


def _row(row: comparisons.Row, columns: Sequence[Sequence[int]], by_view: Mapping[int, ScoreRecord]) -> ComparedRow:
    cells = []
    for indices, cell in zip(columns, row.cells, strict=True):
        scores = [by_view[index] for index in indices if index in by_view]
        cells.append(ComparedCell(*_texts(scores), MARKS[cell.mark]))
    direction = row.direction
    return ComparedRow(
        row.name.strip(), direction.sign if direction else "", direction.words if direction else "", cells
    )


def _texts(scores: Sequence[ScoreRecord]) -> tuple[str, str]:
    """Return a value and its uncertainty as texts."""
    if not scores:
        return UNKNOWN, ""
    if len(scores) > 1:
        values = [_measured(score) for score in scores]
        own = [score.interval or around(*value) for score, value in zip(scores, values, strict=True)]
        ends = over_seeds([value.value for value in values], own, bounds_of(scores[0].name))
        mean = number(mean_value([value.value for value in values]))
        return mean, "" if ends is None else f"[{number(ends[0])}, {number(ends[1])}]"
    (score,) = scores
    if score.error is not None:
        return number(score.value), f"± {number(score.error, 2)}"
    if score.interval is not None:
        return number(score.value), f"[{number(score.interval[0])}, {number(score.interval[1])}]"
    return number(score.value), ""

"""Contestants, each a run or the seeds of one experiment, in a table that marks the best."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agon.figures.numbers import UNKNOWN, number
from agon.metrics.differences import Difference, Measured, difference
from agon.metrics.directions import Direction, bounds_of, direction_of
from agon.metrics.intervals import NORMAL, around, mean_value, over_seeds
from agon.metrics.score import Score

BEST, LEVEL_WITH = "*", "≈"  # marks of the best value, and of one that cannot be told apart from it
LEGEND = (
    f"↑ higher is better, ↓ lower is better, → nearest is best; {BEST} best, {LEVEL_WITH} cannot be told apart from it"
)


class Contestant(NamedTuple):
    """A run, or all seeds of one experiment.

    Attributes:
        name: its name in the table.
        scores: score's name -> its values, one for each seed that has it.
    """

    name: str
    scores: Mapping[str, Sequence[Measured]]


def contestant(name: str, seeds: Sequence[Sequence[Score]]) -> Contestant:
    """Return the contestant whose seeds have these scores."""
    names = dict.fromkeys(score.name for scores in seeds for score in scores)
    measured = {
        name: [
            Measured(float(score.value), _error(score)) for scores in seeds for score in scores if score.name == name
        ]
        for name in names
    }
    return Contestant(name, measured)


def _error(score: Score) -> float | None:
    """The standard error; where it is 0, as of shares of 0 and 1 in earlier records, that of the interval."""
    if score.error == 0 and score.interval is not None:
        return (score.interval[1] - score.interval[0]) / (2 * NORMAL)
    return score.error


class Cell(NamedTuple):
    """The score of one contestant in a table: its text, and `BEST`, `LEVEL_WITH` or nothing."""

    text: str
    mark: str


class Row(NamedTuple):
    """One score of all contestants."""

    name: str
    direction: Direction | None
    cells: Sequence[Cell]


def rows(contestants: Sequence[Contestant]) -> list[Row]:
    """Return a row for each score that a contestant has, in their order."""
    names = list(dict.fromkeys(name for contestant in contestants for name in contestant.scores))
    return [_row(name, [contestant.scores.get(name, ()) for contestant in contestants]) for name in names]


def table(contestants: Sequence[Contestant]) -> list[str]:
    """Return the lines of a table for a terminal: a row for each score, a column for each contestant."""
    body = [
        [f"{row.name} {row.direction.sign if row.direction else ''}".rstrip(), *(_joined(cell) for cell in row.cells)]
        for row in rows(contestants)
    ]
    if not body:
        return []
    lines = [["score", *(contestant.name for contestant in contestants)], *body]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ["  ".join(f"{text:{width}}" for text, width in zip(line, widths, strict=True)) for line in lines]
    return [line.rstrip() for line in padded] + ([LEGEND] if len(contestants) > 1 else [])


def _row(name: str, values: Sequence[Sequence[Measured]]) -> Row:
    direction = direction_of(name)
    return Row(name, direction, [Cell(text(of_one, name), mark) for of_one, mark in _marked(direction, values)])


def _marked(direction: Direction | None, values: Sequence[Sequence[Measured]]) -> list[tuple[Sequence[Measured], str]]:
    """Pair the values of each contestant with its mark."""
    given = [of_one for of_one in values if of_one and math.isfinite(mean_of(of_one))]
    if direction is None or len(given) < 2:
        return [(of_one, "") for of_one in values]
    best = min(given, key=lambda of_one: badness(direction, of_one))
    least = badness(direction, best)

    def mark(of_one: Sequence[Measured]) -> str:
        if not of_one or not math.isfinite(mean_of(of_one)):
            return ""
        if badness(direction, of_one) == least:
            return BEST
        between = gap(direction, of_one, best, math.comb(len(given), 2))
        return LEVEL_WITH if between.half is not None and not between.decided else ""

    return [(of_one, mark(of_one)) for of_one in values]


def text(values: Sequence[Measured], name: str) -> str:
    """Return a value with its standard error, or the mean over seeds of the score with that name with its interval."""
    if not values:
        return UNKNOWN
    if len(values) == 1:
        value, error = values[0]
        return number(value) if error is None else f"{number(value)} ± {number(error, 2)}"
    of_seeds = [score.value for score in values]
    ends = over_seeds(of_seeds, [around(*score) for score in values], bounds_of(name))
    mean = number(mean_value(of_seeds))
    return mean if ends is None else f"{mean} [{number(ends[0])}, {number(ends[1])}]"


def _joined(cell: Cell) -> str:
    return f"{cell.text} {cell.mark}".rstrip()


def gap(
    direction: Direction, first: Sequence[Measured], second: Sequence[Measured], comparisons: int = 1
) -> Difference:
    """How much worse the first values are than the second; above 0 if they are worse."""
    sides = [[Measured(direction.badness(score.value), score.error) for score in side] for side in (first, second)]
    return difference(*sides, comparisons=comparisons)


def is_finite(values: Sequence[Measured]) -> bool:
    return bool(values) and math.isfinite(mean_of(values))


def mean_of(values: Sequence[Measured]) -> float:
    return mean_value([score.value for score in values])


def badness(direction: Direction, values: Sequence[Measured]) -> float:
    return mean_value([direction.badness(score.value) for score in values])

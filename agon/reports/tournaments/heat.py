"""The matrix as tables of coloured cells: contestants before contestants, and each training before each."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import Ratings
from agon.figures.diverging import ink_on, shade
from agon.figures.numbers import number
from agon.metrics.auroc import Area

LEVELS = 40  # steps of the scale of colours, even, so that 0.5 has a colour of its own
NUMBERED = 24  # most columns with numbers in their cells
MISSING = "could not meet"


class HeatCell(NamedTuple):
    """A cell: its classes, which colour it, its number, and the words shown on hover."""

    classes: str
    text: str
    words: str


class HeatColumn(NamedTuple):
    """A column: whose critic it is, and whether another contestant begins."""

    name: str
    begins: bool


class HeatRow(NamedTuple):
    """A row: whose generator it is, its cells, and whether another contestant begins."""

    name: str
    cells: list[HeatCell]
    begins: bool


class HeatMap(NamedTuple):
    """A matrix of areas as a table.

    Attributes:
        columns: critics, best first.
        rows: generators, best first.
        numbered: whether its cells have room for numbers.
    """

    columns: list[HeatColumn]
    rows: list[HeatRow]
    numbered: bool


def ordered(matrix: AreaMatrix, ratings: Ratings) -> tuple[list[str], list[str]]:
    """The contestants with generators and those with critics, best rated first, unrated ones last."""
    sides = ((matrix.generators, ratings.generators), (matrix.critics, ratings.critics))
    orders = []
    for entrants, rated in sides:
        present = list(dict.fromkeys(matrix.contestants[entrant] for entrant in entrants))
        best_first = [rating.name for rating in rated if rating.name in present]
        orders.append(list(dict.fromkeys([*best_first, *present])))
    return orders[0], orders[1]


def grouped(matrix: AreaMatrix, ratings: Ratings) -> Float64[np.ndarray, "g c"]:
    """The mean area over all pairs of two contestants' seeds that met, in the order of `ordered`; NaN if none did."""
    generators, critics = ordered(matrix, ratings)
    blocks = _Blocks(matrix)
    return np.array([[_mean(blocks.areas(g, c)) for c in critics] for g in generators]).reshape(
        len(generators), len(critics)
    )


def contestants_map(matrix: AreaMatrix, ratings: Ratings) -> HeatMap:
    """The matrix of contestants; a cell is the mean over the pairs of their seeds."""
    generators, critics = ordered(matrix, ratings)
    blocks, numbered = _Blocks(matrix), len(critics) <= NUMBERED
    rows = [
        HeatRow(g, [_cell(_mean(blocks.areas(g, c)), blocks.words(g, c), g == c, numbered) for c in critics], True)
        for g in generators
    ]
    return HeatMap([HeatColumn(c, True) for c in critics], rows, numbered)


def entrants_map(matrix: AreaMatrix, ratings: Ratings) -> HeatMap | None:
    """The matrix of entrants in the same order; None if every contestant is a single entrant."""
    blocks = _Blocks(matrix)
    generators, critics = ordered(matrix, ratings)
    rows = [(index, place == 0) for g in generators for place, index in enumerate(blocks.rows[g])]
    columns = [(index, place == 0) for c in critics for place, index in enumerate(blocks.columns[c])]
    if len(rows) == len(generators) and len(columns) == len(critics):
        return None
    numbered = len(columns) <= NUMBERED / 2
    heads = [HeatColumn(matrix.critics[j], begins) for j, begins in columns]
    table = []
    for i, begins in rows:
        cells = [_cell(matrix.areas[i, j], _single(matrix, i, j), _home(matrix, i, j), numbered) for j, _ in columns]
        table.append(HeatRow(matrix.generators[i], cells, begins))
    return HeatMap(heads, table, numbered)


def style() -> str:
    """CSS of the scale of colours, a class for each level; on a dark page its middle is dark."""
    light, dark = (
        "".join(f".a{level}{{background:{colour};color:{ink_on(colour)}}}" for level, colour in _scale(is_dark))
        for is_dark in (False, True)
    )
    return f"{light}@media (prefers-color-scheme: dark){{{dark}}}"


def _scale(dark: bool) -> list[tuple[int, str]]:
    return [(level, shade(level / LEVELS, dark=dark)) for level in range(LEVELS + 1)]


class _Blocks:
    """The rows and columns of each contestant."""

    def __init__(self, matrix: AreaMatrix) -> None:
        self.matrix = matrix
        self.rows = _indices(matrix.generators, matrix.contestants)
        self.columns = _indices(matrix.critics, matrix.contestants)

    def areas(self, generator: str, critic: str) -> Float64[np.ndarray, " p"]:
        """The areas of all pairs that met."""
        block = self.matrix.areas[np.ix_(self.rows[generator], self.columns[critic])].ravel()
        return np.asarray(block[~np.isnan(block)])

    def words(self, generator: str, critic: str) -> str:
        """What a cell says on hover."""
        pairs = [(i, j) for i in self.rows[generator] for j in self.columns[critic]]
        if len(pairs) == 1:
            return _single(self.matrix, *pairs[0])
        met = [(i, j) for i, j in pairs if not math.isnan(self.matrix.areas[i, j])]
        if not met:
            return MISSING
        areas = [float(self.matrix.areas[i, j]) for i, j in met]
        error = max(float(np.nan_to_num(self.matrix.errors[i, j])) for i, j in met)
        words = f"{_three(fmean(areas))}, mean of {len(met)} pairs of trainings, from {_three(min(areas))} to"
        words += f" {_three(max(areas))}; each ± {number(error, 2)} or less by its samples"
        home = [area for area, (i, j) in zip(areas, met, strict=True) if _home(self.matrix, i, j)]
        if home and len(home) < len(areas):
            others = (sum(areas) - sum(home)) / (len(areas) - len(home))
            words += f"; trained together {_three(fmean(home))}, other seeds {_three(others)}"
        return f"{words}; {len(pairs) - len(met)} {MISSING}" if len(met) < len(pairs) else words


def _indices(entrants: Sequence[str], contestants: Mapping[str, str]) -> dict[str, list[int]]:
    indices: dict[str, list[int]] = {}
    for index, entrant in enumerate(entrants):
        indices.setdefault(contestants[entrant], []).append(index)
    return indices


def _home(matrix: AreaMatrix, i: int, j: int) -> bool:
    """Whether the generator trained against the critic."""
    return matrix.generators[i] == matrix.critics[j]


def _mean(areas: Float64[np.ndarray, " p"]) -> float:
    return float(areas.mean()) if areas.size else math.nan


def _single(matrix: AreaMatrix, i: int, j: int) -> str:
    value, error = float(matrix.areas[i, j]), float(np.nan_to_num(matrix.errors[i, j]))
    if math.isnan(value):
        return MISSING
    low, high = Area(value, error, int(matrix.sizes[i]), matrix.n_real).interval
    words = f"{_three(value)} ± {number(error, 2)}, 95 % interval [{_three(low)}, {_three(high)}] of the samples"
    return f"{words}; they trained together" if _home(matrix, i, j) else words


def _cell(value: float, words: str, own: bool, numbered: bool) -> HeatCell:
    known = not math.isnan(value)
    classes = f"a{round(value * LEVELS)}" if known else "gap"
    text = "" if not numbered else f"{value:.2f}".removeprefix("0") if known else "–"
    return HeatCell(f"{classes} own" if own else classes, text, words)


def _three(value: float) -> str:
    return f"{value:.3f}"

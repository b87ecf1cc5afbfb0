"""A tournament's tables: as rows of plain values, and as text for a terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import Rating, Ratings
from agon.figures.numbers import UNKNOWN

LEGEND = (
    "area: how often a critic finds a generated sample at least as real as a held-out real one; 0.5: it cannot tell",
    "rating: in logits, 0 is the mean; of a generator, higher fools critics more; of a critic, higher is fooled less",
)


def tables_of(matrix: AreaMatrix, ratings: Ratings, left_out: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The tables of a tournament: name -> rows, each column -> value; areas that are missing are None."""
    return {
        "areas": [_meeting(matrix, generator, critic) for generator in matrix.generators for critic in matrix.critics],
        "ratings": [_rated(rating) for rating in (*ratings.generators, *ratings.critics)],
        "cycles": [{"contestants": list(cycle)} for cycle in ratings.cycles],
        "left out": [{"entrant": name, "reason": reason} for name, reason in left_out.items()],
    }


def lines_of(matrix: AreaMatrix, ratings: Ratings, left_out: Mapping[str, str]) -> list[str]:
    """The tables of a tournament for a terminal: contestants by rating, the best first."""
    lines = [*LEGEND, "", *_crosstable(matrix, ratings), "", *_critics(ratings), ""]
    lines.append(f"at home, against the generator that it trained with, {_home(ratings.home)}")
    lines.append(
        f"{100 * ratings.unexplained:.0f} % of the variance of the areas' logits is not explained by one rating each"
    )
    lines += [f"cycle: {' beats '.join([*cycle, cycle[0]])}" for cycle in ratings.cycles]
    if any(rating.covers == "samples" for rating in ratings.generators if rating.interval):
        lines.append(
            "* one training: its interval covers the noise of sampling only, not that of training; train 3 seeds or "
            "more (agon train ... --seeds 3)"
        )
    return lines + [f"left out: {name}: {reason}" for name, reason in left_out.items()]


def mean_areas(matrix: AreaMatrix) -> dict[tuple[str, str], float]:
    """(generators' contestant, critics' contestant) -> the mean area over their seeds; nan if none met."""
    cells: dict[tuple[str, str], list[float]] = {}
    for i, generator in enumerate(matrix.generators):
        for j, critic in enumerate(matrix.critics):
            pair = matrix.contestants[generator], matrix.contestants[critic]
            cells.setdefault(pair, []).append(float(matrix.areas[i, j]))
    return {
        pair: float(np.mean([a for a in areas if not math.isnan(a)] or [math.nan])) for pair, areas in cells.items()
    }


def _meeting(matrix: AreaMatrix, generator: str, critic: str) -> dict[str, Any]:
    place = matrix.generators.index(generator), matrix.critics.index(critic)
    area, error = (float(values[place]) for values in (matrix.areas, matrix.errors))
    met = not math.isnan(area)
    return {
        "generator": generator,
        "critic": critic,
        "generator of": matrix.contestants[generator],
        "critic of": matrix.contestants[critic],
        "area": area if met else None,
        "error": error if met else None,
        "at home": generator == critic,
    }


def _rated(rating: Rating) -> dict[str, Any]:
    low, high = rating.interval or (None, None)
    return {
        "contestant": rating.name,
        "role": rating.role,
        "rating": rating.value,
        "low": low,
        "high": high,
        "seeds": rating.seeds,
        "covers": rating.covers,
    }


def _crosstable(matrix: AreaMatrix, ratings: Ratings) -> list[str]:
    """A row for each generator, a column for each critic, numbered as in the list of critics."""
    areas = mean_areas(matrix)
    numbers = [str(number) for number in range(1, len(ratings.critics) + 1)]
    head = ["samples of", "rating", "95 % interval", "seeds", *(f"[{number}]" for number in numbers)]
    body = [
        [*_words(rating), *(_area(areas.get((rating.name, critic.name))) for critic in ratings.critics)]
        for rating in ratings.generators
    ]
    return _aligned([head, *body])


def _critics(ratings: Ratings) -> list[str]:
    head = ["critics of", "rating", "95 % interval", "seeds"]
    return _aligned([head, *([f"[{i}] {w[0]}", *w[1:]] for i, w in enumerate(map(_words, ratings.critics), 1))])


def _words(rating: Rating) -> list[str]:
    interval = rating.interval
    bounds = UNKNOWN if interval is None else f"[{interval[0]:.2f}, {interval[1]:.2f}]"
    mark = "*" if interval is not None and rating.covers == "samples" else ""
    return [rating.name, f"{rating.value:.2f}", f"{bounds}{mark}", str(rating.seeds)]


def _area(area: float | None) -> str:
    return UNKNOWN if area is None or math.isnan(area) else f"{area:.3f}"


def _home(home: float) -> str:
    word = "as much" if not home else "more" if home > 0 else "less"
    return f"a critic is fooled {word} ({home:+.2f} logits)"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width: the first aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([f"{row[0]:{widths[0]}}", *(f"{t:>{w}}" for t, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]

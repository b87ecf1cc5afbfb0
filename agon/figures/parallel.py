"""Parallel coordinates: a line for each trial across an axis for each setting, the last one being its score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agon.errors import SettingError
from agon.figures.colours import REAL, colour
from agon.figures.drawing import INK, drawing_png, sheet
from agon.figures.numbers import number

if TYPE_CHECKING:
    import matplotlib.axes

COLUMN, HEIGHT, EDGE = 210, 340, 130  # CSS pixels between two axes, of the picture, and beside it
WIDE = 20.0  # ratio of the largest to the smallest value from which an axis is logarithmic
MOST = 8  # values that all have a tick
ALPHA = 0.8


@dataclass(frozen=True)
class Coordinate:
    """One axis.

    Attributes:
        label: text above it.
        values: a value for each line; texts that are numbers count as numbers. None where a line ends before it.
    """

    label: str
    values: Sequence[str | float | None]

    @property
    def numbers(self) -> list[float | None] | None:
        """The values as numbers; None if one of them is none."""
        try:
            found = [None if value is None else float(value) for value in self.values]
        except ValueError:
            return None
        return [value if value is None or math.isfinite(value) else None for value in found]

    def places(self) -> tuple[list[float | None], Mapping[float, str]]:
        """Where each line meets the axis, from 0 to 1, and the ticks: place -> text.

        Numbers stand on a linear scale, or on a logarithmic one where all are above 0 and their ratio is 20 or more;
        other values have equal distances, in the order in which they come.

        >>> Coordinate("lr", ["1e-4", "1e-2", "1e-2"]).places()[0]
        [0.0, 1.0, 1.0]
        >>> Coordinate("loss", ["hinge", "minimax", "hinge"]).places()
        ([0.0, 1.0, 0.0], {0.0: 'hinge', 1.0: 'minimax'})
        """
        numbers = self.numbers
        if numbers is None:
            names = list(dict.fromkeys(str(value) for value in self.values if value is not None))
            at = {name: _share(place, 0, len(names) - 1) for place, name in enumerate(names)}
            return [None if value is None else at[str(value)] for value in self.values], {at[n]: n for n in names}
        known = sorted({value for value in numbers if value is not None})
        if not known:
            return [None for _ in numbers], {}
        low, high = known[0], known[-1]
        logarithmic = low > 0 and high >= WIDE * low
        scale = math.log if logarithmic else float
        marks = known if len(known) <= MOST else _between(low, high, logarithmic)
        at_number = {value: _share(scale(value), scale(low), scale(high)) for value in (*known, *marks)}
        ticks = {at_number[value]: number(value, 3) for value in marks}
        return [None if value is None else at_number[value] for value in numbers], ticks


def parallel_png(coordinates: Sequence[Coordinate], *, best: int | None = None) -> bytes:
    """Draw a PNG of parallel coordinates.

    Args:
        coordinates: two axes or more, from left to right, each with a value for every line; lines that come first are
            drawn last and more strongly.
        best: index of the line that stands out.

    Raises:
        SettingError: there are less than two axes, or they have other numbers of values.
    """
    counts = {len(coordinate.values) for coordinate in coordinates}
    if len(coordinates) < 2 or len(counts) != 1:
        raise SettingError(
            f"parallel coordinates: expected two axes or more with a value for each line, got {len(coordinates)} axes "
            f"of {', '.join(map(str, sorted(counts)))} values"
        )
    figure = sheet(COLUMN * (len(coordinates) - 1) + 2 * EDGE, HEIGHT, constrained=True)
    axes = figure.add_subplot()
    places = []
    for index, coordinate in enumerate(coordinates):
        at, ticks = coordinate.places()
        places.append(at)
        _axis(axes, index, coordinate.label, ticks)
    lines = list(zip(*places, strict=True))
    for index in reversed(range(len(lines))):
        _line(axes, lines[index], 1 - index / max(len(lines), 2), stands_out=index == best)
    axes.set_xlim(-0.35, len(coordinates) - 0.65)
    axes.set_ylim(-0.06, 1.12)
    axes.set_axis_off()
    return drawing_png(figure)


def _axis(axes: "matplotlib.axes.Axes", index: int, label: str, ticks: Mapping[float, str]) -> None:
    axes.plot([index, index], [0, 1], color=INK, linewidth=0.8)
    axes.text(index, 1.06, label, ha="center", va="bottom", fontsize=9, color=INK)
    for place, text in ticks.items():
        axes.plot([index - 0.015, index + 0.015], [place, place], color=INK, linewidth=0.8)
        axes.text(
            index - 0.03,
            place,
            text,
            ha="right",
            va="center",
            fontsize=7.5,
            color=INK,
            zorder=5,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8},
        )


def _line(axes: "matplotlib.axes.Axes", places: Sequence[float | None], strength: float, stands_out: bool) -> None:
    """Draw one line up to the first axis at which it has no place; one that ends early is grey and dashed."""
    end = next((index for index, place in enumerate(places) if place is None), len(places))
    whole = end == len(places)
    ink = colour(1) if stands_out else colour(0) if whole else REAL
    axes.plot(
        range(end),
        [place for place in places[:end] if place is not None],
        color=ink,
        alpha=1.0 if stands_out else 0.25 + (ALPHA - 0.25) * strength,
        linewidth=2.4 if stands_out else 1.2,
        linestyle="solid" if whole else "dashed",
        marker="." if whole else "",
        markersize=6,
    )


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _between(low: float, high: float, logarithmic: bool, count: int = 5) -> list[float]:
    """Numbers from low to high at equal distances on the scale."""
    shares = [index / (count - 1) for index in range(count)]
    if logarithmic:
        return [low * (high / low) ** share for share in shares]
    return [low + (high - low) * share for share in shares]

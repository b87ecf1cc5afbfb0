"""A tournament as one picture: the matrix of areas as a heat map, with the ratings of its rows and columns."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64

from agon.errors import SettingError, require
from agon.figures.diverging import ink_on, shade
from agon.figures.drawing import INK, drawing_png, sheet
from agon.figures.whiskers import Whisker, axis

if TYPE_CHECKING:
    import matplotlib.axes

CELL, LEAST, WIDEST = 58, 24, 470  # CSS pixels: most and least of a cell's side, most of the heat map's
LETTER, LONGEST = 6.9, 26  # CSS pixels of a letter of a label; most characters of a label
SIDE, DEPTH, GAP = 190, 140, 16  # CSS pixels: width of the generators' ratings, height of the critics', before both
MARGIN, FOOT = 14, 62  # CSS pixels: around all, for the scale of colours below all
NUMBERED = 14  # most columns with numbers in their cells
GENERATORS, CRITICS, SOFT = shade(0.88), shade(0.0), "#7d838c"  # the sides of the scale on which either wins


def matrix_png(generators: Sequence[Whisker], critics: Sequence[Whisker], areas: Float64[np.ndarray, "g c"]) -> bytes:
    """Draw a PNG of a heat map of areas, coloured around 0.5; rows' ratings on its right, columns' ratings below.

    Args:
        generators: the rows from the top, with their ratings; a value that is NaN is not drawn.
        critics: the columns from the left, likewise.
        areas: from 0 to 1; NaN, drawn hatched, where two could not meet.

    Raises:
        SettingError: there are not as many areas as pairs, or none.
    """
    if not areas.size or areas.shape != (len(generators), len(critics)):
        raise SettingError(f"matrix: expected areas of {len(generators)} by {len(critics)}, got {areas.shape}")
    cell = max(LEAST, min(CELL, WIDEST / max(areas.shape)))
    left, top = (LETTER * max(len(_short(row.name)) for row in rows) + 34 for rows in (generators, critics))
    wide, high = cell * len(critics), cell * len(generators)
    width = left + wide + GAP + SIDE + 2 * MARGIN
    height = top + high + GAP + DEPTH + FOOT + 2 * MARGIN
    figure = sheet(width, height, density=1.6)

    def axes(x: float, y: float, w: float, h: float) -> "matplotlib.axes.Axes":
        """Axes by their upper left corner and size in CSS pixels, inside the margins."""
        return figure.add_axes((((MARGIN + x) / width), 1 - (MARGIN + y + h) / height, w / width, h / height))

    _heat(axes(left, top, wide, high), generators, critics, areas, cell)
    _ratings(axes(left + wide + GAP, top, SIDE, high), generators, "y", "rating g of the generator, logits", GENERATORS)
    _ratings(axes(left, top + high + GAP, wide, DEPTH), critics, "x", "rating d of the critic", CRITICS)
    _scale(axes(left, top + high + GAP + DEPTH + 24, wide + GAP + SIDE, 10))
    return drawing_png(figure, colours=None)


def _heat(
    axes: "matplotlib.axes.Axes",
    generators: Sequence[Whisker],
    critics: Sequence[Whisker],
    areas: Float64[np.ndarray, "g c"],
    cell: float,
) -> None:
    require("matplotlib")
    from matplotlib.patches import Rectangle

    size = min(9.5, cell / 5)
    for (i, j), value in np.ndenumerate(areas):
        known = bool(np.isfinite(value))
        colour = shade(float(value)) if known else "white"
        box = Rectangle((j + 0.02, i + 0.02), 0.96, 0.96, facecolor=colour, linewidth=0)
        if not known:
            box.set(hatch="////", edgecolor=SOFT)
        axes.add_patch(box)
        if known and len(critics) <= NUMBERED:
            axes.text(j + 0.5, i + 0.5, f"{value:.2f}", ha="center", va="center", fontsize=size, color=ink_on(colour))
    axes.set(xlim=(0, len(critics)), ylim=(len(generators), 0))
    axes.set_xticks(np.arange(len(critics)) + 0.5, [_short(it.name) for it in critics], rotation=90)
    axes.set_yticks(np.arange(len(generators)) + 0.5, [_short(it.name) for it in generators])
    axes.tick_params(labelsize=9, labelcolor=INK)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("critic of", fontsize=8, color=SOFT, labelpad=6)
    axes.set_ylabel("generator of", fontsize=8, color=SOFT, labelpad=6)
    _bare(axes)


def _ratings(
    axes: "matplotlib.axes.Axes", rows: Sequence[Whisker], along: Literal["x", "y"], title: str, ink: str
) -> None:
    """Draw dots with whiskers beside the rows of the heat map, along "y", or below its columns, along "x"."""
    rated = [(place + 0.5, row) for place, row in enumerate(rows) if math.isfinite(row.value)]
    span, upright = axis([row for _, row in rated], 4), along == "x"
    rule = axes.axhline if upright else axes.axvline
    for tick in span.ticks:
        rule(tick, color=SOFT, alpha=0.8 if tick == 0 else 0.25, linewidth=0.9 if tick == 0 else 0.6)
    for place, row in rated:
        if row.low is not None and row.high is not None:
            ends = ((place, place), (row.low, row.high)) if upright else ((row.low, row.high), (place, place))
            axes.plot(*ends, color=ink, linewidth=1.7, solid_capstyle="round")
        dot = ([place], [row.value]) if upright else ([row.value], [place])
        axes.plot(*dot, "o", color=ink, mfc=ink if row.seeds else "white", markersize=5.5, markeredgewidth=1.4)
    limits = (span.low, span.high)
    axes.set(xlim=(0, len(rows)) if upright else limits, ylim=limits if upright else (len(rows), 0))
    labels = [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in span.ticks]
    if upright:
        axes.set_yticks(span.ticks, labels)
        axes.set_xticks([])
        axes.set_ylabel(title, fontsize=8, color=INK)
    else:
        axes.set_xticks(span.ticks, labels)
        axes.set_yticks([])
        axes.set_title(title, fontsize=8, color=INK)
    axes.tick_params(labelsize=7.5, labelcolor=INK)
    _bare(axes)


def _scale(axes: "matplotlib.axes.Axes") -> None:
    """Draw the scale of colours, with what its ends mean."""
    colours = [[[int(shade(value)[at : at + 2], 16) for at in (1, 3, 5)] for value in np.linspace(0, 1, 101)]]
    axes.imshow(np.array(colours, np.uint8), aspect="auto", extent=(0, 1, 0, 1))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"], fontsize=7.5, color=INK)
    axes.set_yticks([])
    words = "a: how often the critic finds a sample at least as real as a real one"
    axes.figure.text(axes.get_position().x1, 0.012, words, fontsize=7.5, color=INK, ha="right", va="bottom")
    _bare(axes)


def _bare(axes: "matplotlib.axes.Axes") -> None:
    axes.tick_params(length=0, pad=4)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _short(name: str) -> str:
    """A label of few characters: a long name keeps its end, where names of runs differ; its $ is no formula."""
    text = name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]
    return text.replace("$", r"\$")

"""Curves in panels: losses, outputs and scores over a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import SettingError, require
from agon.figures.colours import colour
from agon.figures.drawing import INK, drawing_png, sheet

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

WIDTH, WIDEST, FLAT = 920, 460, 0.58  # CSS pixels of a row, most of a panel; a panel's height relative to its width
TITLE, LEGEND = 26, 20  # CSS pixels of height
LETTER, LINE = 6.2, 56  # CSS pixels of a letter in the legend, and of a label's line with its margins
DENSITY = 1.5  # dots in a CSS pixel
FEW = 30  # most points of a curve that get markers


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes:
        label: label in the legend; curves with the same label share a legend entry and a colour.
        x: positions, in order.
        y: values; one that is not finite is a gap.
        colour: #rrggbb; by default each label in the picture gets its own.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str | None = None

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise SettingError(f"curve {self.label}: expected a y for each x, got {len(self.x)} x and {len(self.y)} y")


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: title above the panel.
        curves: curves from back to front; without any the panel is empty.
        x_label: label below the panel.
        y_label: label on the left.
        limits: (least, greatest) y shown; by default those of the curves.
        log: whether y is logarithmic; values that are not above 0 are gaps.
    """

    title: str
    curves: Sequence[Curve]
    x_label: str = ""
    y_label: str = ""
    limits: tuple[float, float] | None = None
    log: bool = False


def histogram_curve(
    label: str, samples: Float[Tensor, "n 1"], low: float, high: float, bins: int, colour: str | None = None
) -> Curve:
    """Make a stepped curve of a histogram, as a density over all points, including those that are not shown.

    Args:
        label: label in the legend.
        samples: points on a line.
        low: least position shown.
        high: greatest position shown.
        bins: number of bins between them.
        colour: #rrggbb; by default the label's own.
    """
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64)
    counts, _ = torch.histogram(samples.double().flatten(), edges)
    heights = counts / (len(samples) * (edges[1] - edges[0]))
    return Curve(label, edges.repeat_interleave(2)[1:-1].tolist(), heights.repeat_interleave(2).tolist(), colour)


def under_each_other(pairs: Sequence[tuple[Panel, Panel]], columns: int) -> list[Panel]:
    """Order panels for `curves_png` in rows of `columns` pairs, each pair's first panel above its second."""
    rows = [pairs[start : start + columns] for start in range(0, len(pairs), columns)]
    return [pair[place] for row in rows for place in (0, 1) for pair in row]


def curves_png(panels: Sequence[Panel], *, columns: int) -> bytes:
    """Draw a PNG of panels in rows, under one legend if there are two or more labels.

    Args:
        panels: panels in reading order; the last row may be short.
        columns: panels in a row.

    Raises:
        SettingError: there is no panel, or no column.
    """
    if not panels or columns < 1:
        raise SettingError(f"curves: expected a panel or more in columns from 1, got {len(panels)} in {columns}")
    return drawing_png(draw(panels, min(columns, len(panels))))


def draw(panels: Sequence[Panel], columns: int) -> "matplotlib.figure.Figure":
    """Draw the figure, not yet written as a PNG."""
    inks = colours(panels)
    rows, side = -(-len(panels) // columns), min(WIDTH / columns, WIDEST)
    width, height = columns * side, rows * (side * FLAT + TITLE)
    abreast = max(1, int(width / (LINE + LETTER * max(map(len, inks), default=0))))
    if len(inks) > 1:
        height += LEGEND * -(-len(inks) // abreast) + LEGEND / 2
    figure = sheet(width, height, density=DENSITY, constrained=True)
    for place, panel in enumerate(panels, start=1):
        _panel(figure.add_subplot(rows, columns, place), panel, inks)
    if len(inks) > 1:
        _legend(figure, inks, abreast)
    return figure


def colours(panels: Sequence[Panel]) -> Mapping[str, str]:
    """Label -> colour, in the labels' order."""
    curves = [curve for panel in panels for curve in panel.curves]
    given = {curve.label: curve.colour for curve in curves}
    return {label: given[label] or colour(index) for index, label in enumerate(given)}


def _panel(axes: "matplotlib.axes.Axes", panel: Panel, inks: Mapping[str, str]) -> None:
    for curve in panel.curves:
        ink, mark = curve.colour or inks[curve.label], "." if len(curve.x) <= FEW else ""
        axes.plot(curve.x, curve.y, color=ink, linewidth=1.0, marker=mark, markersize=4)
    if panel.log:
        axes.set_yscale("log", nonpositive="mask")
    if panel.limits is not None:
        axes.set_ylim(*panel.limits)
    axes.set_title(panel.title, fontsize=9, color=INK)
    axes.set_xlabel(panel.x_label, fontsize=8, color=INK)
    axes.set_ylabel(panel.y_label, fontsize=8, color=INK)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(labelsize=7, colors=INK, length=2)
    axes.yaxis.get_offset_text().set_fontsize(7)
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: "matplotlib.figure.Figure", inks: Mapping[str, str], abreast: int) -> None:
    require("matplotlib")
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=ink, linewidth=1.6) for ink in inks.values()]
    figure.legend(lines, list(inks), loc="outside upper center", ncols=abreast, fontsize=8, frameon=False)

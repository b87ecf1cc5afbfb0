"""Histograms in panels, with medians as vertical lines, to compare distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agon.errors import SettingError
from agon.figures.colours import colour
from agon.figures.drawing import INK, drawing_png, sheet

if TYPE_CHECKING:
    import matplotlib.axes

WIDTH, WIDEST, FLAT = 920, 460, 0.7  # CSS pixels of a row, most of a panel; a panel's height relative to its width
LEGEND = 30  # CSS pixels of height
DENSITY = 1.5  # dots in a CSS pixel


@dataclass(frozen=True)
class Density:
    """One histogram.

    Attributes:
        label: label in the legend, which lists each label once.
        edges: edges of the bins, in order; one more than there are bins.
        heights: heights of the bins.
        colour: #rrggbb; by default each label gets its own.
        median: x of a vertical line; None for no line.
    """

    label: str
    edges: Sequence[float]
    heights: Sequence[float]
    colour: str | None = None
    median: float | None = None

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.heights) + 1:
            raise SettingError(
                f"histogram {self.label}: expected an edge more than bins, got {len(self.edges)} edges and "
                f"{len(self.heights)} bins"
            )


def histograms_png(panels: Mapping[str, Sequence[Density]], *, columns: int, x_label: str = "") -> bytes:
    """Draw a PNG of titled panels in rows, with a common range of x, under one legend.

    Args:
        panels: title -> densities, from back to front.
        columns: panels in a row.
        x_label: label below the lowest panels.

    Raises:
        SettingError: there is no panel, or no column.
    """
    if not panels or columns < 1:
        raise SettingError(f"histograms: expected a panel or more in columns from 1, got {len(panels)} in {columns}")
    columns = min(columns, len(panels))
    rows, side = -(-len(panels) // columns), min(WIDTH / columns, WIDEST)
    figure = sheet(columns * side, rows * side * FLAT + LEGEND, density=DENSITY, constrained=True)
    inks = _inks(panels)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, (title, densities) in enumerate(panels.items()):
        _panel(axes[place // columns][place % columns], title, densities, inks)
    for place in range(len(panels), rows * columns):
        axes[place // columns][place % columns].set_visible(False)
    figure.supxlabel(x_label, fontsize=8, color=INK)
    legends = [panel.get_legend_handles_labels() for panel in axes.flat]
    handles = {label: line for lines, labels in legends for line, label in zip(lines, labels, strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=6, fontsize=8, frameon=False)
    return drawing_png(figure)


def _inks(panels: Mapping[str, Sequence[Density]]) -> dict[str, str]:
    """Label -> colour, in the labels' order."""
    given = {density.label: density.colour for densities in panels.values() for density in densities}
    return {label: ink or colour(index) for index, (label, ink) in enumerate(given.items())}


def _panel(axes: "matplotlib.axes.Axes", title: str, densities: Sequence[Density], inks: Mapping[str, str]) -> None:
    labelled: set[str] = set()
    for density in densities:
        ink = inks[density.label]
        label = None if density.label in labelled else density.label
        axes.stairs(density.heights, density.edges, color=ink, linewidth=1.1, label=label)
        labelled.add(density.label)
        if density.median is not None:
            axes.axvline(density.median, color=ink, linewidth=0.8)
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_yticks([])
    axes.tick_params(labelsize=7, colors=INK, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)

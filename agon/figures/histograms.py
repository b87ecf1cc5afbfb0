"""Densities as steps in panels, medians as vertical lines, as a paper compares distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agon.errors import SettingError
from agon.figures.colours import colour
from agon.figures.drawing import INK, drawing_png, sheet

if TYPE_CHECKING:
    import matplotlib.axes

WIDTH, WIDEST, FLAT = 920, 460, 0.7  # CSS pixels of a row, of a panel at most; a panel's height by its width
LEGEND = 30  # CSS pixels of height
DENSITY = 1.5  # dots in a CSS pixel


@dataclass(frozen=True)
class Density:
    """One histogram.

    Attributes:
        label: in the legend, which tells a label once.
        edges: of the bins, in order, one more than there are bins.
        heights: of the bins.
        colour: #rrggbb; by default the label's own.
        median: where a vertical line stands.
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
    """A PNG of titled panels in rows, all over the same range of x, under one legend.

    Args:
        panels: title -> densities, from the back to the front.
        columns: panels in a row.
        x_label: below the lowest panels.

    Raises:
        SettingError: no panel, or no column.
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
    handles = {label: line for each in axes.flat for line, label in zip(*each.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=6, fontsize=8, frameon=False)
    return drawing_png(figure)


def _inks(panels: Mapping[str, Sequence[Density]]) -> dict[str, str]:
    """Label -> colour, in the order in which the labels come."""
    own = {density.label: density.colour for densities in panels.values() for density in densities}
    return {label: ink or colour(index) for index, (label, ink) in enumerate(own.items())}


def _panel(axes: "matplotlib.axes.Axes", title: str, densities: Sequence[Density], inks: Mapping[str, str]) -> None:
    told: set[str] = set()
    for density in densities:
        ink = inks[density.label]
        label = None if density.label in told else density.label
        axes.stairs(density.heights, density.edges, color=ink, linewidth=1.1, label=label)
        told.add(density.label)
        if density.median is not None:
            axes.axvline(density.median, color=ink, linewidth=0.8)
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_yticks([])
    axes.tick_params(labelsize=7, colors=INK, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)

"""Curves with their intervals as bands, over a logarithmic axis of steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from agon.errors import SettingError
from agon.figures.colours import colour
from agon.figures.drawing import INK, drawing_png, sheet

WIDTH, HEIGHT = 560, 340  # CSS pixels


@dataclass(frozen=True)
class Band:
    """A curve and how surely it is known.

    Attributes:
        label: label in the legend.
        x: positions above 0, in order.
        y: values.
        half: half the widths of their intervals; 0 for none.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    half: Sequence[float]

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.y) == len(self.half):
            raise SettingError(
                f"band {self.label}: expected a y and a half for each x, got {len(self.x)} x, {len(self.y)} y and "
                f"{len(self.half)} half widths"
            )


def bands_png(bands: Sequence[Band], *, x_label: str, y_label: str, title: str = "") -> bytes:
    """Draw a PNG of curves with bands around them; x is logarithmic.

    Args:
        bands: from back to front.
        x_label: label below.
        y_label: label on the left.
        title: title above.
    """
    figure = sheet(WIDTH, HEIGHT, constrained=True)
    axes = figure.add_subplot()
    for index, band in enumerate(bands):
        low, high = ([y + sign * half for y, half in zip(band.y, band.half, strict=True)] for sign in (-1, 1))
        axes.fill_between(band.x, low, high, color=colour(index), alpha=0.2, linewidth=0)
        axes.plot(band.x, band.y, color=colour(index), linewidth=1.4, marker=".", markersize=5, label=band.label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda position, _: f"{position:,.0f}")
    axes.minorticks_off()
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_xlabel(x_label, fontsize=8, color=INK)
    axes.set_ylabel(y_label, fontsize=8, color=INK)
    axes.tick_params(labelsize=7, colors=INK, length=2)
    axes.grid(alpha=0.25, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    if len(bands) > 1:
        axes.legend(fontsize=8, frameon=False, loc="best")
    return drawing_png(figure)

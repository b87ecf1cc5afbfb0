"""A forest plot: differences with their intervals in rows, each on its own scale, around one line of no difference."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from agon.errors import SettingError
from agon.figures.colours import REAL, colour
from agon.figures.drawing import INK, drawing_png, sheet

if TYPE_CHECKING:
    import matplotlib.axes

WIDTH, ROW, HEAD, FOOT, LINE = 920, 26, 34, 14, 17  # CSS pixels
LEFT, RIGHT = 0.25, 0.55  # where the axes are, in widths
SHARE = 0.92  # of half the width, for the widest end of a row
DENSITY = 1.5  # dots in a CSS pixel
FONT, SMALL = 8, 7

Ends = tuple[float, float]


class ForestRow(NamedTuple):
    """One difference.

    Attributes:
        name: text on the left.
        value: the difference; below 0 on the left side.
        interval: its interval, a thick line; None if nothing is known of it.
        together: a wider interval, a thin line.
        decided: whether the dot is filled.
        text: numbers on the right.
        note: what follows from them, beside the numbers.
        describes: whether no side of it is better, which makes it grey.
    """

    name: str
    value: float
    interval: Ends | None
    together: Ends | None
    decided: bool
    text: str
    note: str = ""
    describes: bool = False


def forest_png(rows: Sequence[ForestRow], *, left: str, right: str, notes: Sequence[str] = ()) -> bytes:
    """Draw a PNG of a forest plot.

    Scores have different units, so every row has its own scale: 0 is in the middle of all, and the widest end of its
    intervals near the edge. The numbers on the right have the units.

    Args:
        rows: from top to bottom, at least one.
        left: what a difference below 0 means.
        right: what one above 0 means.
        notes: lines below the rows.

    Raises:
        SettingError: there is no row.
    """
    if not rows:
        raise SettingError("a forest plot: expected a row or more, got none")
    height = HEAD + ROW * len(rows) + FOOT + LINE * len(notes)
    figure = sheet(WIDTH, height, density=DENSITY)
    bottom = (FOOT + LINE * len(notes)) / height
    axes = figure.add_axes((LEFT, bottom, RIGHT - LEFT, ROW * len(rows) / height))
    axes.set(xlim=(-1, 1), ylim=(len(rows) - 0.5, -0.5))
    axes.axvline(0, color=INK, linewidth=0.8)
    for place, row in enumerate(rows):
        _draw(axes, place, row)
    _frame(axes, left, right)
    for place, note in enumerate(reversed(notes)):
        figure.text(0.01, (FOOT / 2 + LINE * place) / height, note, fontsize=SMALL, color=INK)
    return drawing_png(figure)


def _draw(axes: "matplotlib.axes.Axes", place: int, row: ForestRow) -> None:
    ends = [abs(end) for end in (row.value, *(row.interval or ()), *(row.together or ()))]
    unit = max(ends) / SHARE or 1.0
    side = 0 if row.value < 0 else 1
    ink = REAL if row.describes or row.value == 0 else colour(side)
    if place % 2:
        axes.axhspan(place - 0.5, place + 0.5, color=INK, alpha=0.035, linewidth=0)
    for line, width, alpha in ((row.together, 1.0, 0.9), (row.interval, 3.4, 0.55)):
        if line is not None:
            low, high = (end / unit for end in line)
            axes.plot([low, high], [place, place], color=ink, linewidth=width, alpha=alpha, solid_capstyle="butt")
    size, face = (6.5, ink) if row.interval else (5.0, "white")
    axes.plot(
        [row.value / unit],
        [place],
        marker="o" if row.interval else "D",
        markersize=size,
        markerfacecolor=face if row.decided else "white",
        markeredgecolor=ink,
        markeredgewidth=1.3,
    )
    _write(axes, -0.02, place, row.name, "right", bold=row.decided)
    _write(axes, 1.02, place, row.text, "left")
    _write(axes, 1.77, place, row.note, "left", bold=row.decided)


def _write(axes: "matplotlib.axes.Axes", x: float, place: int, text: str, side: str, *, bold: bool = False) -> None:
    """Write text beside the axes; `x` is in their widths."""
    weight = "bold" if bold else "normal"
    transform = axes.get_yaxis_transform()
    axes.text(x, place, text, transform=transform, ha=side, va="center", color=INK, fontweight=weight, fontsize=FONT)


def _frame(axes: "matplotlib.axes.Axes", left: str, right: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    for x, text, side, index in ((0.48, f"← {left}", "right", 0), (0.52, f"{right} →", "left", 1)):
        axes.text(x, 1.0, text, transform=axes.transAxes, ha=side, va="bottom", color=colour(index), fontsize=FONT)

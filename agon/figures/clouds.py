"""Scatter plots of points over training: a row for each run, the real points behind."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agon.errors import SettingError
from agon.figures.colours import REAL, colour
from agon.figures.density import PlaneFrame, PlanePoints, frame_around
from agon.figures.drawing import drawing_png, margin, outline, sheet, write

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

WIDTH, WIDEST, GAP, TOP = 920, 180, 5, 20  # CSS pixels
DENSITY = 1.5  # dots in a CSS pixel


def clouds_png(
    rows: Mapping[str, Sequence[PlanePoints]],
    columns: Sequence[str],
    *,
    real: PlanePoints | Mapping[str, PlanePoints] | None = None,
    corner: str = "",
    across: int | None = None,
) -> bytes:
    """Draw a PNG of scatter plots: each row's clouds in its own colour, on the real points in grey.

    All panels of a row share the frame around its real points. A panel shows the share of points outside if it is
    1 % or more.

    Args:
        rows: label -> clouds, from left to right; a label may have line breaks.
        columns: a label for each cloud of a row.
        real: real points behind every cloud, or row label -> real points; without any, the last cloud of the first
            line defines the frame.
        corner: heading for the columns' labels, on their left.
        across: most panels in a line; longer rows take several lines. By default a row is one line.

    Raises:
        SettingError: there is no row, a row does not have one cloud for each column, or a row has no real points
            although others do.
    """
    if not rows or not columns or any(len(row) != len(columns) for row in rows.values()):
        lengths = ", ".join(f"{label}: {len(row)}" for label, row in rows.items())
        raise SettingError(f"clouds: expected rows of {len(columns)} clouds, one a column, got {lengths or 'none'}")
    behind = real if isinstance(real, Mapping) else dict.fromkeys(rows, real)
    if missing := [label for label in rows if label not in behind]:
        raise SettingError(f"clouds: expected real points for every row, got none for {', '.join(missing)}")
    abreast = len(columns) if across is None else max(1, min(across, len(columns)))
    return drawing_png(draw(strips_of(rows, columns, abreast), behind, corner, abreast))


class Strip(NamedTuple):
    """A line of panels: a row, or a part of it.

    Attributes:
        row: label of the row.
        label: text on the left; empty except in the first line of a row.
        ink: colour of the clouds.
        clouds: clouds from left to right.
        heads: labels above the panels; empty if the line above has them.
    """

    row: str
    label: str
    ink: str
    clouds: Sequence[PlanePoints]
    heads: Sequence[str]


def strips_of(rows: Mapping[str, Sequence[PlanePoints]], columns: Sequence[str], across: int) -> list[Strip]:
    """Break rows into lines of at most `across` panels; if any row breaks, each line has its own column labels."""
    lines = []
    for index, (label, clouds) in enumerate(rows.items()):
        for start in range(0, len(columns), across):
            part = slice(start, start + across)
            heads = columns[part] if index == 0 or across < len(columns) else ()
            lines.append(Strip(label, "" if start else label, colour(index), clouds[part], heads))
    return lines


def draw(
    lines: Sequence[Strip], behind: Mapping[str, PlanePoints | None], corner: str, across: int
) -> "matplotlib.figure.Figure":
    """Draw the figure, not yet written as a PNG."""
    left, panel = layout([corner, *(line.label for line in lines)], across)
    width = left + across * (panel + GAP)
    y = height = sum(panel + GAP + (TOP if line.heads else 0) for line in lines)
    figure = sheet(width, height, density=DENSITY)
    for line in lines:
        real = behind[line.row]
        frame = frame_around(lines[0].clouds[-1] if real is None else real)
        for place, head in enumerate(line.heads):
            write(figure, left + place * (panel + GAP) + panel / 2, y - TOP / 2, head, "center")
        if line.heads:
            write(figure, left - 8, y - TOP / 2, corner, "right")
            y -= TOP
        y -= panel + GAP
        write(figure, left - 8, y + GAP + panel / 2, line.label, "right")
        for place, points in enumerate(line.clouds):
            x = left + place * (panel + GAP)
            axes = figure.add_axes((x / width, (y + GAP) / height, panel / width, panel / height))
            _panel(axes, points, real, frame, line.ink)
    return figure


def layout(labels: Sequence[str], across: int) -> tuple[float, float]:
    """CSS pixels on the left of the panels, and side of a panel in CSS pixels."""
    left = margin(labels)
    return left, min((WIDTH - left) / across - GAP, WIDEST)


def _panel(
    axes: "matplotlib.axes.Axes", points: PlanePoints, real: PlanePoints | None, frame: PlaneFrame, ink: str
) -> None:
    if real is not None:
        axes.scatter(real[:, 0], real[:, 1], s=1.5, color=REAL, alpha=0.35, linewidths=0)
    inside = ((points >= frame[0]) & (points <= frame[1])).all(axis=1)  # NaN is outside
    shown = points[inside]
    alpha = float(np.clip(1_000 / max(len(points), 1), 0.2, 0.9))
    axes.scatter(shown[:, 0], shown[:, 1], s=2, color=ink, alpha=alpha, linewidths=0)
    axes.set(xlim=frame[:, 0], ylim=frame[:, 1], xticks=[], yticks=[])
    outline(axes, astray=1 - float(inside.mean()))

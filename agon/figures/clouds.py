"""Clouds of points over the time of their trainings as scatter plots: a row a run, the real points behind."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agon.errors import SettingError
from agon.figures.colours import REAL, colour
from agon.figures.density import Frame, Points, square
from agon.figures.drawing import drawing_png, outline, sheet, write

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

WIDTH, WIDEST, GAP, TOP = 920, 180, 5, 20  # CSS pixels
LETTER = 6.2  # CSS pixels of a row's label, each
DENSITY = 1.5  # dots in a CSS pixel


def clouds_png(
    rows: Mapping[str, Sequence[Points]],
    columns: Sequence[str],
    *,
    real: Points | Mapping[str, Points] | None = None,
    corner: str = "",
    across: int | None = None,
) -> bytes:
    """A PNG of scatter plots: each row's clouds in a colour of its own, on the real points in grey.

    All panels of a row have the frame of its real points; how many points are outside of it is told where it is 1 %
    or more.

    Args:
        rows: label -> clouds, from left to right; a label may have line breaks.
        columns: a label for each cloud of a row.
        real: behind every cloud, or behind those of each row by its label; without any, the last
            cloud of the first line gives the frame.
        corner: what the columns' labels are, at the left of them.
        across: panels in a line, where a row takes several; by default all.

    Raises:
        SettingError: no row, a row with another number of clouds than there are columns, or one without real points
            where others have them.
    """
    if not rows or not columns or any(len(row) != len(columns) for row in rows.values()):
        lengths = ", ".join(f"{label}: {len(row)}" for label, row in rows.items())
        raise SettingError(f"clouds: expected rows of {len(columns)} clouds, one a column, got {lengths or 'none'}")
    behind = real if isinstance(real, Mapping) else dict.fromkeys(rows, real)
    if missing := [label for label in rows if label not in behind]:
        raise SettingError(f"clouds: expected real points for every row, got none for {', '.join(missing)}")
    abreast = len(columns) if across is None else max(1, min(across, len(columns)))
    return drawing_png(drawn(broken(rows, columns, abreast), behind, corner, abreast))


class Line(NamedTuple):
    """Panels side by side: a row, or a part of it.

    Attributes:
        row: the label of its row.
        label: at the left; nothing but for the first of a row.
        ink: colour of its clouds.
        clouds: from left to right.
        heads: above them; none where the line above has them.
    """

    row: str
    label: str
    ink: str
    clouds: Sequence[Points]
    heads: Sequence[str]


def broken(rows: Mapping[str, Sequence[Points]], columns: Sequence[str], across: int) -> list[Line]:
    """The rows in lines of at most `across` panels; where that breaks any, each line has the labels of its columns."""
    lines = []
    for index, (label, clouds) in enumerate(rows.items()):
        for start in range(0, len(columns), across):
            part = slice(start, start + across)
            heads = columns[part] if index == 0 or across < len(columns) else ()
            lines.append(Line(label, "" if start else label, colour(index), clouds[part], heads))
    return lines


def drawn(
    lines: Sequence[Line], behind: Mapping[str, Points | None], corner: str, across: int
) -> "matplotlib.figure.Figure":
    """The picture before it is a file."""
    left, panel = layout([corner, *(line.label for line in lines)], across)
    width = left + across * (panel + GAP)
    y = height = sum(panel + GAP + (TOP if line.heads else 0) for line in lines)
    figure = sheet(width, height, density=DENSITY)
    for line in lines:
        real = behind[line.row]
        frame = square(lines[0].clouds[-1] if real is None else real)
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
    """CSS pixels at the left of the panels, and of a panel's side."""
    left = 16 + LETTER * max(len(line) for label in labels for line in label.split("\n"))
    return left, min((WIDTH - left) / across - GAP, WIDEST)


def _panel(axes: "matplotlib.axes.Axes", points: Points, real: Points | None, frame: Frame, ink: str) -> None:
    if real is not None:
        axes.scatter(real[:, 0], real[:, 1], s=1.5, color=REAL, alpha=0.35, linewidths=0)
    inside = ((points >= frame[0]) & (points <= frame[1])).all(axis=1)  # what is not a number is outside
    shown = points[inside]
    alpha = float(np.clip(1_000 / max(len(points), 1), 0.2, 0.9))
    axes.scatter(shown[:, 0], shown[:, 1], s=2, color=ink, alpha=alpha, linewidths=0)
    axes.set(xlim=frame[:, 0], ylim=frame[:, 1], xticks=[], yticks=[])
    outline(axes, astray=1 - float(inside.mean()))

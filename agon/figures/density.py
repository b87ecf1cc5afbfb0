"""Heat maps of points over training: a row for each run, the real points last."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from agon.errors import SettingError
from agon.figures.drawing import margin, outline, sheet, write
from agon.figures.points import ALIKE

if TYPE_CHECKING:
    import matplotlib.axes

PANEL, LEFT, TOP, GAP = 114, 64, 24, 5  # CSS pixels; seven panels are as wide as a README
LONGEST = 14  # letters of a line of a row's label, where its words allow it
DENSITY = 2  # dots in a CSS pixel: sharp on a good screen
CELLS = 160  # cells of the heat map along each side
MARGIN = 0.25  # margin around the real data, as a share of their extent
SMOOTH = 0.02  # the kernel's standard deviation, as a share of the frame's side

PlanePoints = Float[np.ndarray, "_ 2"]  # clouds of one picture may differ in number
PlaneFrame = Float[np.ndarray, "2 2"]  # least and greatest value shown of each coordinate


def density_png(
    rows: Mapping[str, Sequence[PlanePoints]],
    columns: Sequence[str],
    *,
    corner: str = "",
    frame: PlaneFrame | None = None,
) -> bytes:
    """Draw a PNG of heat maps: the Gaussian kernel density of each cloud, scaled by its own maximum.

    Each panel has its own colour scale, as in figure 1 of metz2017: a panel shows where the mass is, but
    colours cannot be compared between panels.

    Args:
        rows: label -> clouds, from left to right; the last cloud is real points. A long label takes several lines.
        columns: a label for each cloud of a row.
        corner: heading for the columns' labels, on their left.
        frame: ((x least, y least), (x greatest, y greatest)); by default that around the first row's
            last cloud, with a margin.

    Raises:
        SettingError: there is no row, or a row does not have one cloud for each column.
    """
    if not rows or not columns or any(len(row) != len(columns) for row in rows.values()):
        lengths = ", ".join(f"{label}: {len(row)}" for label, row in rows.items())
        raise SettingError(f"heat maps: expected rows of {len(columns)} clouds, one a column, got {lengths or 'none'}")
    shown = frame_around(next(iter(rows.values()))[-1]) if frame is None else frame
    return _draw(rows, columns, corner, shown)


def frame_around(points: PlanePoints) -> PlaneFrame:
    """The frame around the finite points, with a margin; [-1, 1]² if no point is finite.

    It is a square, unless one coordinate's extent is over `ALIKE` times the other's: such have different units.
    """
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return np.array([[-1.0, -1.0], [1.0, 1.0]])
    low, high = finite.min(axis=0), finite.max(axis=0)
    extent = high - low
    if not 0 < ALIKE * extent.min() < extent.max():  # of one unit, or on a line, as a collapsed generator's
        extent = np.full(2, max(float(extent.max()), 1e-3))
    half = extent * (0.5 + MARGIN)
    centre = (low + high) / 2
    return np.stack([centre - half, centre + half])


def density(points: PlanePoints, frame: PlaneFrame) -> Float[np.ndarray, "y x"]:
    """Kernel density in the frame's cells, up to a factor: Σ_i exp(-|cell - x_i|² / 2s²), s = 2 % of its side.

    Points that are not finite are ignored. The Gaussian is a product over the two coordinates, so one matrix
    product computes the sum exactly.
    """
    finite = points[np.isfinite(points).all(axis=1)]
    side = frame[1] - frame[0]
    places = (np.arange(CELLS) + 0.5) / CELLS
    along = (finite - frame[0]) / side  # n 2, in [0, 1] where shown
    x, y = (np.exp(-(((places - along[:, axis, None]) / SMOOTH) ** 2) / 2) for axis in (0, 1))  # n CELLS
    return np.asarray(y.T @ x)


def _draw(rows: Mapping[str, Sequence[PlanePoints]], columns: Sequence[str], corner: str, frame: PlaneFrame) -> bytes:
    labels = {label: fill(label, LONGEST, break_long_words=False) for label in rows}
    across = max(LEFT, margin([corner, *labels.values()]))
    width = across + len(columns) * (PANEL + GAP)
    height = TOP + len(rows) * (PANEL + GAP)
    figure = sheet(width, height, density=DENSITY)
    for row, (label, clouds) in enumerate(rows.items()):
        bottom = height - TOP - (row + 1) * (PANEL + GAP) + GAP
        write(figure, across - 8, bottom + PANEL / 2, labels[label], "right")
        for column, points in enumerate(clouds):
            left = across + column * (PANEL + GAP)
            axes = figure.add_axes((left / width, bottom / height, PANEL / width, PANEL / height))
            _panel(axes, points, frame)
            if row == 0:
                write(figure, left + PANEL / 2, height - TOP / 2, columns[column], "center")
    write(figure, across - 8, height - TOP / 2, corner, "right")
    file = BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _panel(axes: "matplotlib.axes.Axes", points: PlanePoints, frame: PlaneFrame) -> None:
    heat = density(points, frame)
    axes.imshow(heat, cmap="Greens", vmin=0, vmax=max(float(heat.max()), 1.0), origin="lower", interpolation="none")
    axes.set(xticks=[], yticks=[])
    inside = (points >= frame[0]) & (points <= frame[1])  # NaN is outside
    outline(axes, astray=1 - float(inside.all(axis=1).mean()))

"""Points in one panel: a histogram of one coordinate or a scatter plot of two, with the real points in grey."""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from agon.errors import require
from agon.figures.colours import REAL

if TYPE_CHECKING:
    import matplotlib.axes

DENSITY = 2  # dots in a CSS pixel: sharp on a good screen
BINS = 60
FLAT = 0.7  # a histogram's height relative to its width
ALIKE = 4  # coordinates whose extents differ more have other units, and do not share a scale
MARGIN = 0.25  # margin around the real data, as a share of their extent; points further out are not drawn
INK = "#8a8f98"  # axes and numbers: legible on white and on black

Points = Float[np.ndarray, "n d"]
Real = Float[np.ndarray, "m d"]  # the same dimension, another number of points
Frame = Float[np.ndarray, "2 d"]  # least and greatest value shown of each coordinate


def points_png(
    samples: Points, frame: Frame, *, width: int, ink: str, real: Real | None = None, bare: bool = False
) -> tuple[bytes, int]:
    """Draw points as a transparent PNG: a density of one coordinate, or a scatter plot of the first two.

    Args:
        samples: points; those outside the frame are not drawn.
        frame: the box to show, see `frame_of`.
        width: width of the picture in CSS pixels.
        ink: colour of the samples, #rrggbb.
        real: real points, drawn behind the samples in grey.
        bare: whether to leave out the numbers at the axes.

    Returns:
        The PNG, and its height in CSS pixels.
    """
    require("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = width if samples.shape[1] > 1 else round(width * FLAT)
    figure = Figure(figsize=(width / 100, height / 100), dpi=100 * DENSITY, layout="constrained")
    axes = FigureCanvasAgg(figure).figure.add_subplot()
    (_scatter if samples.shape[1] > 1 else _histogram)(axes, real, samples, frame, ink)
    _dress(axes, bare)
    file = BytesIO()
    figure.savefig(file, format="png", transparent=True, metadata={"Software": None})
    return file.getvalue(), height


def frame_of(points: Points) -> Frame:
    """The box around the finite points, with a margin; from -1 to 1 if no point is finite."""
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return np.array([[-1.0] * points.shape[1], [1.0] * points.shape[1]])
    low, high = finite.min(axis=0), finite.max(axis=0)
    margin = MARGIN * np.maximum(high - low, 1e-3)
    return np.stack([low - margin, high + margin])


def inside(points: Points, frame: Frame) -> Bool[np.ndarray, " n"]:
    """Whether each point is inside the frame; one that is not finite is not."""
    shown = slice(0, min(2, points.shape[1]))
    within = (points[:, shown] >= frame[0, shown]) & (points[:, shown] <= frame[1, shown])
    return np.asarray(within.all(axis=1))


def _scatter(axes: "matplotlib.axes.Axes", real: Real | None, samples: Points, frame: Frame, ink: str) -> None:
    """A scatter plot of two coordinates; fewer points are more opaque."""
    if real is not None:
        axes.scatter(real[:, 0], real[:, 1], s=2, color=REAL, alpha=0.25, linewidths=0)
    alpha = float(np.clip(300 / max(len(samples), 1), 0.15, 0.9))
    shown = samples[inside(samples, frame)]
    axes.scatter(shown[:, 0], shown[:, 1], s=5, color=ink, alpha=alpha, linewidths=0)
    width, height = np.ptp(frame[:, :2], axis=0)
    units = "equal" if 1 / ALIKE < height / width < ALIKE else "auto"
    axes.set(xlim=frame[:, 0], ylim=frame[:, 1], aspect=units)


def _histogram(axes: "matplotlib.axes.Axes", real: Real | None, samples: Points, frame: Frame, ink: str) -> None:
    """A density of one coordinate, so that different numbers of real and generated points compare."""
    edges = np.linspace(frame[0, 0], frame[1, 0], BINS + 1)
    for points, colour, filled in ((real, REAL, True), (samples, ink, False)):
        if points is not None and inside(points, frame).any():
            counts = np.histogram(points[inside(points, frame)], edges)[0]
            axes.stairs(counts / (len(points) * np.diff(edges)), edges, color=colour, fill=filled, alpha=0.9)
    axes.set(xlim=frame[:, 0], yticks=[])


def _dress(axes: "matplotlib.axes.Axes", bare: bool) -> None:
    axes.tick_params(colors=INK, labelsize=8, length=2)
    for spine in axes.spines.values():
        spine.set_color(INK)
        spine.set_alpha(0.5)
    if bare:
        axes.set(xticks=[], yticks=[])

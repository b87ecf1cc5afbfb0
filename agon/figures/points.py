"""Points in one panel, as SVG: a histogram of one coordinate or a scatter plot of two, with the real points in grey."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from agon.figures.colours import REAL
from agon.figures.numbers import number

BINS = 60
FLAT = 0.6  # a histogram's height relative to its width
MARGIN = 0.06  # margin around the real data, as a share of their extent; points further out are not drawn
MOST = 1_000  # points drawn of each cloud; the first ones
LAYERS = 4  # paths of a cloud, whose opacities add up where points are dense
BELOW, LEFT = 18, 26  # CSS pixels for the numbers at the axes
RADIUS = 1.6  # CSS pixels, in a panel of 360
ALIKE = 4  # coordinates whose extents differ more have other units, and do not share a scale
INK = "#8a8f98"  # axes and numbers: legible on white and on black

Points = Float[np.ndarray, "n d"]
Real = Float[np.ndarray, "m d"]  # the same dimension, another number of points
Frame = Float[np.ndarray, "2 d"]  # least and greatest value shown of each coordinate
Box = tuple[float, float, float, float]  # left, top, right, bottom of the panel in CSS pixels


def points_svg(
    samples: Points, frame: Frame, *, width: int, ink: str, real: Real | None = None, bare: bool = False
) -> tuple[str, int]:
    """Draw points as a transparent SVG: a density of one coordinate, or a scatter plot of the first two.

    Args:
        samples: points; those outside the frame are not drawn, and of many, the first `MOST`.
        frame: the box to show, see `frame_of`.
        width: width of the picture in CSS pixels.
        ink: colour of the samples, #rrggbb.
        real: real points, drawn behind the samples in grey.
        bare: whether to leave out the numbers at the axes.

    Returns:
        The SVG, and its height in CSS pixels.
    """
    plane = samples.shape[1] > 1
    height = width if plane else round(width * FLAT)
    box = (1.0, 1.0, width - 1.0, height - 1.0) if bare else (LEFT + 0.0, 1.0, width - 1.0, height - BELOW - 0.0)
    if plane:
        box = _square(box)
    draw = _scatter if plane else _histogram
    parts = [
        *draw(real, samples, frame, ink, box, width),
        _outline(box),
        *([] if bare else _numbers(frame, box, plane)),
    ]
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>', height


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


def _square(box: Box) -> Box:
    """Shorten the longer side, so that a circle of points fills the panel and stays a circle."""
    left, top, right, bottom = box
    side = min(right - left, bottom - top)
    return left, top, left + side, top + side


def _scatter(real: Real | None, samples: Points, frame: Frame, ink: str, box: Box, width: int) -> Iterator[str]:
    """A scatter plot of two coordinates, on equal scales."""
    size = 2 * RADIUS * math.sqrt(width / 360)
    if real is not None:
        yield from _dots(real, frame, box, REAL, size, 0.25)
    yield from _dots(samples, frame, box, ink, size, 0.55)


def _dots(points: Points, frame: Frame, box: Box, ink: str, size: float, opacity: float) -> Iterator[str]:
    shown = points[:MOST]
    shown = shown[inside(shown, frame)][:, :2]
    low, scale, start = _placed(frame[:, :2], box)
    x, y = start[0] + (shown[:, 0] - low[0]) * scale[0], start[1] - (shown[:, 1] - low[1]) * scale[1]
    for layer in range(LAYERS):
        places = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x[layer::LAYERS], y[layer::LAYERS], strict=True))
        if places:
            style = f'stroke="{ink}" stroke-width="{size:.2f}" stroke-opacity="{opacity}" stroke-linecap="round"'
            yield f'<path d="{places}" {style}/>'


def _placed(frame: Frame, box: Box) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Least coordinates, pixels in a unit (the same on both axes if their extents are alike), corner of the least."""
    left, top, right, bottom = box
    extent = frame[1] - frame[0]
    scale = np.array([right - left, bottom - top]) / extent
    if 1 / ALIKE < extent[1] / extent[0] < ALIKE:
        scale = np.full(2, scale.min())
    used = scale * extent
    return frame[0], scale, (left + (right - left - used[0]) / 2, bottom - (bottom - top - used[1]) / 2)


def _histogram(real: Real | None, samples: Points, frame: Frame, ink: str, box: Box, width: int) -> Iterator[str]:
    """A density of one coordinate, so that different numbers of real and generated points compare."""
    edges = np.linspace(frame[0, 0], frame[1, 0], BINS + 1)
    clouds = {colour: points for colour, points in ((REAL, real), (ink, samples)) if points is not None}
    heights = {colour: _density(points, frame, edges) for colour, points in clouds.items()}
    highest = max(float(density.max()) for density in heights.values()) or 1.0
    for colour, density in heights.items():
        filled = f'fill="{colour}" fill-opacity="0.5"' if colour == REAL else f'fill="none" stroke="{colour}"'
        if density.any():
            yield f'<path d="{_stairs(density / highest, box)}" {filled} stroke-width="1.5"/>'


def _density(points: Points, frame: Frame, edges: np.ndarray) -> np.ndarray:
    counts = np.histogram(points[inside(points, frame)], edges)[0]
    return np.asarray(counts / (len(points) * np.diff(edges)))


def _stairs(heights: np.ndarray, box: Box) -> str:
    left, top, right, bottom = box
    step, room = (right - left) / len(heights), 0.95 * (bottom - top)
    levels = "".join(f"V{bottom - height * room:.1f}H{left + (i + 1) * step:.1f}" for i, height in enumerate(heights))
    return f"M{left:.1f} {bottom:.1f}{levels}V{bottom:.1f}"


def _outline(box: Box) -> str:
    left, top, right, bottom = box
    size = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
    return f'<rect {size} fill="none" stroke="{INK}" stroke-opacity="0.5"/>'


def _numbers(frame: Frame, box: Box, plane: bool) -> Iterator[str]:
    """The least, middle and greatest round number at each axis."""
    left, _, right, bottom = box
    font = f'fill="{INK}" font-family="sans-serif" font-size="10"'
    if plane:
        low, scale, (x, y) = _placed(frame[:, :2], box)
    else:
        low, scale, (x, y) = frame[0], (right - left) / (frame[1] - frame[0]), (left, bottom)
    for tick in _ticks(frame[:, 0]):
        yield f'<text x="{x + (tick - low[0]) * scale[0]:.1f}" y="{bottom + 13}" text-anchor="middle" {font}>'
        yield f"{number(tick, 2)}</text>"
    for tick in _ticks(frame[:, 1]) if plane else ():
        yield f'<text x="{left - 5}" y="{y - (tick - low[1]) * scale[1] + 3:.1f}" text-anchor="end" {font}>'
        yield f"{number(tick, 2)}</text>"


def _ticks(ends: np.ndarray) -> list[float]:
    """Up to five round numbers between two ends."""
    rough = float(ends[1] - ends[0]) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(float(ends[0]) / step)
    return [round(place * step, 12) for place in range(first, math.floor(float(ends[1]) / step) + 1)]

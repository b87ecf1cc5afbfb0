"""Samples that are points: a histogram of one coordinate, a scatter of two, beside the real ones."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from agon.errors import RunError, require
from agon.figures.colours import REAL, colour
from agon.report.embedding import Picture, embed, spread
from agon.report.reading import View, content_of
from agon.runs.arrays import array

if TYPE_CHECKING:
    import matplotlib.axes

LARGE, SMALL = 360, 124  # CSS pixels of a panel's width: the last step, a step on the way
DENSITY = 2  # dots in a CSS pixel: sharp on a good screen
STEPS = 8
BINS = 60
MARGIN = 0.25  # of the real data's extent, around it: samples that went astray are counted, not chased
INK = "#8a8f98"  # axes and numbers: legible on white and on black

Points = Float[np.ndarray, "n d"]
Real = Float[np.ndarray, "m d"]  # as many coordinates, another number of points
Frame = Float[np.ndarray, "2 d"]  # least and greatest value shown of each coordinate


class Story(NamedTuple):
    """One run's samples over time, on the frame of the real data."""

    run: str
    colour: str
    panels: list[Picture]


def beside(views: Sequence[View]) -> list[Picture]:
    """Each run's last points, on its real ones (d = 1) or beside them (d = 2, or the first two of more).

    Raises:
        RunError: a file of samples that cannot be read, or has not as many coordinates as the real ones.
    """
    panels: dict[bytes, Picture] = {}  # by what they show: runs that share their real points show them once
    frames = _frames(views)
    for index, view in enumerate(views):
        if not (files := _points(view)):
            continue
        step, real, name = max(files), _real(view), f"{view.name}, " if len(views) > 1 else ""
        samples = _read(files[step], real)
        frame = frames[samples.shape[1]]
        if real is not None and samples.shape[1] > 1 and real.tobytes() not in panels:
            panels[real.tobytes()] = _panel(f"{name}real", None, real, frame, LARGE, REAL)
        last = _panel(f"{name}step {step:,}", real, samples, frame, LARGE, colour(index))
        panels[view.name.encode()] = last
    return list(panels.values())


def undrawn(views: Sequence[View]) -> list[str]:
    """A sentence for each run whose samples are neither images nor points.

    Raises:
        RunError: a file of samples that cannot be read.
    """
    told = []
    for view in views:
        shapes = [_load(file).shape[1:] for _, file in sorted(_arrays(view).items())[-1:]]
        name = f"{view.name}: " if len(views) > 1 else ""
        told += [
            f"{name}samples of shape {shape} are neither images nor points, and are not drawn; "
            "numpy reads them from the files in samples/"
            for shape in shapes
            if len(shape) != 1
        ]
    return told


def stories(views: Sequence[View]) -> list[Story]:
    """For each run with points at two steps or more: small panels at steps spread over its training.

    Raises:
        RunError: a file of samples that cannot be read, or has not as many coordinates as the real ones.
    """
    frames = _frames(views)
    return [
        Story(view.name, colour(index), _story(view, frames, colour(index)))
        for index, view in enumerate(views)
        if len(_points(view)) > 1
    ]


def _story(view: View, frames: Mapping[int, Frame], run: str) -> list[Picture]:
    files, real = _points(view), _real(view)
    last = _read(files[max(files)], real)
    frame = frames[last.shape[1]]
    return [
        _panel(f"{step:,}", real, _read(files[step], last), frame, SMALL, run) for step in spread(list(files), STEPS)
    ]


def _frames(views: Sequence[View]) -> dict[int, Frame]:
    """Number of coordinates -> the frame of all runs' real points, or last samples where none are real."""
    clouds: dict[int, list[Points]] = {}
    for view in views:
        if files := _points(view):
            real = _real(view)
            cloud = _read(files[max(files)]) if real is None else real
            clouds.setdefault(cloud.shape[1], []).append(cloud)
    return {d: _frame(np.concatenate(cloud)) for d, cloud in clouds.items()}


def _panel(caption: str, real: Real | None, samples: Points, frame: Frame, width: int, run: str) -> Picture:
    require("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = width if samples.shape[1] > 1 else round(width * 0.7)
    figure = Figure(figsize=(width / 100, height / 100), dpi=100 * DENSITY, layout="constrained")
    axes = FigureCanvasAgg(figure).figure.add_subplot()
    (_scatter if samples.shape[1] > 1 else _histogram)(axes, real, samples, frame, run)
    _dress(axes, bare=width < LARGE)
    file = BytesIO()
    figure.savefig(file, format="png", transparent=True, metadata={"Software": None})
    astray = int((~_inside(samples, frame)).sum())
    note = f"{astray:,} of {len(samples):,} outside" if astray else ""
    alt = f"{len(samples)} points: {caption}"
    return Picture(caption, embed(file.getvalue()), width, height, alt, None if run == REAL else run, note)


def _scatter(axes: "matplotlib.axes.Axes", real: Real | None, samples: Points, frame: Frame, run: str) -> None:
    """Two coordinates; the fewer the points, the larger and the more opaque."""
    if real is not None:
        axes.scatter(real[:, 0], real[:, 1], s=2, color=REAL, alpha=0.25, linewidths=0)
    alpha = float(np.clip(300 / max(len(samples), 1), 0.15, 0.9))
    shown = samples[_inside(samples, frame)]
    axes.scatter(shown[:, 0], shown[:, 1], s=5, color=run, alpha=alpha, linewidths=0)
    axes.set(xlim=frame[:, 0], ylim=frame[:, 1], aspect="equal")


def _histogram(axes: "matplotlib.axes.Axes", real: Real | None, samples: Points, frame: Frame, run: str) -> None:
    """One coordinate, as a density, so that unequal numbers of real and generated points compare."""
    edges = np.linspace(frame[0, 0], frame[1, 0], BINS + 1)
    for points, ink, filled in ((real, REAL, True), (samples, run, False)):
        if points is not None and _inside(points, frame).any():
            counts = np.histogram(points[_inside(points, frame)], edges)[0]
            axes.stairs(counts / (len(points) * np.diff(edges)), edges, color=ink, fill=filled, alpha=0.9)
    axes.set(xlim=frame[:, 0], yticks=[])


def _dress(axes: "matplotlib.axes.Axes", bare: bool) -> None:
    axes.tick_params(colors=INK, labelsize=8, length=2)
    for spine in axes.spines.values():
        spine.set_color(INK)
        spine.set_alpha(0.5)
    if bare:
        axes.set(xticks=[], yticks=[])


def _frame(points: Points) -> Frame:
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return np.array([[-1.0] * points.shape[1], [1.0] * points.shape[1]])
    low, high = finite.min(axis=0), finite.max(axis=0)
    margin = MARGIN * np.maximum(high - low, 1e-3)
    return np.stack([low - margin, high + margin])


def _inside(points: Points, frame: Frame) -> Bool[np.ndarray, " n"]:
    """Which points are shown; one that is not finite is nowhere."""
    shown = slice(0, min(2, points.shape[1]))
    within = (points[:, shown] >= frame[0, shown]) & (points[:, shown] <= frame[1, shown])
    return np.asarray(within.all(axis=1))


def _real(view: View) -> Real | None:
    return _read(view.real) if view.real is not None and view.real.suffix == ".npy" else None


def _points(view: View) -> Mapping[int, Path]:
    """The files of points; none where they are of samples that cannot be drawn as points."""
    files = _arrays(view)
    return files if files and _load(files[max(files)]).ndim <= 2 else {}


def _arrays(view: View) -> dict[int, Path]:
    return {step: file for step, file in view.samples.items() if file.suffix == ".npy"}


def _load(file: Path) -> np.ndarray:
    try:
        return array(content_of(file))
    except (OSError, ValueError, EOFError) as error:
        raise RunError(f"{file} is not an array of points ({error}); delete it and report again") from error


def _read(file: Path, like: Real | None = None) -> Points:
    """The points of a file, with as many coordinates as `like` if it is given."""
    points = _load(file)
    d = "d" if like is None else like.shape[1]
    if points.ndim != 2 or points.shape[1] < 1 or d not in ("d", points.shape[1]) or points.dtype.kind != "f":
        raise RunError(
            f"{file}: expected floating point numbers of shape (n, {d}), got {points.dtype} {points.shape}; "
            "delete it and report again"
        )
    return np.asarray(points, dtype=np.float64)

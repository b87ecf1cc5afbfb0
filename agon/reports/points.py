"""Plots of points beside the real ones: a histogram of one coordinate, a scatter plot of two."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agon.errors import RunError
from agon.figures.colours import REAL, colour
from agon.figures.points import Frame, Points, Real, frame_of, inside, points_svg
from agon.figures.spacing import spread
from agon.reports.embedding import NARROW, Picture, embed_svg
from agon.reports.reading import View, same_data, trained
from agon.runs.layout import POINTS
from agon.runs.snapshots import read_array

LARGE, MIDDLE, SMALL = 360, 200, 124  # width of a panel in CSS pixels: of the last step, an alarm, an earlier step
STEPS = 8


class Story(NamedTuple):
    """One run's samples over time, in the frame of the real data."""

    run: str
    colour: str
    panels: list[Picture]


def beside(views: Sequence[View]) -> list[Picture]:
    """Draw each run's last points, over its real ones (d = 1) or beside them (the first two coordinates if d >= 2).

    Raises:
        RunError: a file of samples cannot be read, or differs from the real ones in its number of coordinates.
    """
    panels: dict[tuple[str, str], Picture] = {}  # real points shared by runs are shown once
    frames = _frames(views)
    for index, view in enumerate(views):
        if not (files := _points(view)):
            continue
        step, real, name = max(files), _real(view), f"{view.name}, " if len(views) > 1 else ""
        samples = _read(files[step], real)
        frame = frames[samples.shape[1]]
        if real is not None and samples.shape[1] > 1 and ("real", same_data(view)) not in panels:
            panels["real", same_data(view)] = _panel(f"{name}real", None, real, frame, LARGE, REAL)
        last = _panel(f"{name}step {step:,}", real, samples, frame, LARGE, colour(index))
        panels["run", view.name] = last
    return list(panels.values())


def undrawn(views: Sequence[View]) -> list[str]:
    """Return a sentence for each run whose samples are neither images nor points.

    Raises:
        RunError: a file of samples cannot be read.
    """
    sentences = []
    for view in views:
        shapes = [_load(file).shape[1:] for _, file in sorted(_arrays(view).items())[-1:]]
        name = f"{view.name}: " if len(views) > 1 else ""
        sentences += [
            f"{name}samples of shape {shape} are neither images nor points, and are not drawn; "
            "numpy reads them from the files in samples/"
            for shape in shapes
            if len(shape) != 1
        ]
    return sentences


def stories(views: Sequence[View]) -> list[Story]:
    """Return small panels at steps spread over the training, for each run with points at two or more such steps.

    Step 0, whose samples show nothing, is left out.

    Raises:
        RunError: a file of samples cannot be read, or differs from the real ones in its number of coordinates.
    """
    frames = _frames(views)
    return [
        Story(view.name, colour(index), _story(view, frames, colour(index)))
        for index, view in enumerate(views)
        if len(trained(_points(view))) > 1
    ]


def at(index: int, view: View, step: int) -> Picture | None:
    """Return the samples of one step of the run with this index on the page, small; None if they are no points.

    Raises:
        RunError: a file of samples cannot be read, or differs from the real ones in its number of coordinates.
    """
    file = _points(view).get(step)
    if file is None:
        return None
    samples = _read(file, _real(view))
    return _panel(f"step {step:,}", _real(view), samples, _frames([view])[samples.shape[1]], MIDDLE, colour(index))


def _story(view: View, frames: Mapping[int, Frame], run: str) -> list[Picture]:
    files, real = trained(_points(view)), _real(view)
    last = _read(files[max(files)], real)
    frame = frames[last.shape[1]]
    return [
        _panel(f"{step:,}", real, _read(files[step], last), frame, SMALL, run) for step in spread(list(files), STEPS)
    ]


def _frames(views: Sequence[View]) -> dict[int, Frame]:
    """Return number of coordinates -> frame of all runs' real points, or of last samples where there are none."""
    clouds: dict[int, list[Points]] = {}
    for view in views:
        if files := _points(view):
            real = _real(view)
            cloud = _read(files[max(files)]) if real is None else real
            clouds.setdefault(cloud.shape[1], []).append(cloud)
    return {d: frame_of(np.concatenate(cloud)) for d, cloud in clouds.items()}


def _panel(caption: str, real: Real | None, samples: Points, frame: Frame, width: int, run: str) -> Picture:
    svg, height = points_svg(samples, frame, width=width, ink=run, real=real, bare=width < LARGE)
    outside = int((~inside(samples, frame)).sum())
    note = f"{outside:,} of {len(samples):,} outside" if outside else ""
    alt = f"{len(samples)} points: {caption}"
    ink, narrow = None if run == REAL else run, min(width, NARROW)
    return Picture(caption, embed_svg(svg), width, height, alt, ink, note, narrow, crisp=False)


def _real(view: View) -> Real | None:
    return _read(view.real) if view.real is not None and view.real.suffix == POINTS else None


def _points(view: View) -> Mapping[int, Path]:
    """Return the files of points; none if the samples cannot be drawn as points."""
    files = _arrays(view)
    return files if files and _load(files[max(files)]).ndim <= 2 else {}


def _arrays(view: View) -> dict[int, Path]:
    return {step: file for step, file in view.samples.items() if file.suffix == POINTS}


def _load(file: Path) -> np.ndarray:
    try:
        return read_array(file)
    except (OSError, ValueError, EOFError) as error:
        raise RunError(f"{file} is not an array of points ({error}); delete it and report again") from error


def _read(file: Path, like: Real | None = None) -> Points:
    """Read the points of a file, which must have as many coordinates as `like` if it is given."""
    points = _load(file)
    d = "d" if like is None else like.shape[1]
    if points.ndim != 2 or points.shape[1] < 1 or d not in ("d", points.shape[1]) or points.dtype.kind != "f":
        raise RunError(
            f"{file}: expected floating point numbers of shape (n, {d}), got {points.dtype} {points.shape}; "
            "delete it and report again"
        )
    return np.asarray(points, dtype=np.float64)

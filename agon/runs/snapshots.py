"""Snapshots: real samples, once, and samples from fixed latents at several steps of a training.

Images are a PNG grid; points "n d" and everything else are a float32 array in numpy's format.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor

from agon.data.source import Source, as_bytes
from agon.errors import DataError, RunError
from agon.figures.grids import Grid
from agon.figures.pictures import grid_png, pictured, read_grid
from agon.runs.arrays import array
from agon.runs.directory import content_of, unreadable
from agon.runs.layout import IMAGES, POINTS, REAL
from agon.runs.run import Run

ADVICE = "delete it, and go on without that step"


def snapshot(
    samples: Shaped[Tensor, "n *shape"], source: Source, step: int | None, columns: int | None = None
) -> tuple[str, bytes]:
    """Return the name and the content of a snapshot's file, for `Run.picture`; points are in the stored data's units.

    Args:
        samples: "n *shape", as the source draws them.
        source: source of the real samples.
        step: step of the training; None for real samples.
        columns: images in a row of the grid; None for a grid that is nearly square.
    """
    stem = REAL if step is None else f"{step:08d}"
    if pictured(source.shape):
        return f"{stem}{IMAGES}", grid_png(as_bytes(samples.cpu(), source), columns)
    content = io.BytesIO()
    np.save(content, source.restored(samples.cpu()).numpy().astype(np.float32), allow_pickle=False)
    return f"{stem}{POINTS}", content.getvalue()


def read_images(path: Path) -> UInt8[np.ndarray, "n c h w"]:
    """Read the images of a snapshot's file.

    Raises:
        OSError: there is no such regular file, or it cannot be read.
        DataError: it holds no grid of images.
    """
    return read_images_laid_out(path).tiles


def read_images_laid_out(path: Path) -> Grid:
    """Read the same with their layout.

    Raises:
        OSError, DataError: as of `read_images`.
    """
    return read_grid(content_of(path), str(path))


def read_array(path: Path) -> np.ndarray:
    """Read the array of a snapshot's file, of any shape and type.

    Raises:
        OSError: there is no such regular file, or it cannot be read.
        ValueError: it holds no array.
    """
    return array(content_of(path))


def point_snapshots(run: Run) -> Mapping[int, Float[Tensor, "n d"]]:
    """Return step -> the points that a run kept, from fixed latents, in the order of the steps.

    Raises:
        RunError: it kept no points, or a file cannot be read.
    """
    return {step: _points(path) for step, path in _of_kind(run, POINTS, "points, such as ring").items()}


def image_snapshots(run: Run) -> Mapping[int, UInt8[Tensor, "n c h w"]]:
    """Return step -> the images that a run kept, from fixed latents, in the order of the steps.

    Raises:
        RunError: it kept no images, or a file cannot be read.
    """
    return {step: torch.from_numpy(grid.tiles) for step, grid in image_grids(run).items()}


def image_grids(run: Run) -> Mapping[int, Grid]:
    """Return the same with their layout: of a class-conditional game, a row shows one class.

    Raises:
        RunError: as of `image_snapshots`.
    """
    return {step: _grid(path) for step, path in _of_kind(run, IMAGES, "images, such as digits").items()}


def last_images(run: Run) -> UInt8[Tensor, "n c h w"]:
    """Return the last of `image_snapshots`.

    Raises:
        RunError: the run kept no images, or the file cannot be read.
    """
    *_, last = _of_kind(run, IMAGES, "images, such as digits").values()
    return _images(last)


def real_images(run: Run) -> UInt8[Tensor, "n c h w"]:
    """Return the real images that a run kept.

    Raises:
        RunError: it kept no real images, or the file cannot be read.
    """
    return _images(run.samples / f"{REAL}{IMAGES}")


def _of_kind(run: Run, ending: str, expected: str) -> dict[int, Path]:
    """Return step -> file of the snapshots with that ending."""
    paths = {step: path for step, path in run.snapshots() if path.suffix == ending}
    if not paths:
        kind, _, _ = expected.partition(",")
        raise RunError(f"{run.samples} holds no {kind}; expected the run of a source of {expected}")
    return paths


def _points(path: Path) -> Tensor:
    try:
        points = read_array(path)
        if points.dtype.kind != "f":
            raise ValueError(f"expected floating point numbers, got {points.dtype}")
        return torch.from_numpy(points)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{path} is not an array of points ({error}); {ADVICE}") from error


def _images(path: Path) -> Tensor:
    return torch.from_numpy(_grid(path).tiles)


def _grid(path: Path) -> Grid:
    try:
        return read_images_laid_out(path)
    except DataError as error:
        raise RunError(f"{error}; {ADVICE}") from error
    except OSError as error:
        raise unreadable(error, path, ADVICE) from error

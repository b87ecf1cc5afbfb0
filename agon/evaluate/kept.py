"""What a run kept of its fixed latents while it trained: points and their modes, images."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.data.points import Mixture
from agon.errors import DataError, RunError
from agon.metrics import Coverage, mode_coverage
from agon.pictures import read_grid
from agon.runs import Run

IMAGES = "images, such as digits"


def over_time(run: Run, source: Mixture) -> Mapping[int, Coverage]:
    """Step -> `mode_coverage` of the points that the run kept at it, of the same latents each time.

    Raises:
        RunError: the run kept none, or a file of them cannot be read.
    """
    return {step: mode_coverage(points, source.modes, source.std) for step, points in kept(run).items()}


def kept(run: Run) -> Mapping[int, Tensor]:
    """Step -> the points "n d" that a run kept of its fixed latents, in order of the steps.

    Raises:
        RunError: it kept none, or a file cannot be read.
    """
    return {step: _points(file) for step, file in _files(run, ".npy", "points, such as ring")}


def kept_images(run: Run) -> Mapping[int, UInt8[Tensor, "n c h w"]]:
    """Step -> the images that a run kept of its fixed latents, in order of the steps.

    Raises:
        RunError: it kept none, or a file cannot be read.
    """
    return {step: _images(file) for step, file in _files(run, ".png", IMAGES)}


def last_images(run: Run) -> UInt8[Tensor, "n c h w"]:
    """The last of `kept_images`.

    Raises:
        RunError: as there.
    """
    *_, (_, last) = _files(run, ".png", IMAGES)
    return _images(last)


def _files(run: Run, ending: str, expected: str) -> list[tuple[int, Path]]:
    """The step of each kept file with that ending, and the file, in order of the steps."""
    files = sorted((int(file.stem), file) for file in run.samples.glob(f"[0-9]*{ending}"))
    if not files:
        kind, _, _ = expected.partition(",")
        raise RunError(f"{run.samples} holds no {kind}; expected the run of a source of {expected}")
    return files


def _points(file: Path) -> Tensor:
    try:
        points = np.load(BytesIO(file.read_bytes()), allow_pickle=False)
        return torch.from_numpy(points)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise RunError(f"{file} is not an array of points ({error}); delete it, and go on without that step") from error


def _images(file: Path) -> Tensor:
    try:
        return torch.from_numpy(read_grid(file))
    except (OSError, DataError) as error:
        raise RunError(f"{error}; delete it, and go on without that step") from error

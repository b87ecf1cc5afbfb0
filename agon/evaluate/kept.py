"""What a run kept of its fixed latents while it trained: points and their modes, images."""

import zipfile
from collections.abc import Callable, Mapping
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
    return _read(run, ".npy", _points, "points, such as ring")


def kept_images(run: Run) -> Mapping[int, UInt8[Tensor, "n c h w"]]:
    """Step -> the images that a run kept of its fixed latents, in order of the steps.

    Raises:
        RunError: it kept none, or a file cannot be read.
    """
    return _read(run, ".png", _images, "images, such as digits")


def last_images(run: Run) -> UInt8[Tensor, "n c h w"]:
    """The last of `kept_images`.

    Raises:
        RunError: as there.
    """
    *_, last = kept_images(run).values()
    return last


def _read(run: Run, ending: str, read: Callable[[Path], Tensor], expected: str) -> dict[int, Tensor]:
    """Step -> what is in the file with that ending that was kept at it."""
    files = sorted((int(file.stem), file) for file in run.samples.glob(f"[0-9]*{ending}"))
    if not files:
        kind, _, _ = expected.partition(",")
        raise RunError(f"{run.samples} holds no {kind}; expected the run of a source of {expected}")
    return {step: read(file) for step, file in files}


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

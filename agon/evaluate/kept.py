"""What a run kept of its fixed latents while it trained: points and their modes, images."""

from collections.abc import Mapping

import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.data.points import Mixture
from agon.errors import DataError, RunError
from agon.figures.pictures import read_grid
from agon.metrics import Coverage, mode_coverage
from agon.runs import Run, unreadable
from agon.runs.arrays import array
from agon.runs.limits import SAMPLES

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
    return {step: _points(run, name) for step, name in _files(run, ".npy", "points, such as ring")}


def kept_images(run: Run) -> Mapping[int, UInt8[Tensor, "n c h w"]]:
    """Step -> the images that a run kept of its fixed latents, in order of the steps.

    Raises:
        RunError: it kept none, or a file cannot be read.
    """
    return {step: _images(run, name) for step, name in _files(run, ".png", IMAGES)}


def last_images(run: Run) -> UInt8[Tensor, "n c h w"]:
    """The last of `kept_images`.

    Raises:
        RunError: as there.
    """
    *_, (_, last) = _files(run, ".png", IMAGES)
    return _images(run, last)


def _files(run: Run, ending: str, expected: str) -> list[tuple[int, str]]:
    """The step of each kept file with that ending, and its name in the run, in order of the steps."""
    files = [(step, name) for step, name in run.kept() if name.endswith(ending)]
    if not files:
        kind, _, _ = expected.partition(",")
        raise RunError(f"{run.samples} holds no {kind}; expected the run of a source of {expected}")
    return files


def _points(run: Run, name: str) -> Tensor:
    try:
        points = array(run.files.read(name, SAMPLES))
        if points.dtype.kind != "f":
            raise ValueError(f"expected floating point numbers, got {points.dtype}")
        return torch.from_numpy(points)
    except (OSError, ValueError, TypeError) as error:
        advice = "delete it, and go on without that step"
        raise RunError(f"{run.path / name} is not an array of points ({error}); {advice}") from error


def _images(run: Run, name: str) -> Tensor:
    try:
        return torch.from_numpy(read_grid(run.files.read(name, SAMPLES), str(run.path / name)))
    except DataError as error:
        raise RunError(f"{error}; delete it, and go on without that step") from error
    except OSError as error:
        raise unreadable(error, run.path / name, "delete it, and go on without that step") from error

"""The points that a run kept of its fixed latents while it trained, and their modes."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agon.data.points import Mixture
from agon.errors import RunError
from agon.metrics import Coverage, mode_coverage
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
    found = {int(file.stem): _points(file) for file in sorted(run.samples.glob("[0-9]*.npy"))}
    if not found:
        raise RunError(f"{run.samples} holds no points; expected the run of a source of points, such as ring")
    return found


def _points(file: Path) -> Tensor:
    try:
        points = np.load(BytesIO(file.read_bytes()), allow_pickle=False)
        return torch.from_numpy(points)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise RunError(f"{file} is not an array of points ({error}); delete it, and go on without that step") from error

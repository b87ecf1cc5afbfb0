"""Moving pictures of a run's images: a walk between latents, and the course of its training; GIF or MP4."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Shaped
from torch import Tensor

from agon.arguments import NUMBERS
from agon.data import Source
from agon.data.source import as_bytes
from agon.errors import SettingError
from agon.figures.animation import gif
from agon.figures.pictures import grid_png, pictured, png
from agon.figures.video import mp4
from agon.runs import Run, write_atomically, writing
from agon.runs.snapshots import image_grids

ENDINGS = (".gif", ".mp4")
LEAST = 320  # pixels of the longer side, at least


def write_walk(samples: Shaped[Tensor, "n *shape"], source: Source, steps: int, out: Path) -> Path:
    """Write paths of samples, one after another as `interpolate` returns them, as frames with a tile for each path.

    Args:
        samples: "paths·steps *shape", images.
        source: source of the data.
        steps: samples along each path.
        out: file NAME.gif or NAME.mp4.

    Raises:
        SettingError: the samples are no images.
        NotInstalledError: an MP4 without PyAV.
        RunError: the file cannot be written.
    """
    if not pictured(source.shape):
        raise SettingError(f"--out: expected {NUMBERS[len(source.shape) == 1]}, since these are no images, got {out}")
    images = as_bytes(samples, source).reshape(-1, steps, *source.shape)
    return write_frames([grid_png(images[:, step]) for step in range(steps)], out)


def write_training(run: Run, out: Path) -> Path:
    """Write the images that a run kept during its training, all from the same latents, as frames in order of steps.

    Of a class-conditional game, a row shows one class.

    Raises:
        SettingError: the file's name has another ending.
        RunError: the run kept no images, or the file cannot be written.
    """
    if out.suffix not in ENDINGS:
        raise SettingError(f"--out: expected NAME.gif or NAME.mp4 with --training, got {out}")
    grids = image_grids(run).values()
    return write_frames([grid_png(grid.tiles, grid.columns if grid.rows_belong else None) for grid in grids], out)


def write_frames(frames: Sequence[bytes], out: Path) -> Path:
    """Write PNG frames as a GIF or an MP4, by the ending; small ones are enlarged by a whole factor."""
    large = [_enlarged(frame) for frame in frames]
    content = gif(large) if out.suffix == ".gif" else mp4(large)
    with writing(out, then=""):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content, then="")
    return out


def _enlarged(frame: bytes) -> bytes:
    from PIL import Image

    pixels = np.asarray(Image.open(BytesIO(frame), formats=["PNG"]).convert("RGB"))
    factor = -(-LEAST // max(pixels.shape[:2]))
    return png(pixels.repeat(factor, 0).repeat(factor, 1))

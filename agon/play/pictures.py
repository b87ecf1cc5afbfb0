"""Samples as one picture for a page: a grid of images, or a scatter plot of points."""

from io import BytesIO

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

from agon.data.source import as_bytes
from agon.errors import SettingError, require
from agon.figures.pictures import grid_png, pictured
from agon.models import Model

LEAST = 512  # pixels of a picture's longer side, at least: small images are enlarged by whole factors
Picture = UInt8[np.ndarray, "h w 3"]


def check_shown(model: Model) -> None:
    """Raise SettingError if the run's samples are neither images nor points of a plane, or it generates none."""
    shape = model.experiment.data.shape
    model.latents(1)
    if not pictured(shape) and shape != (2,):
        raise SettingError(
            f"agon play: expected a run of images or of points of a plane, got samples of shape {shape} in "
            f"{model.run.path}; agon sample writes them to a file"
        )
    if not pictured(shape):
        require("matplotlib")


def picture(model: Model, samples: Shaped[Tensor, "n *shape"], columns: int | None = None) -> Picture:
    """Draw samples in the generator's range: images as a grid, points "n 2" as a scatter plot on real points."""
    source = model.experiment.data
    if pictured(source.shape):
        return decoded(grid_png(as_bytes(samples.cpu(), source), columns))
    return _scatter(model, source.restored(samples.cpu()))


def decoded(content: bytes) -> Picture:
    """Read a PNG, and enlarge it by a whole factor to a longer side of at least 512 pixels."""
    from PIL import Image

    pixels = np.asarray(Image.open(BytesIO(content), formats=["PNG"]).convert("RGB"))
    factor = -(-LEAST // max(pixels.shape[:2]))
    return pixels.repeat(factor, 0).repeat(factor, 1)


def _scatter(model: Model, points: Shaped[Tensor, "n 2"]) -> Picture:
    from agon.figures.clouds import clouds_png
    from agon.runs.layout import POINTS, REAL
    from agon.runs.snapshots import read_array

    path = model.run.samples / f"{REAL}{POINTS}"
    real = read_array(path).astype(np.float64) if path.is_file() else None
    cloud = points.numpy().astype(np.float64)
    return decoded(clouds_png({"samples": [cloud]}, [f"{len(cloud)} points"], real=real))


def as_samples(model: Model, images: UInt8[Tensor, "n c h w"]) -> Shaped[Tensor, "n c h w"]:
    """Convert bytes to samples in the run's range: 0 becomes its least value, 255 its greatest."""
    low, high = model.experiment.data.range or (-1.0, 1.0)
    return low + images.to(torch.float32) / 255 * (high - low)

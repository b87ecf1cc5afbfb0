"""What a run keeps of its samples: real ones, and those of the same latents over time, as files."""

import io

import numpy as np
from torch import Tensor

from agon.data import Source
from agon.data.source import as_bytes
from agon.figures.pictures import grid_png, pictured
from agon.training.training import Training


def real(training: Training, n: int) -> tuple[str, bytes]:
    """The name and content of the file of real samples."""
    return _file("real", training.data.first(n), training.experiment.data)


def generated(training: Training, n: int) -> tuple[str, bytes]:
    """The name and content of the file of the present samples."""
    samples = training.samples(training.fixed_latents(n))
    return _file(f"{training.step:08d}", samples, training.experiment.data)


def _file(stem: str, samples: Tensor, data: Source) -> tuple[str, bytes]:
    """Images as a PNG grid; points as float32 "n d" in numpy's format."""
    if pictured(data.shape):
        return f"{stem}.png", grid_png(as_bytes(samples.cpu(), data))
    content = io.BytesIO()
    np.save(content, samples.cpu().numpy().astype(np.float32), allow_pickle=False)
    return f"{stem}.npy", content.getvalue()

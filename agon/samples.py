"""Samples that another program made: a folder of images, or an array file."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agon.data import Images, Source
from agon.errors import DataError
from agon.pictures import to_uint8

CHUNK = 1_000  # samples that are made or read at a time


def read_samples(path: Path, values: tuple[float, float] | None = None) -> Tensor:
    """All samples of a folder of images or a .npz, .npy or .parquet file, in the order of their names or rows.

    Args:
        path: a folder of PNG, JPEG or WebP files; arrays "n h w", "n h w c" or "n c h w" of bytes; or one array
            "n d" of numbers, which are points.
        values: (low, high) of pixels that are no bytes.

    Returns:
        Images as bytes "n c h w", or points as float32 "n d".

    Raises:
        DataError: nothing is there, a file is broken, images differ in size, or arrays hold Python objects.
    """
    points = _points(path)
    return Images(path=str(path), holdout=0.0, values=values).stored() if points is None else points


def real_samples(source: Source, n: int, *, split: str = "train", seed: int = 0) -> Tensor:
    """At most n real samples under a seed, none twice: images as bytes "n c h w", points as they are."""
    assert split in ("train", "test")
    opened = source.open(seed=seed, split=split)  # type: ignore[arg-type]
    n = n if opened.count is None else min(n, opened.count)
    chunk = min(n, CHUNK)
    parts = [as_compared(opened.draw(chunk, index, 0, 1).real.cpu(), source) for index in range(math.ceil(n / chunk))]
    return torch.cat(parts)[:n]


def as_compared(samples: Tensor, source: Source) -> Tensor:
    """Images as the bytes that a file would hold; points unchanged.

    Raises:
        DataError: numbers that are not finite.
    """
    lost = int((~samples.flatten(1).isfinite().all(1)).sum())
    if lost:
        raise DataError(f"samples: expected finite numbers, got {lost} of {len(samples)} samples without them")
    if len(source.shape) != 3:
        return samples
    low, high = source.range or (-1.0, 1.0)
    return to_uint8(samples, low, high)


def _points(path: Path) -> Tensor | None:
    """The only array of a file where it is one of points, None for anything else."""
    if path.suffix not in (".npz", ".npy") or not path.is_file():
        return None
    try:
        found = np.load(path, allow_pickle=False)
        arrays = [found] if isinstance(found, np.ndarray) else [found[name] for name in found.files]
    except Exception:  # the images' reader tells what is wrong with the file
        return None
    if len(arrays) != 1 or arrays[0].ndim != 2 or arrays[0].dtype.kind != "f":
        return None
    return torch.from_numpy(arrays[0].astype(np.float32))

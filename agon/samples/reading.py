"""Read samples of other programs from a folder or an array file, and real samples of a source."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.data import Images, Source, Split, Stream
from agon.data.archive import Archive
from agon.data.order import generator
from agon.data.source import as_bytes
from agon.errors import Change, DataError, SettingError
from agon.experiment.memory import refuse_more
from agon.places import refuse_no_samples
from agon.terminal.waiting import tracked

CHUNK = 1_000  # samples made or read at a time
_VALUES = Change("values", (-1.0, 1.0), "--values -1 1")
ADVICE: dict[str, tuple[Any, ...]] = {  # setting that a source's advice names -> advice for samples
    "values": (f"say what black and white are, for example {_VALUES}", _VALUES),
    "size": ("samples are compared as they are, so save them all in one size",),
    "channels": ("samples are compared as they are, so save them all in grey or all in colour",),
    "skip_corrupt": ("every sample counts, so mend the files, or remove them",),
}
STREAMED = 100  # samples of a set of unknown size to read at a time; it may have few


def read_samples(path: Path, values: tuple[float, float] | None = None) -> Shaped[Tensor, "n *shape"]:
    """Read all samples of a folder of images or a .npz, .npy or .parquet file, in the order of names or rows.

    Args:
        path: a folder of PNG, JPEG or WebP files; arrays "n h w", "n h w c" or "n c h w" of bytes; or one array
            "n d" of numbers, which are points. Of a set with splits, those of "train" and then those of "test".
        values: (low, high) of pixels that are not bytes.

    Returns:
        Images as bytes "n c h w", or points as float32 "n d".

    Raises:
        DataError: nothing is there, a file is damaged, images differ in size, or arrays hold Python objects.
    """
    refuse_no_samples(path)
    points = _points(path)
    if points is not None:
        return points
    images = Images(path=str(path.resolve()), holdout=0.0, values=values)
    try:
        return torch.cat([images.stored("train"), images.stored("test")])
    except DataError as error:
        raise _with_advice_for_samples(error) from error


def _with_advice_for_samples(error: DataError) -> DataError:
    """Replace the advice for a source, since `values` is the only setting of samples."""
    reason, _, advice = str(error).rpartition("; ")
    for word, (better, *changes) in ADVICE.items():
        if word in advice:
            return DataError(f"{reason}; {better}", *changes)
    return error


def chosen(samples: Shaped[Tensor, "n *shape"], n: int, seed: int) -> Shaped[Tensor, "m *shape"]:
    """Choose n samples at random out of more, since a folder may be ordered by class.

    Raises:
        SettingError: n is under 1.
    """
    checked(n)
    if n >= len(samples):
        return samples
    return samples[torch.randperm(len(samples), generator=generator("samples of a folder", seed))[:n]]


def checked(n: int) -> int:
    """Return a number of samples if it is at least 1.

    Raises:
        SettingError: it is under 1.
    """
    if n < 1:
        raise SettingError(f"--n: expected at least 1 sample, got {n}")
    return n


def real_samples(source: Source, n: int, *, split: Split = "train", seed: int = 0) -> Shaped[Tensor, "n *shape"]:
    """Draw at most n real samples, from a finite set without repetition: bytes "n c h w", or points as they are."""
    opened = source.open(seed=seed, split=split)
    if opened.count is None:
        refuse_more("--n", n, math.prod(source.shape))
    n = checked(n) if opened.count is None else min(checked(n), opened.count)
    chunk = min(n, CHUNK if opened.count is not None else STREAMED)
    indices = tracked(range(math.ceil(n / chunk)), f"real samples of the {split} split", n, lambda _: chunk)
    parts = [as_compared(opened.draw(chunk, index, 0, 1).real.cpu(), source) for index in indices]
    return torch.cat(parts)[:n]


def first_samples(source: Source, n: int) -> Shaped[Tensor, "n *shape"]:
    """Return the first n real samples of a source, or all if there are fewer.

    Raises:
        SettingError: n is under 1, or more than the memory holds.
    """
    refuse_more("--n", checked(n) if source.count() is None else 1, math.prod(source.shape))
    return Stream(source, batch=1, seed=0).first(checked(n))


def as_compared(samples: Shaped[Tensor, "n *shape"], source: Source) -> Shaped[Tensor, "n *shape"]:
    """Convert images to the bytes that a file would hold; points are unchanged.

    Raises:
        DataError: numbers are not finite.
    """
    broken = int((~samples.flatten(1).isfinite().all(1)).sum())
    if broken:
        raise DataError(f"samples: expected finite numbers, got {broken} of {len(samples)} samples without them")
    return as_bytes(samples, source) if len(source.shape) == 3 else samples


def _points(path: Path) -> Tensor | None:
    """Read the only array of a file if it holds points; None for anything else."""
    if path.suffix not in (".npz", ".npy") or not path.is_file():
        return None
    archive = Archive(path)
    if len(archive.shapes) != 1 or any(len(shape) != 2 for shape in archive.shapes.values()):
        return None
    points = archive[next(iter(archive.shapes))]
    return torch.from_numpy(points.astype(np.float32)) if points.dtype.kind == "f" else None

"""Read samples of other programs from a folder or an array file, and real samples of a source."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.arguments import check_samples
from agon.data import Images, Numeric, Source, Split, Stream
from agon.data.finite import Finite
from agon.data.layouts import Layout
from agon.data.number_files import ARRAYS, FILES, holds_numbers, read_numbers
from agon.data.order import generator
from agon.data.source import RealBatch, as_bytes
from agon.data.table import Table, is_unnamed, worded
from agon.errors import Change, DataError
from agon.experiment.memory import refuse_more
from agon.places import refuse_no_samples
from agon.terminal.waiting import tracked
from agon.untrusted import listed

CHUNK = 1_000  # samples made or read at a time
_VALUES = Change("values", (-1.0, 1.0), "--values -1 1")
ADVICE: dict[str, tuple[Any, ...]] = {  # setting that a source's advice names -> advice for samples
    "values": (f"say what black and white are, for example {_VALUES}", _VALUES),
    "size": ("samples are compared as they are, so save them all in one size",),
    "channels": ("samples are compared as they are, so save them all in grey or all in colour",),
    "skip_missing": ("every sample counts, so fill them, or remove their rows",),
    "skip_corrupt": ("every sample counts, so mend the files, or remove them",),
}
STREAMED = 100  # samples of a set of unknown size to read at a time; it may have few


def read_samples(
    path: Path, values: tuple[float, float] | None = None, source: Source | None = None
) -> Shaped[Tensor, "n *shape"]:
    """Read all samples of a folder of images or a .npz, .npy or .parquet file, in the order of names or rows.

    Args:
        path: a folder of PNG, JPEG or WebP files; arrays "n h w", "n h w c" or "n c h w" of bytes; an array "n d" of
            numbers, which are points; or a .csv, .tsv or .parquet table of them. Of a set with splits, those of "train"
            and then those of "test".
        values: (low, high) of pixels that are not bytes.
        source: the data that the samples are compared with. A table's columns are then those of the data, by name; if
            it has none of their names, they are as many, and in the same order. Series need it, to be told from images.

    Returns:
        Images as bytes "n c h w", points "n d", or series "n c t"; float64 where the file has them so.

    Raises:
        DataError: nothing is there, a file is damaged, images differ in size, a table lacks a column of the data, or
            arrays hold Python objects.
    """
    refuse_no_samples(path)
    try:
        numbers = _numbers(path, source)
        if numbers is not None:
            return numbers
        images = Images(path=str(path.resolve()), holdout=0.0, values=values)
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
    check_samples(n)
    if n >= len(samples):
        return samples
    return samples[torch.randperm(len(samples), generator=generator("samples of a folder", seed))[:n]]


def real_samples(source: Source, n: int, *, split: Split = "train", seed: int = 0) -> Shaped[Tensor, "n *shape"]:
    """Draw at most n real samples, from a finite set without repetition: bytes "n c h w", or points as they are."""
    return real_batch(source, n, split=split, seed=seed).real


def real_batch(source: Source, n: int, *, split: Split = "train", seed: int = 0) -> RealBatch:
    """Draw the samples of `real_samples`, with their labels if there are any."""
    opened = source.open(seed=seed, split=split)
    if opened.count is None:
        refuse_more("--n", n, math.prod(source.shape))
    n = check_samples(n) if opened.count is None else min(check_samples(n), opened.count)
    chunk = min(n, CHUNK if opened.count is not None else STREAMED)
    indices = tracked(range(math.ceil(n / chunk)), f"real samples of the {split} split", n, lambda _: chunk)
    draw = opened.stored if isinstance(opened, Finite) else partial(opened.draw, rank=0, world=1)
    draws = [draw(chunk, index) for index in indices]
    labels = [draw.label.cpu() for draw in draws if draw.label is not None]
    real = torch.cat([as_compared(draw.real.cpu(), source) for draw in draws])
    return RealBatch(real[:n], torch.cat(labels)[:n] if labels else None)


def first_samples(source: Source, n: int) -> Shaped[Tensor, "n *shape"]:
    """Return the first n real samples of a source, or all if there are fewer, in the units of the stored data.

    Raises:
        SettingError: n is under 1, or more than the memory holds.
    """
    refuse_more("--n", check_samples(n) if source.count() is None else 1, math.prod(source.shape))
    if isinstance(source, Numeric):
        return source.first(check_samples(n))
    return source.restored(Stream(source, batch=1, seed=0).first(check_samples(n)))


def as_compared(samples: Shaped[Tensor, "n *shape"], source: Source) -> Shaped[Tensor, "n *shape"]:
    """Convert images to the bytes that a file would hold; bytes and points are unchanged.

    Raises:
        DataError: numbers are not finite.
    """
    if samples.dtype is torch.uint8:
        return samples
    broken = int((~samples.flatten(1).isfinite().all(1)).sum())
    if broken:
        raise DataError(f"samples: expected finite numbers, got {broken} of {len(samples)} samples without them")
    return as_bytes(samples, source) if len(source.shape) == 3 else samples


def _numbers(path: Path, source: Source | None) -> Tensor | None:
    """Read a table or an array of points, or of series if the data are series; None for anything else."""
    series = isinstance(source, Numeric) and source.layout == "n c t"
    layout: Layout | None = "n c t" if series and path.suffix.lower() in ARRAYS else None
    if path.suffix.lower() not in FILES or not path.is_file() or not holds_numbers(path, layout):
        return None
    columns = source.settled().columns if isinstance(source, Numeric) and not series else None
    tables = [_with_columns(table, columns) for table in read_numbers(path, layout).values()]
    return torch.cat([torch.from_numpy(np.array(table.whole(skip_missing=False).values)) for table in tables])


def _with_columns(table: Table, columns: Sequence[str] | None) -> Table:
    """The table with the columns of the data, which agon may have written with an x before each."""
    if columns is None or table.values.ndim != 2:
        return table.chosen(None)
    for names in (columns, worded(columns)):
        if is_unnamed(table.names) or not set(names).isdisjoint(table.names):
            return table.like(names)
    points = table.chosen(None)
    if len(points.names) != len(columns):
        raise DataError(
            f"expected the columns {listed(columns)} in {table.place}, as in the data, got {listed(points.names)}; "
            "name them so, or leave out the others"
        )
    return points

"""Files of numbers that are no images: which they are, and how they are read."""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from agon.data.archive import Archive
from agon.data.arrays import LABELS, NAMES
from agon.data.delimited import read_delimited
from agon.data.frames import read_parquet
from agon.data.labels import Column
from agon.data.layouts import Layout, layout_of
from agon.data.source import Split
from agon.data.table import Table
from agon.errors import AgonError, DataError
from agon.places import missing
from agon.untrusted import kind_of

DELIMITED = (".csv", ".tsv")
ARRAYS = (".npy", ".npz")
FILES = (*DELIMITED, ".parquet", *ARRAYS)


def holds_numbers(file: Path, layout: str | None = None) -> bool:
    """Whether a file holds points or series, not images; what cannot be read is left to whoever reads it.

    An array of three dimensions holds images, unless its layout is stated as "n c t".
    """
    ending = file.suffix.lower()
    if ending in DELIMITED or layout in ("n d", "n c t"):
        return True
    if not file.is_file():
        return False
    try:
        if ending in ARRAYS:
            archive = Archive(file)
            name = _name_of(archive, "train")
            return name is not None and len(archive.shapes[name]) in (1, 2)
        return ending == ".parquet" and not _has_images(file)
    except AgonError:
        return False


def read_numbers(file: Path, layout: Layout | None) -> Mapping[Split, Table]:
    """Read a file of points or series; the last ones read are kept in memory, while the files do not change.

    Raises:
        DataError: nothing is there, or it is no such file.
    """
    try:
        if (kind := kind_of(file)) is not None:
            raise DataError(
                f"expected a file of numbers at {file}, got {kind}; give one that ends in {', '.join(FILES)}"
            )
        if not file.exists():
            raise missing(file)
        about = os.stat(file)
        return _read(file, layout, (about.st_mtime_ns, about.st_size, about.st_ino))
    except OSError as fault:
        raise DataError(f"expected to read {file}, but the system refuses: {fault}") from fault


@lru_cache(maxsize=4)
def _read(file: Path, layout: Layout | None, version: tuple[int, int, int]) -> Mapping[Split, Table]:
    """Read a file of this version: modification time, size and number."""
    ending = file.suffix.lower()
    if ending in DELIMITED:
        return {"train": read_delimited(file)}
    if ending == ".parquet":
        return {"train": read_parquet(file)}
    if ending not in ARRAYS:
        raise DataError(
            f"expected a file of numbers that ends in {', '.join(FILES)}, got {file}; save it as one of these"
        )
    archive = Archive(file)
    splits: dict[Split, Table] = {}
    for split in NAMES:
        name = _name_of(archive, split)
        if name is not None:
            splits[split] = of_array(archive[name], f"{file} [{name}]", layout, _labels(archive, split))
    if "train" not in splits:
        held = ", ".join(f"{name} {shape}" for name, shape in archive.shapes.items()) or "nothing"
        raise DataError(f"expected one array of numbers in {file}, got {held}; name it 'x' and its classes 'y'")
    return splits


def of_array(array: np.ndarray, place: str, layout: Layout | None, labels: Column | None = None) -> Table:
    """The table of an array of points "n d" or series "n c t".

    Raises:
        DataError: it holds no numbers, or has another layout.
    """
    if array.dtype.kind not in "biuf":
        raise DataError(f"expected numbers in {place}, got dtype {array.dtype}; give an array of numbers")
    if array.ndim == 0 or not array.size:
        raise DataError(f"expected samples in {place}, got an array of shape {array.shape}; check it")
    layout_of(array, layout, place)
    values = array[:, None] if array.ndim == 1 else array
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    names = tuple(map(str, range(values.shape[1])))
    if labels is not None and len(labels.values) != len(values):
        raise DataError(
            f"expected {len(values):,} labels for the samples in {place}, got {len(labels.values):,}; give one for each"
        )
    return Table(place, values, names, "labels" if labels is not None else "", labels or Column("", []))


def _name_of(archive: Archive, split: Split) -> str | None:
    """The name of a split's array: a usual one, or that of the only array of more than one dimension."""
    name = archive.first(NAMES[split])
    if name is not None or split == "test":
        return name
    large = [name for name, shape in archive.shapes.items() if len(shape) > 1] or list(archive.shapes)
    return large[0] if len(large) == 1 else None


def _labels(archive: Archive, split: Split) -> Column | None:
    name = archive.first(LABELS[split])
    return None if name is None else Column(f"{archive.file} [{name}]", archive[name])


def _has_images(file: Path) -> bool:
    from agon.data.tables import File

    return File(file).image is not None

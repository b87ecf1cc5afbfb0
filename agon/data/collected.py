"""Collect the samples of a data set, a loader or an iterable into memory, with their labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.data.cells import IMAGES, LABELS
from agon.data.conversion import as_array, is_array, is_picture
from agon.data.labels import bare
from agon.data.loaders import items_of
from agon.data.source import MEMORY
from agon.errors import DataError
from agon.untrusted import listed

SAMPLES = (*IMAGES, "pixel_values", "x", "data", "input", "features")  # usual names of a sample in a dictionary
TARGETS = (*LABELS, "labels", "y")
TWICE = 8  # items that are read twice, to see whether they stay the same


class Collected(NamedTuple):
    """Samples in memory.

    Attributes:
        items: one array for each sample.
        labels: one label for each sample, or None.
        pictures: whether the samples were pictures of Pillow, which are now "h w c".
        names: names of the class numbers, as the data sets of torchvision have them; None for others.
    """

    items: list[Shaped[np.ndarray, "..."]]
    labels: list[Any] | None
    pictures: bool
    names: list[str] | None = None


def collected(x: Any, place: str, values: tuple[float, float] | None = None) -> Collected:
    """Collect samples: arrays, tensors, pictures, or numbers; alone, with a label, or in a dictionary with one.

    Args:
        x: a torch data set or data loader, whose items are read in the data set's order, or any iterable.
        place: what x is, for messages.
        values: black and white of the pictures' numbers, if they are stated.

    Raises:
        DataError: x cannot be iterated over, an item holds no sample, or items change between two readings.
    """
    if isinstance(x, torch.utils.data.DataLoader):
        x = items_of(x, place)
    items: list[np.ndarray] = []
    labels: list[Any] = []
    pictures, size = 0, 0
    for item in _items(x, place, values):
        sample, label = _parted(item, place)
        pictures += is_picture(sample)
        items.append(as_array(sample, place, values))
        labels.append(label)
        size += items[-1].nbytes
        if size > MEMORY:
            raise DataError(
                f"expected at most {MEMORY / 2**30:.0f} GiB of samples in {place}, got more after {len(items):,} of "
                "them; save them in files, which are read from the disk"
            )
    if not items:
        raise DataError(f"expected samples in {place}, got none; an iterator that was used before is empty")
    if values and 0 < pictures < len(items):
        raise DataError(f"expected pictures or arrays in {place} where values={values}, got both; convert to one kind")
    known = any(label is not None for label in labels)
    return Collected(items, labels if known else None, pictures == len(items), _names(x))


def _items(x: Any, place: str, values: tuple[float, float] | None) -> Iterator[Any]:
    """The items of x, once each and in order."""
    if isinstance(x, torch.utils.data.Dataset) and hasattr(x, "__len__") and hasattr(x, "__getitem__"):
        _refuse_changing(x, place, values)
        return (x[i] for i in range(len(x)))
    try:
        return iter(x)
    except TypeError as fault:
        raise DataError(
            f"expected data that agon reads, got {type(x).__name__}; give an array, a tensor, a torch data set or "
            "loader, a data frame, a path, or an iterable of samples"
        ) from fault


def _refuse_changing(x: Any, place: str, values: tuple[float, float] | None) -> None:
    for i in range(min(TWICE, len(x))):
        first, second = (as_array(_parted(x[i], place)[0], place, values) for _ in range(2))
        if not np.array_equal(first, second, equal_nan=first.dtype.kind == second.dtype.kind == "f"):
            raise DataError(
                f"expected a data set whose items stay the same, got another sample at the second reading of item {i} "
                f"of {place}, as random transforms give; they would be drawn once for the whole training, so take "
                "them out"
            )


def _parted(item: Any, place: str) -> tuple[Any, Any]:
    """The sample and the label of an item."""
    if isinstance(item, Mapping):
        name = next((name for name in SAMPLES if name in item), None)
        if name is None:
            raise DataError(
                f"expected a sample called {', '.join(SAMPLES[:3])} or the like in {place}, got {listed(item)}"
            )
        return item[name], _plain(next((item[label] for label in TARGETS if label in item), None))
    if isinstance(item, tuple | list) and item and _is_sample(item[0]):
        return item[0], _plain(item[1]) if len(item) > 1 else None
    return item, None


def _names(x: Any) -> list[str] | None:
    while isinstance(x, torch.utils.data.Subset):
        x = x.dataset
    names = getattr(x, "classes", None) if isinstance(x, torch.utils.data.Dataset) else None
    words = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return [*names] if names and words else None


def _is_sample(x: Any) -> bool:
    """Whether the first entry of a tuple is a sample with what belongs to it, not the first number of a point."""
    return is_picture(x) or isinstance(x, Tensor) or (is_array(x) and not isinstance(x, np.generic))


def _plain(label: Any) -> Any:
    value = bare(label)
    while is_array(label) and isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def stacked(items: Sequence[np.ndarray]) -> Shaped[np.ndarray, "n ..."] | None:
    """Items of one shape as one array; None if their shapes differ."""
    return np.stack(items) if len({item.shape for item in items}) == 1 else None

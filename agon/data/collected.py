"""Collect the samples of a data set, a loader or an iterable into memory, with their labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.data.cells import IMAGES, LABELS
from agon.data.decode import pixels_of
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


def collected(x: Any, place: str) -> Collected:
    """Collect samples: arrays, tensors, pictures, or numbers; alone, with a label, or in a dictionary with one.

    Args:
        x: a torch data set or data loader, whose data set is read in its own order, or any iterable.
        place: what x is, for messages.

    Raises:
        DataError: x cannot be iterated over, an item holds no sample, or items change between two readings.
    """
    if isinstance(x, torch.utils.data.DataLoader):
        x = x.dataset
    items: list[np.ndarray] = []
    labels: list[Any] = []
    pictures, size = 0, 0
    for item in _items(x, place):
        sample, label = _parted(item, place)
        pictures += is_picture(sample)
        items.append(as_array(sample, place))
        labels.append(label)
        size += items[-1].nbytes
        if size > MEMORY:
            raise DataError(
                f"expected at most {MEMORY / 2**30:.0f} GiB of samples in {place}, got more after {len(items):,} of "
                "them; save them in files, which are read from the disk"
            )
    if not items:
        raise DataError(f"expected samples in {place}, got none; an iterator that was used before is empty")
    known = any(label is not None for label in labels)
    return Collected(items, labels if known else None, pictures == len(items), _names(x))


def is_picture(x: Any) -> bool:
    """Whether x is a picture of Pillow, without importing it."""
    return hasattr(x, "getbands") and hasattr(x, "convert")


def is_array(x: Any) -> bool:
    """Whether x is an array of numpy, a tensor, or anything that gives numpy its numbers."""
    return isinstance(x, np.ndarray | Tensor | np.generic) or (hasattr(x, "__array__") and not is_picture(x))


def as_array(x: Any, place: str) -> Shaped[np.ndarray, "..."]:
    """A sample, or an array of samples, as a numpy array on the CPU.

    Raises:
        DataError: it holds no numbers.
    """
    if is_picture(x):
        return pixels_of(x)
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return np.asarray((x.float() if x.dtype is torch.bfloat16 else x).numpy())
    try:
        array = np.asarray(x)
    except ValueError as fault:  # lists of different lengths
        raise DataError(f"expected samples of numbers in {place}, got lists of different lengths") from fault
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"expected arrays, tensors, pictures or numbers in {place}, got {type(x).__name__} of {array.dtype}; "
            "see agon.data.of for what is read"
        )
    return array


def _items(x: Any, place: str) -> Iterator[Any]:
    """The items of x, once each and in order."""
    if isinstance(x, torch.utils.data.Dataset) and hasattr(x, "__len__") and hasattr(x, "__getitem__"):
        _refuse_changing(x, place)
        return (x[i] for i in range(len(x)))
    try:
        return iter(x)
    except TypeError as fault:
        raise DataError(
            f"expected data that agon reads, got {type(x).__name__}; give an array, a tensor, a torch data set or "
            "loader, a data frame, a path, or an iterable of samples"
        ) from fault


def _refuse_changing(x: Any, place: str) -> None:
    for i in range(min(TWICE, len(x))):
        first, second = (as_array(_parted(x[i], place)[0], place) for _ in range(2))
        if first.shape != second.shape or not np.array_equal(first, second):
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
    names = getattr(x, "classes", None) if isinstance(x, torch.utils.data.Dataset) else None
    words = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    return [*names] if names and words else None


def _is_sample(x: Any) -> bool:
    """Whether the first entry of a tuple is a sample with what belongs to it, not the first number of a point."""
    return is_picture(x) or isinstance(x, Tensor) or (is_array(x) and not isinstance(x, np.generic))


def _plain(label: Any) -> Any:
    if is_array(label):
        array = np.asarray(label.detach().cpu() if isinstance(label, Tensor) else label)
        return array.item() if array.size == 1 else array.tolist()
    return label


def stacked(items: Sequence[np.ndarray]) -> Shaped[np.ndarray, "n ..."] | None:
    """Items of one shape as one array; None if their shapes differ."""
    return np.stack(items) if len({item.shape for item in items}) == 1 else None

"""A pair of samples and their labels, as (X, y), told apart from a tuple of two samples."""

from typing import Any

from torch.utils.data import Dataset

from agon.data.conversion import is_picture


def parted(x: Any) -> tuple[Any, Any]:
    """Samples and their labels, if x is a pair of them; else x and None.

    The second of a pair has fewer axes than the first: numbers or names beside points or images, or one-hot rows
    beside images. Names may also belong to numbers on a line.

    >>> parted(([[1.0, 2.0], [3.0, 4.0]], ["cat", "dog"]))[1], parted(([1.0, 2.0], [3.0, 4.0]))[1]
    (['cat', 'dog'], None)
    """
    if not isinstance(x, tuple) or len(x) != 2 or any(is_picture(part) for part in x):
        return x, None
    samples, labels = x
    axes, beside = _axes(samples), _axes(labels)
    single = beside == 1 and (axes > 1 or (axes == 1 and _are_names(labels)))
    rows = beside == 2 and axes > 2 and len(samples) == len(labels)
    return (samples, labels) if single or rows else (x, None)


def _axes(x: Any) -> int:
    """The number of axes of an array, of lists in lists, of pictures, or of a data set; 0 for anything else."""
    if is_picture(x):
        return 2
    if hasattr(x, "shape"):
        return len(x.shape)
    if isinstance(x, list | tuple):
        return 1 + (_axes(x[0]) if x else 0)
    return 2 if isinstance(x, Dataset) else 0


def _are_names(labels: Any) -> bool:
    return len(labels) > 0 and isinstance(next(iter(labels)), str | bytes)

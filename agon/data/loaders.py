"""The items that a torch DataLoader draws: all of its data set, or those that its sampler chooses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler

from agon.errors import DataError

# epoch after epoch they draw every item equally often, also with replacement, a number of samples, or in shares
WHOLE = (SequentialSampler, RandomSampler, DistributedSampler)


def items_of(loader: "DataLoader[Any]", place: str) -> Any:
    """The data set of a loader, or the part of it that the loader's sampler draws, in the data set's order.

    Raises:
        DataError: a sampler chooses the items in a way that is not known, or weights them.
    """
    if isinstance(loader.dataset, IterableDataset):
        return loader.dataset
    sampler: Any = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    while type(sampler) is BatchSampler:
        sampler = sampler.sampler
    if type(sampler) in WHOLE:
        return loader.dataset
    rows = _rows(sampler)
    if rows is None:
        raise DataError(
            f"expected a loader that draws all items, or a fixed part of them, in {place}, got one with a "
            f"{type(sampler).__name__}; hand over its data set, or torch.utils.data.Subset of it and the rows to "
            "train on"
        )
    _check(rows, loader.dataset, place)
    return Subset(loader.dataset, sorted(rows))


def _rows(sampler: Any) -> list[int] | None:
    """The rows that a sampler draws in every epoch; None if they are not known to be the same."""
    chosen = sampler.indices if type(sampler) is SubsetRandomSampler else sampler
    if isinstance(chosen, Tensor | np.ndarray):
        chosen = chosen.tolist()
    if not isinstance(chosen, Sequence):
        return None
    rows: list[Any] = [row.item() if isinstance(row, Tensor | np.generic) else row for row in chosen]
    return rows if all(type(row) is int for row in rows) else None


def _check(rows: Sequence[int], dataset: Any, place: str) -> None:
    count = len(dataset) if hasattr(dataset, "__len__") else None
    odd = next((row for row in rows if row < 0 or (count is not None and row >= count)), None)
    if odd is not None:
        known = "" if count is None else f" to {count - 1:,}"
        raise DataError(f"expected the sampler in {place} to draw rows from 0{known}, got {odd:,}; mend its indices")

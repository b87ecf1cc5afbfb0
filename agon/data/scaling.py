"""The offset and the scale of each column of points, or of each channel of series."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from agon.data.table import Table
from agon.errors import DataError
from agon.untrusted import shortened

Scaling = Literal["standard", "range", "none"]
Numbers = tuple[float, ...]


def measured(table: Table, values: Float[np.ndarray, "n ..."], scaling: Scaling) -> tuple[Numbers, Numbers]:
    """Offset and scale of each column or channel; a constant one is not scaled.

    Args:
        table: whose values they are, for messages.
        values: the values of the training split.
        scaling: as in `Numeric`.

    Raises:
        DataError: the numbers of a column are so large that these are infinite.
    """
    over = tuple(axis for axis in range(values.ndim) if axis != 1)
    count = values.shape[1]
    if scaling == "none" or not len(values):
        return (0.0,) * count, (1.0,) * count
    numbers = values.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        if scaling == "standard":
            offset, scale = numbers.mean(axis=over), numbers.std(axis=over)
        else:
            low, high = numbers.min(axis=over), numbers.max(axis=over)
            offset, scale = (low + high) / 2, (high - low) / 2
    finite = np.isfinite(offset) & np.isfinite(scale)
    if not finite.all():
        raise _too_large(table, int(finite.argmin()), "whose mean and width are finite")
    tiny = scale <= 1e-12 * np.abs(offset)  # constant, up to rounding
    return tuple(offset.tolist()), tuple(np.where(tiny, 1.0, scale).tolist())


def refuse_infinite(samples: Float[Tensor, "n ..."], table: Table) -> None:
    """Raise a DataError if float32 cannot hold the scaled samples of a table."""
    finite = samples.isfinite().transpose(0, 1).flatten(1).all(1)  # d, or c
    if not finite.all():
        raise _too_large(table, int(finite.int().argmin()), "that fit into float32 once they are scaled")


def _too_large(table: Table, column: int, kind: str) -> DataError:
    largest = np.abs(table.values[:, column]).max()
    return DataError(
        f"expected numbers {kind} in '{shortened(table.names[column])}' of {table.place}, got up to {largest:.3g}; "
        "choose other columns, or give this one another unit"
    )

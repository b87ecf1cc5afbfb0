"""The same columns in every split of a set of numbers."""

from collections.abc import Mapping, Sequence

from agon.data.labels import Column
from agon.data.source import Split
from agon.data.table import Table, is_unnamed
from agon.errors import DataError


def aligned(stored: Mapping[Split, Table], columns: Sequence[str] | None) -> dict[Split, Table]:
    """The tables of all splits with the columns of the training split, in its order.

    Columns are found by their names, or by position where either split has none of its own. A column of labels is one
    in the training split.

    Args:
        stored: the tables as they are read.
        columns: the columns to choose; None for all of numbers but labels.

    Raises:
        DataError: a split lacks a column, or its samples have another shape.
    """
    whole = stored["train"]
    train = whole.chosen(columns)
    tables: dict[Split, Table] = {"train": train}
    for split, table in stored.items():
        if split != "train":
            same = _of_shape(train, _named(whole, table).chosen(train.names))
            tables[split] = same if train.label else same._replace(label="", labels=Column("", []))
    return tables


def _named(train: Table, table: Table) -> Table:
    if train.values.ndim != 2 or table.values.ndim != 2 or not (is_unnamed(train.names) or is_unnamed(table.names)):
        return table
    return table.like(train.chosen(None).names)


def _of_shape(train: Table, table: Table) -> Table:
    expected, got = train.values.shape[1:], table.values.shape[1:]
    if expected != got:
        raise DataError(
            f"expected samples of shape {expected} in {table.place}, as in {train.place}, got {got}; give both splits "
            "one shape"
        )
    return table

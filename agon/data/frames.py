"""Columns of numbers in parquet files, Arrow tables, and the data frames of pandas and polars."""

from pathlib import Path
from typing import Any

import numpy as np

from agon.data.table import Table, refuse_repeated, table_of
from agon.errors import DataError, require
from agon.untrusted import NotRegularError, open_regular, shortened


def read_parquet(file: Path) -> Table:
    """Read the columns of numbers of a parquet file.

    Raises:
        DataError: the file is damaged, or has no column of numbers.
    """
    require("pyarrow")
    import pyarrow.parquet

    try:
        with open_regular(file):  # opening a pipe would wait forever
            table = pyarrow.parquet.read_table(file)
    except NotRegularError as fault:
        raise DataError(f"expected a parquet file, but {fault}; remove it") from fault
    except Exception as fault:  # Arrow raises a dozen types on damaged bytes
        raise DataError(
            f"expected a whole parquet file, but {file} cannot be read ({shortened(str(fault))}); fetch it again"
        ) from fault
    return of_arrow(table, str(file))


def of_arrow(table: Any, place: str) -> Table:
    """The columns of an Arrow table; a column of lists of one length counts as that many columns.

    Raises:
        DataError: there is no column of numbers.
    """
    import pyarrow

    columns: dict[str, Any] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pyarrow.types.is_floating(kind) or pyarrow.types.is_integer(kind) or pyarrow.types.is_decimal(kind):
            columns[name] = _arrow_numbers(column)
        elif pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind):
            columns |= _spread(name, column.to_pylist())
        else:
            columns[name] = np.array(column.to_pylist(), dtype=object)
    return table_of(columns, place)


def _arrow_numbers(column: Any) -> np.ndarray:
    """The cells of Arrow's column as float64, rounded as those of pandas; of a type that it cannot cast, as objects."""
    import pyarrow

    try:
        numbers: np.ndarray = column.cast(pyarrow.float64(), safe=False).to_numpy()
    except pyarrow.ArrowException:
        return np.array(column.to_pylist(), dtype=object)
    return numbers


def is_frame(x: Any) -> bool:
    """Whether x is a data frame or a column of pandas or polars, or an Arrow table, without importing any of them."""
    return type(x).__module__.partition(".")[0] in ("pandas", "polars", "pyarrow") and hasattr(x, "shape")


def of_frame(x: Any, place: str) -> Table:
    """The columns of a data frame, or a single column of one.

    Raises:
        DataError: there is no column of numbers, or two have one name.
    """
    library = type(x).__module__.partition(".")[0]
    if library == "pyarrow":
        return of_arrow(x, place)
    if len(x.shape) == 1:
        x = x.to_frame()
    if library == "polars":
        return table_of({column.name: _polars_cells(column) for column in x.get_columns()}, place)
    names = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in x.columns]
    refuse_repeated(names, place)
    return table_of({name: _cells(x.iloc[:, i]) for i, name in enumerate(names)}, place)


def _cells(column: Any) -> np.ndarray:
    """The cells of pandas' column; its missing values become NaN in numbers, and None in words."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_numeric_dtype(column.dtype) or is_bool_dtype(column.dtype):
        numbers: np.ndarray = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers
    return np.array([None if missing else cell for cell, missing in zip(column, column.isna(), strict=True)], object)


def _polars_cells(column: Any) -> np.ndarray:
    """The cells of polars' column; its nulls become NaN in numbers, and None in words."""
    if column.dtype.is_numeric() or str(column.dtype) == "Boolean":
        numbers: np.ndarray = column.cast(float).to_numpy()
        return numbers
    return np.array(column.to_list(), dtype=object)


def _spread(name: str, cells: list[Any]) -> dict[str, Any]:
    """Columns "name 0", "name 1", ... of lists of numbers of one length; else a column of words."""
    try:
        rows = np.array(cells, dtype=np.float64)
    except (TypeError, ValueError):
        rows = np.empty(0)
    if rows.ndim != 2 or not rows.shape[1]:
        return {name: np.array([str(cell) for cell in cells], dtype=object)}
    return {f"{name} {i}": rows[:, i] for i in range(rows.shape[1])}

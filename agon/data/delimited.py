"""Tables as text: .csv and .tsv files, with or without a line of names."""

import csv
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from agon.data.dialect import Cells, Dialect, dialect_of, rows_of
from agon.data.table import Table, as_numbers, refuse_repeated, table_of
from agon.errors import DataError
from agon.untrusted import read_regular

FILE = 2**32  # most bytes of a file


def read_delimited(file: Path) -> Table:
    """Read a .csv or .tsv file, whose delimiter and names are found as `dialect_of` says.

    Without a line of names, the columns are called "0", "1" and so on. With another delimiter than a comma, numbers may
    have a decimal comma.

    Raises:
        DataError: the file is not text in UTF-8, is empty, or its rows differ in length.
    """
    try:
        return _read(_text(file).lstrip("\r\n"), file)
    except csv.Error as fault:
        raise DataError(f"expected a table as text in {file}, got something else ({fault}); check it") from fault


def _read(text: str, file: Path) -> Table:
    dialect = dialect_of(text, file.suffix.lower())
    if not dialect.width:
        raise DataError(f"expected rows of numbers in {file}, got an empty file; check it")
    refuse_repeated(dialect.names, str(file))
    names = dialect.names or tuple(map(str, range(dialect.width)))
    numbers = _numbers(text, dialect)
    if numbers is not None and numbers.shape[1] == dialect.width:
        return table_of({name: numbers[:, column] for column, name in enumerate(names)}, str(file))
    body = _body(text, dialect, file)
    columns = zip(names, zip(*body, strict=True), strict=True)
    return table_of({name: _with_points(cells, dialect.delimiter) for name, cells in columns}, str(file))


def _numbers(text: str, dialect: Dialect) -> Float[np.ndarray, "n d"] | None:
    """The rows of a file that holds numbers alone, which is quick; None for any other."""
    if '"' in text:
        return None
    named = int(bool(dialect.names))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a file without rows
            return np.loadtxt(io.StringIO(text), delimiter=dialect.delimiter, skiprows=named, comments=None, ndmin=2)
    except (ValueError, UserWarning):  # an empty cell, a word, rows of other lengths
        return None


def _body(text: str, dialect: Dialect, file: Path) -> list[Cells]:
    """The rows of text below the names, some cells of which are no numbers."""
    rows = list(rows_of(text, dialect.delimiter))
    odd = next((number for number, row in enumerate(rows) if len(row) != dialect.width), None)
    if odd is not None:
        raise DataError(
            f"expected {dialect.width} cells in every row of {file}, as in the first, got {len(rows[odd])} in line "
            f"{odd + 1}; mend it"
        )
    body = rows[1:] if dialect.names else rows
    if not body:
        raise DataError(f"expected rows of numbers in {file}, got a line of names alone; check it")
    return body


def _text(file: Path) -> str:
    try:
        return read_regular(file, most=FILE).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise DataError(
            f"expected text in UTF-8 in {file}, got other bytes ({fault.reason}); save it as UTF-8"
        ) from fault


def _with_points(cells: tuple[str, ...], delimiter: str) -> Any:
    """Cells with decimal points; a column of words with commas stays as it is."""
    if delimiter == "," or not any("," in cell for cell in cells):
        return cells
    pointed = tuple(cell.replace(",", ".") for cell in cells)
    return cells if as_numbers(pointed) is None else pointed

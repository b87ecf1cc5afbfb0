"""Tables as text: .csv and .tsv files, with or without a line of names."""

import csv
import io
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from agon.data.table import Table, as_numbers, refuse_repeated, table_of
from agon.errors import DataError
from agon.untrusted import read_regular

FILE = 2**32  # most bytes of a file
SAMPLE = 2**16  # characters by which the delimiter is chosen
DELIMITERS = ",;\t|"


def read_delimited(file: Path) -> Table:
    """Read a .csv or .tsv file.

    The first line holds the names if all its cells are words, or one is a word over a number; else the columns are
    called "0", "1" and so on. Of comma, semicolon, tab and bar, the delimiter is the one that is most frequent in the
    first line. With another one than a comma, numbers may have a decimal comma.

    Raises:
        DataError: the file is not text in UTF-8, is empty, or its rows differ in length.
    """
    try:
        return _read(_text(file).lstrip("\r\n"), file)
    except csv.Error as fault:
        raise DataError(f"expected a table as text in {file}, got something else ({fault}); check it") from fault


def _read(text: str, file: Path) -> Table:
    delimiter = max(DELIMITERS, key=text[:SAMPLE].partition("\n")[0].count)
    first = list(islice(_rows(text[:SAMPLE], delimiter), 2))
    if not first:
        raise DataError(f"expected rows of numbers in {file}, got an empty file; check it")
    numbers = _numbers(text, delimiter, named=bool(_names(first, file)))
    if numbers is not None and numbers.shape[1] == len(first[0]):
        names = _names(first, file) or list(map(str, range(len(first[0]))))
        return table_of({name: numbers[:, column] for column, name in enumerate(names)}, str(file))
    return _of_cells(list(_rows(text, delimiter)), delimiter, file)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row))


def _numbers(text: str, delimiter: str, *, named: bool) -> Float[np.ndarray, "n d"] | None:
    """The rows of a file that holds numbers alone, which is quick; None for any other."""
    if '"' in text:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a file without rows
            return np.loadtxt(io.StringIO(text), delimiter=delimiter, skiprows=int(named), comments=None, ndmin=2)
    except (ValueError, UserWarning):  # an empty cell, a word, rows of other lengths
        return None


def _of_cells(rows: list[list[str]], delimiter: str, file: Path) -> Table:
    """The table of rows of text, some of which are no numbers."""
    width = len(rows[0])
    odd = next((number for number, row in enumerate(rows) if len(row) != width), None)
    if odd is not None:
        raise DataError(
            f"expected {width} cells in every row of {file}, as in the first, got {len(rows[odd])} in line {odd + 1}; "
            "mend it"
        )
    names = _names(rows[:2], file)
    body = rows[1:] if names else rows
    if not body:
        raise DataError(f"expected rows of numbers in {file}, got a line of names alone; check it")
    columns = zip(names or map(str, range(width)), zip(*body, strict=True), strict=True)
    return table_of({name: _with_points(cells, delimiter) for name, cells in columns}, str(file))


def _text(file: Path) -> str:
    try:
        return read_regular(file, most=FILE).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise DataError(
            f"expected text in UTF-8 in {file}, got other bytes ({fault.reason}); save it as UTF-8"
        ) from fault


def _names(rows: list[list[str]], file: Path) -> list[str]:
    """The names of the columns; none if the first line is a row like the second."""
    words = [[as_numbers([cell]) is None for cell in row] for row in rows]
    over_number = any(above and not below for above, below in zip(words[0], words[-1], strict=False))
    if not all(words[0]) and not over_number:
        return []
    names = [name.strip() for name in rows[0]]
    refuse_repeated(names, str(file))
    return names


def _with_points(cells: tuple[str, ...], delimiter: str) -> Any:
    """Cells with decimal points; a column of words with commas stays as it is."""
    if delimiter == "," or not any("," in cell for cell in cells):
        return cells
    pointed = tuple(cell.replace(",", ".") for cell in cells)
    return cells if as_numbers(pointed) is None else pointed

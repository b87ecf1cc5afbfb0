"""Tables as text: .csv and .tsv files, with or without a line of names."""

import csv
import io
from pathlib import Path
from typing import Any

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
    text = _text(file)
    head = text[:SAMPLE].lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    if not rows:
        raise DataError(f"expected rows of numbers in {file}, got an empty file; check it")
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
    over_number = any(above and not below for above, below in zip(words[0], words[-1], strict=True))
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

"""How a table is written as text: its delimiter, and whether its first line holds names."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from agon.data.table import INDEX, MISSING

LINES = 64  # by which delimiter and names are found
DELIMITERS = ",;\t|"
YEAR = re.compile("[12][0-9]{3}")

Cells = list[str]


class Dialect(NamedTuple):
    """How a table is written.

    Attributes:
        delimiter: between the cells.
        width: cells in the first line; 0 if there is no line.
        names: names of the columns; empty if the first line is a sample.
    """

    delimiter: str
    width: int
    names: tuple[str, ...]


def dialect_of(text: str, ending: str) -> Dialect:
    """Find how a table is written, by its first lines.

    The delimiter is the one with the most rows of the usual width, above 1, that hold numbers and words without another
    delimiter; a .tsv file with a tab in its first line has tabs.

    The first line holds names if all its cells are words, if one is a word over a number, if it begins with an empty
    cell over the numbers of rows, or if its numbers, two or more, count 0, 1, 2, ... (0 and 1 alone only over other
    numbers) or are ascending years over numbers most of which are no years.
    """
    head = "".join(islice(io.StringIO(text, newline=""), LINES))
    delimiter = "\t" if ending == ".tsv" and "\t" in _first_line(head) else _delimiter(head)
    rows = list(rows_of(head, delimiter))
    width = len(rows[0]) if rows else 0
    named = len(rows) > 0 and _is_named(rows[0], [row for row in rows[1:] if len(row) == width], delimiter)
    return Dialect(delimiter, width, tuple(name.strip() for name in rows[0]) if named else ())


def rows_of(text: str, delimiter: str) -> Iterator[Cells]:
    """The rows of cells; blank lines are no rows, and a line of empty cells is one."""
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)


def is_number(cell: str, delimiter: str) -> bool:
    """Whether a cell holds a number, with a decimal comma where the delimiter allows it, or a missing value.

    >>> is_number("1,5", ";"), is_number("1,5", ","), is_number("?", ","), is_number("one", ",")
    (True, False, True, False)
    """
    if cell.strip().lower() in MISSING:
        return True
    try:
        float(cell if delimiter == "," else cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _first_line(head: str) -> str:
    return head.partition("\n")[0]


def _delimiter(head: str) -> str:
    fit = {delimiter: _fit(head, delimiter) for delimiter in DELIMITERS}
    frequent = _first_line(head).count
    return max(DELIMITERS, key=lambda delimiter: (*fit[delimiter], frequent(delimiter)))


def _fit(head: str, delimiter: str) -> tuple[int, float]:
    """How many rows this delimiter cuts into as many cells as usual that are whole, and the share of numbers."""
    try:
        rows = list(rows_of(head, delimiter))
    except csv.Error:  # of a wide table, a line without this delimiter is too long for a cell
        return 0, 0.0
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    usual = [row for row in rows if len(row) == width]
    if width < 2:
        return 0, 0.0
    others = set(DELIMITERS) - {delimiter}
    cells = [[is_number(cell, delimiter) for cell in row] for row in usual]
    whole = sum(
        all(number or not others & set(cell) for number, cell in zip(numbers, row, strict=True))
        for numbers, row in zip(cells, usual, strict=True)
    )
    return whole, sum(map(sum, cells)) / (width * len(usual))


def _is_named(first: Cells, below: Sequence[Cells], delimiter: str) -> bool:
    words = [not is_number(cell, delimiter) for cell in first]
    if all(words):
        return True
    if not below:
        return False
    over_number = any(word and is_number(cell, delimiter) for word, cell in zip(words, below[0], strict=True))
    if over_number or _begins_with_index(first, below):
        return True
    columns = [i for i, word in enumerate(words) if not word and first[i].strip() not in INDEX]
    return _counts(first, below, columns) or _are_years(first, below, columns)


def _begins_with_index(first: Cells, below: Sequence[Cells]) -> bool:
    """Whether the line is pandas' own: an empty cell over the numbers of rows, then names."""
    counted = [row[0] for row in below] == [str(row) for row in range(len(below))]
    return first[0] == "" and counted and len(first) > 1 and all(first[1:])


def _counts(first: Cells, below: Sequence[Cells], columns: Sequence[int]) -> bool:
    """Whether the numbers of the line are 0, 1, 2, ...; "0,1" can also be a sample of zeros and ones."""
    counts = [str(i) for i in range(len(columns))]
    if len(counts) < 2 or [first[i].strip() for i in columns] != counts:
        return False
    return len(counts) > 2 or any(row[i].strip() not in counts for row in below for i in columns)


def _are_years(first: Cells, below: Sequence[Cells], columns: Sequence[int]) -> bool:
    """Whether the numbers of the line are years in order, over numbers of which at least half are no years."""
    years = [first[i].strip() for i in columns]
    if len(years) < 2 or not all(map(YEAR.fullmatch, years)):
        return False
    ascending = all(one < two for one, two in pairwise(years))
    same = sum(bool(YEAR.fullmatch(row[i].strip())) for row in below for i in columns)
    return ascending and 2 * same <= len(below) * len(columns)

"""Numbers before they are scaled: points with named columns, or series, with the labels beside them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from agon.data.cells import LABELS
from agon.data.labels import Column
from agon.errors import Change, DataError
from agon.untrusted import listed, printable, shortened

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))  # cells without a value, in lower case
INDEX = ("", "Unnamed: 0", "__index_level_0__")  # what pandas calls its numbers of rows in a file
CLASSES = 1_000  # most whole numbers that are taken for classes: more are a measurement, such as a price
PART = 2**16  # rows to hash at a time


class Table(NamedTuple):
    """The numbers of one split, as they are stored.

    Attributes:
        place: where they are stored, for messages.
        values: points "n d" or series "n c t"; NaN where a value is missing.
        names: names of the d columns, or of the c channels.
        label: name of the column of labels, or "".
        labels: its values.
        left_out: names of the columns that hold words or dates, or count the rows.
    """

    place: str
    values: Float[np.ndarray, "n ..."]
    names: tuple[str, ...]
    label: str = ""
    labels: Column = Column("", [])
    left_out: tuple[str, ...] = ()

    def digest(self) -> str:
        """Hex SHA-256 of the shape, the numbers as float64, and the labels; the names of columns do not matter."""
        total = hashlib.sha256(repr(self.values.shape).encode())
        for first in range(0, len(self.values), PART):
            part = np.ascontiguousarray(self.values[first : first + PART], dtype="<f8")
            total.update(np.where(np.isnan(part), np.nan, part + 0.0).data)  # one NaN, and no negative zero
        if self.label:
            total.update(repr(np.asarray(self.labels.values, dtype=object).tolist()).encode())
        return total.hexdigest()

    def chosen(self, columns: Sequence[str] | None) -> "Table":
        """The table with these columns alone; None leaves out only the column of labels.

        Raises:
            DataError: a column does not exist, or holds no numbers.
        """
        if self.values.ndim != 2:
            return self
        names = [name for name in self.names if name != self.label] if columns is None else list(columns)
        for name in names:
            if name not in self.names:
                what = "holds none" if name in self.left_out else "does not exist"
                raise DataError(
                    f"expected columns of numbers in {self.place}, but '{shortened(name)}' {what}; there are "
                    f"{listed(self.names)}"
                )
        if not names:
            others = listed((self.label, *self.left_out))
            raise DataError(f"expected columns of numbers in {self.place}, got only {others}; give another file")
        if tuple(names) == self.names:
            return self
        return self._replace(values=self.values[:, [self.names.index(name) for name in names]], names=tuple(names))

    def like(self, names: Sequence[str]) -> "Table":
        """The table with the columns of other data: by their names, or by position if either has no names of its own.

        Raises:
            DataError: a column does not exist, or columns without names are not as many.
        """
        some = len(names) != len(self.names) and set(names) <= set(self.names)  # of the positions
        if not is_unnamed(names) and (some or not is_unnamed(self.names)):
            return self.chosen(names)
        table = self.chosen(None)
        if len(table.names) != len(names):
            raise DataError(
                f"expected {len(names)} columns in {self.place}, as in the data, got {len(table.names)}; give it the "
                "same ones"
            )
        return table._replace(names=tuple(names))

    def under(self, names: Sequence[str] | None) -> "Table":
        """The same table with these names, if it has as many columns and lacks one of the names."""
        if names is None or set(names) <= set(self.names) or len(names) != len(self.names):
            return self
        return self._replace(names=tuple(names))

    def whole(self, *, skip_missing: bool) -> "Table":
        """The table without the rows in which a value is missing or infinite.

        Raises:
            DataError: there are such rows, and they are not to be left out.
        """
        good = self.complete()
        if good.all():
            return self
        if not skip_missing or not good.any():
            row = int(np.argmin(good))
            where = self.names[int(np.argmin(np.isfinite(self.values[row]).reshape(len(self.names), -1).all(1)))]
            skip = Change("data.skip_missing", True)
            raise DataError(
                f"expected a finite number in every cell of {self.place}, got {len(good) - int(good.sum()):,} of "
                f"{len(good):,} rows without, first row {row} in '{shortened(where)}'; fill them, or leave these rows "
                f"out with {skip}",
                skip,
            )
        labels = [value for value, keep in zip(self.labels.values, good, strict=True) if keep] if self.label else []
        return self._replace(values=self.values[good], labels=self.labels._replace(values=labels))

    def complete(self) -> Bool[np.ndarray, " n"]:
        """Whether every value of a row is finite."""
        finite: np.ndarray = np.isfinite(self.values).reshape(len(self.values), -1).all(axis=1)
        return finite


def table_of(columns: Mapping[str, Any], place: str) -> Table:
    """Make a table of named columns: numbers, and one of labels if it has a usual name and holds text or whole numbers.

    Args:
        columns: name -> its cells: an array, or numbers, texts and None.
        place: where they are stored, for messages.

    Raises:
        DataError: a column holds numbers and something else, there is none of numbers, or there are no rows.
    """
    numbers = {name: None if name in INDEX else as_numbers(cells, name, place) for name, cells in columns.items()}
    others = tuple(name for name, column in numbers.items() if column is None)
    known = {name: column for name, column in numbers.items() if column is not None}
    if not known:
        raise DataError(f"expected a column of numbers in {place}, got {listed(columns) or 'no columns'}")
    if not len(next(iter(known.values()))):
        raise DataError(f"expected rows of numbers in {place}, got none below the names {listed(columns)}; check it")
    usual = (name for usual in LABELS for name in columns if name.lower() == usual)
    label = next((name for name in usual if name in others or _are_classes(known[name])), "")
    labels = Column(f"column '{printable(label)}' of {place}", _plain(columns[label]) if label else [])
    left_out = tuple(name for name in others if name != label)
    return Table(place, np.stack(list(known.values()), axis=1), tuple(known), label, labels, left_out)


def is_unnamed(names: Sequence[str]) -> bool:
    """Whether the columns have no names but their positions, as those of an array."""
    return tuple(names) == tuple(map(str, range(len(names))))


def worded(names: Sequence[str]) -> tuple[str, ...]:
    """Names that a table of text can begin with: if all are numbers, which could be a sample, each gets an x.

    >>> worded(["0", "1"]), worded(["city", "1990"])
    (('x0', 'x1'), ('city', '1990'))
    """
    if any(as_numbers([name]) is None for name in names):
        return tuple(names)
    return tuple(f"x{name}" for name in names)


def refuse_repeated(names: Sequence[str], place: str) -> None:
    """Raise a DataError if two columns have one name."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(
            f"expected columns of different names in {place}, got '{shortened(repeated)}' twice; rename one"
        )


def as_numbers(cells: Any, name: str = "", place: str = "") -> Float[np.ndarray, " n"] | None:
    """A column as float64, NaN for a missing value; None for a column of text or dates.

    Raises:
        DataError: most cells are numbers, and some are not.
    """
    array = np.asarray(cells)
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.ndim != 1 or array.dtype.kind not in "OSUT":
        return None
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):  # an empty cell, a word, or a whole number beyond floats
        return _parsed(array.tolist(), name, place)


def _parsed(cells: Sequence[Any], name: str, place: str) -> Float[np.ndarray, " n"] | None:
    values = [_number(cell) for cell in cells]
    words = [row for row, value in enumerate(values) if value is None]
    missing = sum(value is not None and value != value for value in values)
    if words and 2 * len(words) >= len(cells) - missing:
        return None
    if words:
        raise DataError(
            f"expected numbers in column '{printable(name)}' of {place}, got {shortened(repr(cells[words[0]]))} in row "
            f"{words[0]}; mend the cell, or empty it"
        )
    return np.array(values, dtype=np.float64)


def _number(cell: Any) -> float | None:
    """The number in a cell, NaN for a missing value, or None for anything else."""
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING):
        return float("nan")
    try:
        return float(cell)
    except OverflowError:
        return float("inf")
    except (TypeError, ValueError):
        return None


def _are_classes(column: Float[np.ndarray, " n"]) -> bool:
    """Whether numbers can be class numbers: whole, from -1, and not very many."""
    known = np.unique(column[~np.isnan(column)])
    return 0 < len(known) <= CLASSES and bool((known == np.round(known)).all() and known[0] >= -1)


def _plain(cells: Any) -> list[Any]:
    """Labels as numbers, words and None."""
    values = np.asarray(cells, dtype=object).tolist()
    if all(isinstance(value, str) for value in values):
        numbers = as_numbers(values)
        if numbers is not None and _are_classes(numbers):
            return [None if np.isnan(value) else int(value) for value in numbers]
    return [value if isinstance(value, str | int | float | type(None)) else str(value) for value in values]

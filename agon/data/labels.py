"""Class numbers from whatever a set has as labels: one table of names over all of its splits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from agon.data.source import Split
from agon.errors import DataError
from agon.untrusted import printable, shortened

CLASSES = 1_000_000  # class numbers go below it: each number has a name in memory
UNLABELLED = -1
OFF = "labelled=false"  # the reason where labels are not asked for
ADVICE = "or read the images alone with --set data.labelled=false"


class Column(NamedTuple):
    """The labels of some images.

    Attributes:
        place: where they are stored, in words that find them again.
        values: one an image: numbers, names, one-hot rows; None where an image has none.
        names: of the numbers, where the set states them.
    """

    place: str
    values: Sequence[Any] | np.ndarray
    names: Sequence[str] | None = None


class Labels(NamedTuple):
    """The labels of one split.

    Attributes:
        numbers: "n" int64, UNLABELLED where an image has none; None where no image has one.
        classes: names of all splits' classes, in the order of their numbers, safe to print.
        reason: why there are no numbers; "" where there are.
        numbering: what decides the numbers besides the split's own content; "" for nothing.
    """

    numbers: Int[np.ndarray, " n"] | None
    classes: tuple[str, ...]
    reason: str = ""
    numbering: str = ""


def numbered(splits: Mapping[Split, Sequence[Column]]) -> dict[Split, Labels]:
    """The labels of every split, under one table of names.

    Numbers stay as they are, and are named by what the set states or by their digits. Names are numbered in their
    order over all splits: alphabetical, or by value where all are whole numbers. A one-hot row is the number of its
    one; null, NaN, -1 and an empty name are images without a label.

    Args:
        splits: the columns of each, which follow each other.

    Raises:
        DataError: labels are neither numbers nor names, or numbers in one place and names in another.

    >>> tables = {"train": [Column("a", ["ant", "bee", "cow"])], "test": [Column("b", ["bee", None])]}
    >>> numbered(tables)["test"].numbers.tolist(), numbered(tables)["test"].classes
    ([1, -1], ('ant', 'bee', 'cow'))
    """
    columns = list(chain.from_iterable(splits.values()))
    plain = _by_name([_plain(column) for column in columns], columns)
    names = _table(plain, columns)
    waiting, found = iter(plain), {}
    for split, parts in splits.items():
        values = list(chain.from_iterable(next(waiting) for _ in parts))
        found[split] = _labels(values, names, parts)
    return found


def ordered(names: Iterable[str]) -> list[str]:
    """Names in alphabetical order, or by value where all of them are whole numbers.

    >>> ordered(["10", "9", "b"]), ordered(["10", "9", "01"])
    (['10', '9', 'b'], ['01', '9', '10'])
    """
    known = sorted(set(names))
    if all(name.isascii() and name.isdigit() for name in known):
        known.sort(key=lambda name: (len(name.lstrip("0")), name.lstrip("0"), name))
    return known


def _labels(values: list[Any], names: list[str], parts: Sequence[Column]) -> Labels:
    classes = tuple(map(printable, names))
    own = {value for value in values if value is not None}
    if not own:
        where = f"the labels in {parts[0].place} are all empty" if values else "it has no labels"
        return Labels(None, classes, where)
    if not any(isinstance(value, str) for value in own):
        return Labels(np.array([UNLABELLED if v is None else v for v in values], dtype=np.int64), classes)
    number = {name: i for i, name in enumerate(names)}
    numbers = np.array([UNLABELLED if v is None else number[v] for v in values], dtype=np.int64)
    return Labels(numbers, classes, numbering="" if names == sorted(own) else repr(names))


def _by_name(plain: list[list[Any]], columns: Sequence[Column]) -> list[list[Any]]:
    """Numbers as the names that their own column states, where columns state different ones or have names."""
    stated = {tuple(column.names) for column in columns if column.names}
    named = next((i for i, values in enumerate(plain) if any(isinstance(v, str) for v in values)), None)
    if len(stated) < 2 and named is None:
        return plain
    made = []
    for values, column in zip(plain, columns, strict=True):
        bare = next((value for value in values if isinstance(value, int)), None)
        if bare is not None and not column.names:
            other = columns[named].place if named is not None else next(c.place for c in columns if c.names)
            raise DataError(
                f"labels: expected numbers everywhere or names everywhere, got the number {bare} in {column.place} and "
                f"names in {other}; write all of one kind, {ADVICE}"
            )
        names = column.names or ()
        made.append([names[value] if isinstance(value, int) else value for value in values])
    return made


def _table(plain: list[list[Any]], columns: Sequence[Column]) -> list[str]:
    known = {value for values in plain for value in values if value is not None}
    stated = [column.names for column in columns if column.names]
    every = list(dict.fromkeys(chain.from_iterable(stated)))
    if any(isinstance(value, str) for value in known):
        return every + ordered(known - set(every))
    return every + [str(number) for number in range(len(every), max(known, default=-1) + 1)]


def _plain(column: Column) -> list[Any]:
    """Every label as a class number from 0, a name, or None."""
    values = column.values
    if isinstance(values, np.ndarray):
        values = _hot(values, column.place) if values.ndim > 1 else values.tolist()
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {list, np.ndarray}:
        return _rows(values, column.place)
    if kinds and kinds <= {bytes, str}:
        texts = [v.decode(errors="backslashreplace") if isinstance(v, bytes) else v for v in values]
        return [text or None for text in texts]
    if not kinds <= {int, bool, float}:
        odd = (value for value in values if value is not None and type(value) not in (int, str))
        raise _refused(column.place, next(odd, "numbers beside names"))
    numbers = {value: None if value is None else _number(value, column) for value in dict.fromkeys(values)}
    made = [numbers[value] for value in values]
    if set(made) == {None, 1} and any(value == UNLABELLED for value in values):
        raise DataError(
            f"labels: expected class numbers from 0 in {column.place}, got -1 and 1, of which -1 says that an image "
            f"has none; write 0 and 1, {ADVICE}"
        )
    return made


def _number(value: float, column: Column) -> int | None:
    if value == UNLABELLED or math.isnan(value):
        return None
    most = len(column.names) if column.names else CLASSES
    if not 0 <= value < most or value != int(value):
        raise _refused(column.place, value, f" from 0 to {most - 1:,}")
    return int(value)


def _rows(values: Sequence[Any], place: str) -> list[Any]:
    """Lists as their one number, or the place of the one in a one-hot row."""
    known = [i for i, value in enumerate(values) if value is not None]
    try:
        hot = _hot(np.array([values[i] for i in known]), place)
    except ValueError as fault:  # lists of different lengths
        raise _refused(place, values[known[0]]) from fault
    made: list[Any] = [None] * len(values)
    for i, value in zip(known, hot, strict=True):
        made[i] = value
    return _plain(Column(place, made))


def _hot(array: np.ndarray, place: str) -> list[Any]:
    rows = array.reshape(len(array), -1) if array.size else array.reshape(len(array), 0)
    if rows.shape[1] == 1:
        flat: list[Any] = rows[:, 0].tolist()
        return flat
    single = rows.dtype.kind in "biuf" and rows.shape[1] > 1
    if not single or not ((rows == 0) | (rows == 1)).all() or not (rows.sum(1) == 1).all():
        raise _refused(place, array[0].tolist() if len(array) else array.shape)
    places: list[Any] = rows.argmax(1).tolist()
    return places


def _refused(place: str, got: object, numbers: str = "") -> DataError:
    return DataError(
        f"labels: expected a class's number{numbers}, its name, or a one-hot row for each image in {place}, got "
        f"{shortened(repr(got))}; write those, {ADVICE}"
    )

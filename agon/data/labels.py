"""Class numbers from a set's labels of any kind: one table of names over all splits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from agon.data.source import Split
from agon.errors import DataError
from agon.untrusted import printable, shortened

CLASSES = 1_000_000  # class numbers are below it, because each number has a name in memory
UNLABELLED = -1
OFF = "labelled=false"  # the reason for no labels if they are turned off
ADVICE = "or read the images alone with --set data.labelled=false"


class Column(NamedTuple):
    """The labels of some images.

    Attributes:
        place: where they are stored, for messages.
        values: one for each image: numbers, names or one-hot rows; None for an image without a label.
        names: names of the numbers, if the set states them.
    """

    place: str
    values: Sequence[Any] | np.ndarray
    names: Sequence[str] | None = None


class Labels(NamedTuple):
    """The labels of one split.

    Attributes:
        numbers: "n" int64, UNLABELLED for an image without a label; None if no image has a label.
        classes: names of all splits' classes, in the order of their numbers, safe to print.
        reason: why there are no numbers; "" if there are.
        numbering: what determines the numbers besides the split's own content; "" for nothing.
    """

    numbers: Int[np.ndarray, " n"] | None
    classes: tuple[str, ...]
    reason: str = ""
    numbering: str = ""


def numbered(splits: Mapping[Split, Sequence[Column]]) -> dict[Split, Labels]:
    """Number the labels of every split, with one table of names.

    Numbers stay as they are; their names are those that the set states, or their digits. Names are numbered in their
    order over all splits: alphabetically, or by value if all are whole numbers. A one-hot row becomes the index of
    its one. Null, NaN, -1 and an empty name mean an image without a label.

    Args:
        splits: split -> its columns, in order.

    Raises:
        DataError: labels are neither numbers nor names, or numbers in one place and names in another.

    >>> tables = {"train": [Column("a", ["ant", "bee", "cow"])], "test": [Column("b", ["bee", None])]}
    >>> numbered(tables)["test"].numbers.tolist(), numbered(tables)["test"].classes
    ([1, -1], ('ant', 'bee', 'cow'))
    """
    columns = list(chain.from_iterable(splits.values()))
    plain = _by_name([_plain(column) for column in columns], columns)
    names = _table(plain, columns)
    waiting, labels = iter(plain), {}
    for split, parts in splits.items():
        values = list(chain.from_iterable(next(waiting) for _ in parts))
        labels[split] = _labels(values, names, parts)
    return labels


def of_samples(labels: Any, place: str, n: int) -> Column | None:
    """The labels of n samples that were given beside them; None for None.

    Args:
        labels: an array, a tensor, a column of a data frame, or an iterable, of numbers, names or one-hot rows.
        place: what holds the samples, for messages.
        n: how many samples there are.

    Raises:
        DataError: they are no labels, or fewer or more than n.
    """
    if labels is None:
        return None
    values = _entries(labels)
    if values is None:
        raise DataError(
            f"expected a label for each of the {n:,} samples in {place}, got {shortened(repr(labels))}; give a list or "
            "an array of them"
        )
    if len(values) != n:
        raise DataError(f"expected {n:,} labels for the samples in {place}, got {len(values):,}; give one for each")
    return Column(f"the labels of {place}", values)


def bare(label: Any) -> Any:
    """A label of numpy or torch in Python's own types: a number, a name, or a list.

    >>> bare(np.int64(3)), bare(np.array([0, 1])), bare(np.ma.masked)
    (3, [0, 1], None)
    """
    return label.tolist() if hasattr(label, "tolist") else label


def ordered(names: Iterable[str]) -> list[str]:
    """Sort names alphabetically, or by value if all of them are whole numbers.

    >>> ordered(["10", "9", "b"]), ordered(["10", "9", "01"])
    (['10', '9', 'b'], ['01', '9', '10'])
    """
    known = sorted(set(names))
    if all(name.isascii() and name.isdigit() for name in known):
        known.sort(key=lambda name: (len(name.lstrip("0")), name.lstrip("0"), name))
    return known


def _labels(values: list[Any], names: list[str], parts: Sequence[Column]) -> Labels:
    classes = tuple(map(printable, names))
    known = {value for value in values if value is not None}
    if not known:
        where = f"the labels in {parts[0].place} are all empty" if values else "it has no labels"
        return Labels(None, classes, where)
    if not any(isinstance(value, str) for value in known):
        return Labels(np.array([UNLABELLED if v is None else v for v in values], dtype=np.int64), classes)
    number = {name: i for i, name in enumerate(names)}
    numbers = np.array([UNLABELLED if v is None else number[v] for v in values], dtype=np.int64)
    return Labels(numbers, classes, numbering="" if names == sorted(known) else repr(names))


def _by_name(plain: list[list[Any]], columns: Sequence[Column]) -> list[list[Any]]:
    """Replace numbers by the names that their column states, if columns state different names or hold names."""
    stated = {tuple(column.names) for column in columns if column.names}
    named = next((i for i, values in enumerate(plain) if any(isinstance(v, str) for v in values)), None)
    if len(stated) < 2 and named is None:
        return plain
    by_name = []
    for values, column in zip(plain, columns, strict=True):
        bare = next((value for value in values if isinstance(value, int)), None)
        if bare is not None and not column.names:
            other = columns[named].place if named is not None else next(c.place for c in columns if c.names)
            raise DataError(
                f"labels: expected numbers everywhere or names everywhere, got the number {bare} in {column.place} and "
                f"names in {other}; write all of one kind, {ADVICE}"
            )
        names = column.names or ()
        by_name.append([names[value] if isinstance(value, int) else value for value in values])
    return by_name


def _table(plain: list[list[Any]], columns: Sequence[Column]) -> list[str]:
    known = {value for values in plain for value in values if value is not None}
    stated = [column.names for column in columns if column.names]
    names = list(dict.fromkeys(chain.from_iterable(stated)))
    if any(isinstance(value, str) for value in known):
        return names + ordered(known - set(names))
    return names + [str(number) for number in range(len(names), max(known, default=-1) + 1)]


def _entries(labels: Any) -> Sequence[Any] | None:
    """The entries of labels, one for each sample; None if they have none."""
    if isinstance(labels, str | bytes | Mapping):
        return None
    to_list = next((name for name in ("tolist", "to_pylist", "to_list") if hasattr(labels, name)), None)
    frame = to_list is None and hasattr(labels, "to_numpy")
    try:
        values = getattr(labels, to_list)() if to_list else list(labels.to_numpy() if frame else labels)
    except (TypeError, RuntimeError):  # a number, or a tensor without a list
        return None
    return [bare(value) for value in values] if isinstance(values, list) else None


def _plain(column: Column) -> list[Any]:
    """Every label as a class number from 0, a name, or None."""
    values = column.values
    if isinstance(values, np.ndarray):
        values = _hot(values, column.place) if values.ndim > 1 else values.tolist()
    if not {type(value) for value in values} <= {int, str}:
        values = [None if _is_missing(value) else value for value in map(bare, values)]
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {list}:
        return _rows(values, column.place)
    if kinds and kinds <= {bytes, str}:
        texts = [v.decode(errors="backslashreplace") if isinstance(v, bytes) else v for v in values]
        return [text or None for text in texts]
    if not kinds <= {int, bool, float}:
        odd = (value for value in values if value is not None and type(value) not in (int, str))
        raise _refused(column.place, next(odd, "numbers beside names"))
    numbers = {value: None if value is None else _number(value, column) for value in dict.fromkeys(values)}
    labels = [numbers[value] for value in values]
    if set(labels) == {None, 1} and any(value == UNLABELLED for value in values):
        raise DataError(
            f"labels: expected class numbers from 0 in {column.place}, got -1 and 1, of which -1 says that an image "
            f"has none; write 0 and 1, {ADVICE}"
        )
    return labels


def _is_missing(label: Any) -> bool:
    return type(label).__name__ == "NAType" or (isinstance(label, float) and math.isnan(label))


def _number(value: float, column: Column) -> int | None:
    if value == UNLABELLED or math.isnan(value):
        return None
    most = len(column.names) if column.names else CLASSES
    if not 0 <= value < most or value != int(value):
        raise _refused(column.place, value, f" from 0 to {most - 1:,}")
    return int(value)


def _rows(values: Sequence[Any], place: str) -> list[Any]:
    """Turn lists of one number into that number, and one-hot rows into the index of their one."""
    known = [i for i, value in enumerate(values) if value is not None]
    try:
        hot = _hot(np.array([values[i] for i in known]), place)
    except ValueError as fault:  # lists of different lengths
        raise _refused(place, values[known[0]]) from fault
    flat: list[Any] = [None] * len(values)
    for i, value in zip(known, hot, strict=True):
        flat[i] = value
    return _plain(Column(place, flat))


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

"""The stored images of one split, not decoded yet, in a fixed order and in parts that shuffle apart."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from agon.data.decode import Content


class Raw(NamedTuple):
    """One stored image.

    Attributes:
        place: where it is, in words that find it again: a file, or a file and a row.
        content: its bytes, its path, or its decoded pixels "h w c".
        label: its class number, or None.
    """

    place: str
    content: Content
    label: int | None


class Rows(ABC):
    """The images of one split.

    Attributes:
        labels: "n" int64, or None where there are no classes or (a stream) they are not known beforehand.
        classes: the names of the classes, in the order of their labels.
    """

    labels: Int[np.ndarray, " n"] | None
    classes: tuple[str, ...]

    @abstractmethod
    def __len__(self) -> int:
        """How many images."""

    @property
    @abstractmethod
    def parts(self) -> int:
        """Into how many parts (files, groups of rows) the images are stored: what can be read apart."""

    @abstractmethod
    def part(self, number: int) -> Iterator[Raw]:
        """The images of one part, in their order."""

    @abstractmethod
    def digest(self) -> str:
        """Hex SHA-256 of the content itself: never of names' dates, which copies and edits fool."""

    def __iter__(self) -> Iterator[Raw]:
        for number in range(self.parts):
            yield from self.part(number)


def digest_files(files: list[Path], root: Path) -> str:
    """SHA-256 over the files' relative names and contents, in the given order."""
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").digest()
        total.update(repr(file.relative_to(root).as_posix()).encode() + content)
    return total.hexdigest()


def numbered(values: list[object], names: list[str] | None) -> tuple[Int[np.ndarray, " n"] | None, tuple[str, ...]]:
    """A column of labels as class numbers, with the classes' names.

    Numbers stay as they are and are named by `names` or by their digits; strings are numbered in
    alphabetical order; anything else is not a class, and gives (None, ()).
    """
    if not values:
        return None, ()
    if all(isinstance(value, str) for value in values):
        known = sorted({str(value) for value in values})
        number = {name: i for i, name in enumerate(known)}
        return np.array([number[str(value)] for value in values], dtype=np.int64), tuple(known)
    if all(isinstance(value, int | np.integer) for value in values):
        labels = np.array(values, dtype=np.int64)
        return labels, tuple(names or map(str, range(max(0, int(labels.max()) + 1))))
    return None, ()

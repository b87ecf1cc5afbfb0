"""The stored images of one split, not decoded yet, in a fixed order and in parts that shuffle apart."""

import hashlib
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from agon.data.decode import Content, unread
from agon.data.labels import Labels
from agon.untrusted import KINDS, open_regular


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


class Unreadable(NamedTuple):
    """A stored image that cannot be read: where it is, and why."""

    place: str
    reason: str


class ImageRows(ABC):
    """The images of one split.

    Attributes:
        labels: "n" int64, or None where there are no classes or (a stream) they are not known beforehand.
        classes: the names of the classes, in the order of their labels.
        reason: why there are no labels, or "".
        numbering: what decides the labels besides the content, or "".
        left_out: what was passed over beside the images, one sentence each.
        names_files: whether the images may lie in files that the rows only name.
    """

    labels: Int[np.ndarray, " n"] | None = None
    classes: tuple[str, ...] = ()
    reason: str = ""
    numbering: str = ""
    left_out: tuple[str, ...] = ()
    names_files: bool = False

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

    def label(self, labels: Labels) -> None:
        """Take labels, which are read later than the images: they need one table over all splits."""
        self.labels, self.classes, self.reason, self.numbering = labels

    def identity(self) -> str:
        """The digest, and how the classes are numbered where the content alone does not tell."""
        digest = self.digest()
        return hashlib.sha256(f"{digest} {self.numbering}".encode()).hexdigest() if self.numbering else digest

    def closed(self) -> list[Unreadable]:
        """Files of images that cannot even be opened; none is decoded."""
        return []

    def __iter__(self) -> Iterator[Raw]:
        for number in range(self.parts):
            yield from self.part(number)


def closed(files: Iterable[Path]) -> list[Unreadable]:
    """Those that are not there, that are no files, of no format that is read, or forbidden; none is opened."""
    unreadable = []
    for file in files:
        try:
            kind = KINDS.get(stat.S_IFMT(os.stat(file).st_mode))
            reason = f"it is {kind}" if kind else "" if os.access(file, os.R_OK) else "it may not be read"
            reason = reason or unread(file)
        except OSError as fault:
            reason = said(fault)
        if reason:
            unreadable.append(Unreadable(str(file), reason))
    return unreadable


def said(fault: OSError) -> str:
    """Why a file cannot be read, without its name."""
    return os.strerror(fault.errno).lower() if fault.errno else f"{fault}" or type(fault).__name__


def digest_files(files: list[Path], root: Path) -> str:
    """SHA-256 over the files' relative names and contents, in the given order.

    A file that cannot be read counts by the reason, so that decoding, which names it, is reached.
    """
    total = hashlib.sha256()
    for file in files:
        try:
            with open_regular(file) as stream:
                content = hashlib.file_digest(stream, "sha256").digest()  # type: ignore[arg-type]
        except OSError as fault:
            content = f"unreadable {type(fault).__name__} {fault.errno}".encode()
        total.update(repr(file.relative_to(root).as_posix()).encode() + content)
    return total.hexdigest()

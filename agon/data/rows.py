"""The stored images of one split, not decoded, in a fixed order and in parts for shuffling."""

import copy
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
from agon.data.labels import OFF, Labels
from agon.untrusted import KINDS, open_regular


class Raw(NamedTuple):
    """One stored image.

    Attributes:
        place: where it is stored, for messages: a file, or a file and a row.
        content: its bytes, its path, or its decoded pixels "h w c".
        label: its class number, or None.
    """

    place: str
    content: Content
    label: int | None


class Unreadable(NamedTuple):
    """A stored image that cannot be read: its place, and the reason."""

    place: str
    reason: str


class ImageRows(ABC):
    """The images of one split.

    Attributes:
        labels: "n" int64; None without classes, or for a stream, whose labels are not known beforehand.
        classes: names of the classes, in the order of their labels.
        reason: why there are no labels, or "".
        numbering: what determines the labels besides the content, or "".
        left_out: remarks on what was left out, one sentence each.
        names_files: whether rows may name files that hold the images.
    """

    labels: Int[np.ndarray, " n"] | None = None
    classes: tuple[str, ...] = ()
    reason: str = ""
    numbering: str = ""
    left_out: tuple[str, ...] = ()
    names_files: bool = False

    @abstractmethod
    def __len__(self) -> int:
        """Number of images."""

    @property
    @abstractmethod
    def parts(self) -> int:
        """Number of parts (files, groups of rows) that can be read separately."""

    @abstractmethod
    def part(self, number: int) -> Iterator[Raw]:
        """The images of one part, in order."""

    @abstractmethod
    def digest(self) -> str:
        """Hex SHA-256 of the content itself, never of files' dates, which copies and edits change."""

    def label(self, labels: Labels) -> None:
        """Set the labels, which come later than the images because they need one table over all splits."""
        self.labels, self.classes, self.reason, self.numbering = labels

    def identity(self) -> str:
        """The digest, combined with the numbering of the classes if the content alone does not determine it."""
        digest = self.digest()
        return hashlib.sha256(f"{digest} {self.numbering}".encode()).hexdigest() if self.numbering else digest

    def closed(self) -> list[Unreadable]:
        """Image files that cannot be opened; decodes none."""
        return []

    def __iter__(self) -> Iterator[Raw]:
        for number in range(self.parts):
            yield from self.part(number)


def unlabelled(rows: ImageRows) -> ImageRows:
    """The same images without labels."""
    without = copy.copy(rows)
    without.label(Labels(None, (), OFF))
    return without


def closed(files: Iterable[Path]) -> list[Unreadable]:
    """Find files that are missing, not regular, of an unsupported format, or without permission; opens none."""
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
    """The reason of an error, without the file's name."""
    return os.strerror(fault.errno).lower() if fault.errno else f"{fault}" or type(fault).__name__


def digest_files(files: list[Path], root: Path) -> str:
    """SHA-256 over the files' relative names and contents, in the given order.

    For a file that cannot be read the reason is hashed, because decoding will report it.
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

"""Walk through a folder: find images by subfolder, and note what is left out; links cannot make it endless."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agon.data.decode import UNREAD, suffixes
from agon.errors import DataError
from agon.untrusted import listed

SYSTEM = {"__macosx", "$recycle.bin", "@eadir", "#recycle", "system volume information", "lost+found", "@tmp"}
NEVER = ("/proc", "/sys", "/dev")  # the kernel's virtual files, which have no end
DEEPEST = 64  # most levels of folders
MANY = 1_000_000  # files and folders from which on at least one in RARE must be an image
RARE = 100
FEW = 10  # at most one image in FEW may lie beside folders of classes or splits; with more, they are neither


@dataclass
class Tree:
    """A folder.

    Attributes:
        path: its path.
        images: files directly in it with an image's extension, sorted.
        folders: name -> subfolder that holds images at any depth.
    """

    path: Path
    images: list[Path] = field(default_factory=list)
    folders: dict[str, "Tree"] = field(default_factory=dict)

    @property
    def only(self) -> "Tree | None":
        """The only subfolder, if there is exactly one and few images lie beside it; else None."""
        return next(iter(self.folders.values())) if len(self.folders) == 1 and self.few else None

    @property
    def few(self) -> bool:
        """Whether few images lie directly in it: at most one, or one in FEW of all."""
        return len(self.images) <= max(1, self.count // FEW)

    @property
    def count(self) -> int:
        """Number of images in it and below."""
        return len(self.images) + sum(folder.count for folder in self.folders.values())

    def files(self) -> list[Path]:
        """All images, sorted by the parts of their paths below it."""
        files = self.images + [file for folder in self.folders.values() for file in folder.files()]
        return sorted(files, key=lambda file: file.relative_to(self.path).parts)


class Walk:
    """One walk through a folder.

    A link to a folder is followed once, and only if it leads out of the folder and not to a folder around it. Hidden
    folders, those of operating systems, and folders more than DEEPEST levels down are left out.

    Args:
        root: the folder.

    Attributes:
        tree: the images.
        tables: parquet files, sorted.
        others: extension -> number of other files.
        left: folders and links that were not entered, with the reason.

    Raises:
        DataError: there are more than MANY files and folders, and hardly any images.
        OSError: a folder cannot be opened.
    """

    def __init__(self, root: Path) -> None:
        self.tables: list[Path] = []
        self.others: Counter[str] = Counter()
        self.left: list[str] = []
        self._root, self._real = root, Path(os.path.realpath(root))
        self._followed: set[str] = set()
        self._known = suffixes() | UNREAD
        self._seen = self._images = 0
        self.tree = self._folder(root, DEEPEST)
        self.tables.sort()

    def notes(self) -> Iterator[str]:
        """Remarks on what was left out."""
        if self.left:
            yield listed(self.left)
        if self.others:
            endings = listed(f"{n:,} {ending}" for ending, n in self.others.most_common())
            yield f"{sum(self.others.values()):,} files that are no images: {endings}"

    def _folder(self, path: Path, deeper: int) -> Tree:
        tree, entered = Tree(path), []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                self._count()
                if _is_folder(entry):
                    entered += [entry.name] if self._enters(entry, deeper) else []
                elif Path(entry.name).suffix.lower() in self._known:
                    tree.images.append(path / entry.name)
                elif entry.name.lower().endswith(".parquet"):
                    self.tables.append(path / entry.name)
                else:
                    self.others[Path(entry.name).suffix.lower() or "without an ending"] += 1
        self._images += len(tree.images)
        tree.images.sort()
        for name in sorted(entered):
            below = self._folder(path / name, deeper - 1)
            if below.images or below.folders:
                tree.folders[name] = below
        return tree

    def _count(self) -> None:
        self._seen += 1
        if self._seen >= MANY and (self._images + len(self.tables)) * RARE < self._seen:
            raise DataError(
                f"expected a folder of images at {self._root}, got {self._images:,} images among the "
                f"first {self._seen:,} files and folders below it; give the folder that holds the images"
            )

    def _enters(self, entry: os.DirEntry[str], deeper: int) -> bool:
        reason = self._reason(entry, deeper)
        if reason:
            self.left.append(f"{entry.path} ({reason})")
        return not reason

    def _reason(self, entry: os.DirEntry[str], deeper: int) -> str:
        if entry.name.lower() in SYSTEM:
            return "of the operating system"
        if not deeper:
            return f"more than {DEEPEST} folders down"
        if not entry.is_symlink() and self._real.parent != self._real:
            return ""
        real = os.path.realpath(entry.path)
        if any(Path(real).is_relative_to(place) for place in NEVER):
            return "of the operating system"
        if not entry.is_symlink():
            return ""
        if self._real.is_relative_to(real) or Path(real).is_relative_to(self._real) or real in self._followed:
            return "a link to images that are read anyway, or to a folder around them"
        self._followed.add(real)
        return ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False

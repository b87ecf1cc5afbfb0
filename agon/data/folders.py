"""A folder of image files, nested or not: subfolders are splits or classes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from agon.data.labels import OFF, Column, numbered
from agon.data.names import TEST, TRAIN, word_of
from agon.data.rows import ImageRows, Raw, Unreadable, closed, digest_files
from agon.data.source import Split
from agon.data.tree import Tree
from agon.errors import DataError
from agon.untrusted import listed, printable


class Files(ImageRows):
    """Image files, sorted by their path below `root`; each file is one part, so all shuffle freely."""

    def __init__(self, root: Path, files: list[Path]) -> None:
        self._root = root
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    @property
    def parts(self) -> int:
        """One part for each file."""
        return len(self.files)

    def part(self, number: int) -> Iterator[Raw]:
        """The image of a file."""
        label = None if self.labels is None else int(self.labels[number])
        yield Raw(str(self.files[number]), self.files[number], label)

    def closed(self) -> list[Unreadable]:
        """Dead links, pipes, sockets, devices, and files without read permission."""
        return closed(self.files)

    def digest(self) -> str:
        """Hash of names and contents, because a renamed class folder makes another data set."""
        return digest_files(self.files, self._root)


def read_folder(tree: Tree, *, labelled: bool = True) -> Mapping[Split, ImageRows]:
    """Read the image files below a folder.

    A folder that holds only one folder and no images stands for that folder. Two folders are splits if their names
    say so, in upper or lower case: `train` and `test`, `seg_train` and `seg_val`; anything beside them is left out.
    Within a split, folders are classes if there are at least two and few images lie beside them; those images are
    left out. A split without such folders has no labels.

    Args:
        tree: the folder, which holds images.
        labelled: whether folders can be classes.

    Raises:
        DataError: there are several pairs of splits.
    """
    splits = _splits(tree)
    inner = _unwrapped(splits)
    reason = _no_classes(inner) if labelled else OFF
    files_of = (
        _by_class(inner) if not reason else {split: Files(place.path, place.files()) for split, place in splits.items()}
    )
    used = {file for rows in files_of.values() for file in rows.files}
    notes = _unused([file for file in tree.files() if file not in used])
    for rows in files_of.values():
        rows.reason, rows.left_out = rows.reason or reason, tuple(notes)
    return files_of


def _splits(tree: Tree) -> dict[Split, Tree]:
    """The folders of the splits; without splits, the folder itself."""
    top = tree
    while top.only is not None:
        top = top.only
    pairs = _pairs(top)
    if not pairs:
        lone = tree.only  # the checksum depends on the names below it
        return {"train": lone if lone is not None and lone.path.name in TRAIN else tree}
    if len(pairs) > 1 and () not in pairs:
        raise DataError(
            f"expected one folder of training images in {top.path}, got {listed(sorted(top.folders))}; give one of them"
        )
    pair = pairs.get((), next(iter(pairs.values())))
    return {"train": _first(TRAIN, pair), "test": _first(TEST, pair)}


def _pairs(tree: Tree) -> dict[tuple[str, ...], dict[str, Tree]]:
    """Pairs of folders whose names differ only in the word for the split: rest of the name -> word -> folder."""
    pairs: dict[tuple[str, ...], dict[str, Tree]] = {}
    for name in sorted(tree.folders, reverse=True):
        word, rest = word_of(name)
        pairs.setdefault(rest, {})[word] = tree.folders[name]
    return {rest: pair for rest, pair in pairs.items() if set(TRAIN) & set(pair) and set(TEST) & set(pair)}


def _first(words: tuple[str, ...], pair: Mapping[str, Tree]) -> Tree:
    return next(pair[word] for word in words if word in pair)


def _unwrapped(splits: Mapping[Split, Tree]) -> dict[Split, Tree]:
    """Unwrap each split from folders that hold only one folder, unless that one is a class of the other split."""
    inner = dict(splits)
    while True:
        all_wrapped = all(place.only is not None for place in inner.values())
        wrapped = {
            split: place.only
            for split, place in inner.items()
            if place.only and (all_wrapped or not _has(place.only.path.name, inner, split))
        }
        if not wrapped:
            return inner
        inner |= wrapped


def _has(name: str, splits: Mapping[Split, Tree], split: Split) -> bool:
    return any(name in place.folders for other, place in splits.items() if other != split)


def _are_classes(place: Tree) -> bool:
    return len(place.folders) > 1 and place.few


def _no_classes(splits: Mapping[Split, Tree]) -> str:
    """The reason why no folder is a class; "" if some are."""
    if any(map(_are_classes, splits.values())):
        return ""
    place = splits["train"]
    if len(place.folders) < 2:
        return f"expected two folders or more below {printable(str(place.path))}, got {len(place.folders)}"
    return f"{len(place.images):,} of {place.count:,} images lie beside the folders {listed(place.folders)}"


def _by_class(splits: Mapping[Split, Tree]) -> dict[Split, Files]:
    files_of: dict[Split, Files] = {}
    columns: dict[Split, list[Column]] = {}
    known = {name for place in splits.values() if _are_classes(place) for name in place.folders}
    for split, place in splits.items():
        files = place.files()
        names: list[str | None] = [None] * len(files)
        if _are_classes(place) or known & set(place.folders):
            files = [file for file in files if file.parent != place.path]
            names = [file.relative_to(place.path).parts[0] for file in files]
        files_of[split], columns[split] = Files(place.path, files), [Column(str(place.path), names)]
    for split, labels in numbered(columns).items():
        reason = f"no folders of classes in {printable(str(splits[split].path))}" if labels.numbers is None else ""
        files_of[split].label(labels._replace(reason=reason))
    return files_of


def _unused(files: list[Path]) -> list[str]:
    """A remark on images that lie beside the splits or the folders of classes."""
    if not files:
        return []
    places = Counter(file.parent for file in files)
    named = [str(file) for file in files if places[file.parent] == 1]
    return [
        f"{len(files):,} images beside the splits or classes: "
        + listed(named + [f"{n:,} in {place}" for place, n in places.items() if n > 1])
    ]

"""A folder of image files, nested or not: subfolders are splits or classes."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from agon.data.decode import suffixes
from agon.data.rows import Raw, Rows, digest_files
from agon.data.source import Split
from agon.errors import DataError

TRAIN = ("train", "training")
TEST = ("test", "testing", "validation", "valid", "val")  # the first that exists is held out


class Files(Rows):
    """Image files, sorted by their path below `root`; each is a part of its own, so all shuffle freely."""

    def __init__(self, root: Path, files: list[Path], classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.labels = None
        self._root = root
        self._files = files
        if classes:
            number = {name: i for i, name in enumerate(classes)}
            folders = [file.relative_to(root).parts[0] for file in files]
            self.labels = np.array([number[name] for name in folders], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._files)

    @property
    def parts(self) -> int:
        """One a file."""
        return len(self._files)

    def part(self, number: int) -> Iterator[Raw]:
        """The one image of a file."""
        label = None if self.labels is None else int(self.labels[number])
        yield Raw(str(self._files[number]), self._files[number], label)

    def digest(self) -> str:
        """Of names and contents: a renamed class folder is another data set."""
        return digest_files(self._files, self._root)


def read_folder(root: Path) -> Mapping[Split, Rows]:
    """The image files below a folder.

    `root/train` and `root/test` (or `validation`) are splits where both exist. Within a split the first
    folder below it is the class, where every image lies in one of at least two such folders. Hidden
    files and files without an image's ending are passed over.

    Raises:
        DataError: there is no image.
    """
    roots = _splits(root)
    found: dict[Split, list[Path]] = {split: _images(place) for split, place in roots.items()}
    for split, files in found.items():
        if not files:
            raise DataError(
                f"expected images in the folder {roots[split]}, got none (endings such as .png, .jpg, .webp, "
                f"and .parquet files, are read): {_contents(roots[split])}"
            )
    classes = _classes([file.relative_to(roots[split]) for split, files in found.items() for file in files])
    return {split: Files(roots[split], files, classes) for split, files in found.items()}


def _splits(root: Path) -> dict[Split, Path]:
    train = next((root / name for name in TRAIN if (root / name).is_dir()), None)
    test = next((root / name for name in TEST if (root / name).is_dir()), None)
    if train is None:
        return {"train": root}
    return {"train": train, "test": test} if test is not None else {"train": train}


def _images(root: Path) -> list[Path]:
    known = suffixes()
    found, seen = [], set()
    for place, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [f for f in folders if not f.startswith((".", "__MACOSX"))]
        if real not in seen:  # a link that leads back into the tree would be walked for ever
            found += [Path(place, n) for n in names if n[0] != "." and Path(n).suffix.lower() in known]
        seen.add(real)
    return sorted(found, key=lambda file: file.relative_to(root).parts)


def _classes(files: list[Path]) -> tuple[str, ...]:
    names = {file.parts[0] for file in files if len(file.parts) > 1}
    nested = all(len(file.parts) > 1 for file in files)
    return tuple(sorted(names)) if nested and len(names) > 1 else ()


def _contents(root: Path) -> str:
    names = sorted(os.listdir(root))
    if not names:
        return "the folder is empty"
    return f"it holds {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")

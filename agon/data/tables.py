"""Parquet files with a column of images, as the Hub stores them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agon.data.rows import Raw, Rows, digest_files, numbered
from agon.data.source import Split
from agon.errors import DataError

IMAGES = ("image", "img", "images", "picture", "photo")
LABELS = ("label", "labels", "fine_label", "class", "target")
TEST = ("test", "validation", "valid", "val")  # the first that exists is held out


class Table(Rows):
    """The rows of parquet files; a part is a row group, the least that can be read apart."""

    def __init__(self, root: Path, files: list[Path]) -> None:
        self._root, self._files = root, files
        self._groups: list[tuple[Path, int]] = []  # file, number of the group in it
        self._starts = [0]  # rows before each group, and at the end all
        for file in files:
            about = _open(file).metadata
            for group in range(about.num_row_groups):
                self._groups.append((file, group))
                self._starts.append(self._starts[-1] + about.row_group(group).num_rows)
        features = _features(files[0])
        self._image = image_column(features, str(files[0]))
        label = label_column(features)
        self.labels, self.classes = numbered(self._column(label), class_names(features, label))

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def parts(self) -> int:
        """One a row group."""
        return len(self._groups)

    def part(self, number: int) -> Iterator[Raw]:
        """The images of one row group."""
        file, group = self._groups[number]
        before = self._starts[number - group]  # rows in earlier files: groups of a file are neighbours
        for row, value in enumerate(self._cells(file, group, self._image), self._starts[number]):
            label = None if self.labels is None else int(self.labels[row])
            yield Raw(f"{file} row {row - before}", image_bytes(value), label)

    def digest(self) -> str:
        """Of the files."""
        return digest_files(self._files, self._root)

    def _column(self, name: str | None) -> list[object]:
        if name is None:
            return []
        return [value for file, group in self._groups for value in self._cells(file, group, name)]

    def _cells(self, file: Path, group: int, column: str) -> Iterator[Any]:
        try:
            for batch in _open(file).iter_batches(256, row_groups=[group], columns=[column]):
                yield from batch.column(0).to_pylist()
        except Exception as fault:  # Arrow raises a dozen kinds on foreign bytes
            raise _damaged(file, fault) from fault


def read_tables(root: Path) -> Mapping[Split, Rows]:
    """The parquet files at or below a path, told into splits by their names ("train-00000-of-00002").

    Raises:
        DataError: a file is damaged, or has no column of images.
    """
    files = [root] if root.is_file() else sorted(root.rglob("*.parquet"))
    folder = root.parent if root.is_file() else root
    found: dict[str, list[Path]] = {}
    for file in files:
        found.setdefault(_split(file.relative_to(folder)), []).append(file)
    chosen = pick(found)
    return {split: Table(folder, found[name]) for split, name in chosen.items()}


def pick(names: Mapping[str, object]) -> dict[Split, str]:
    """Which of a data set's own splits are trained on and held out.

    >>> pick({"train": 0, "validation": 0, "extra": 0})
    {'train': 'train', 'test': 'validation'}
    >>> pick({"all": 0})
    {'train': 'all'}
    """
    train = min(names, key=lambda name: (name != "train", name in TEST))
    test = next((name for name in TEST if name in names and name != train), None)
    return {"train": train} if test is None else {"train": train, "test": test}


def image_column(features: Mapping[str, Any], place: str) -> str:
    """The column that holds images: the first of type Image, else the first with one of the usual names."""
    typed = [name for name, kind in features.items() if type(kind).__name__ == "Image"]
    named = [name for name in IMAGES if name in features]
    if not typed + named:
        raise DataError(
            f"expected a column of images (named {', '.join(IMAGES[:3])}) in {place}, got the columns "
            f"{', '.join(features)}; rename it to 'image'"
        )
    return (typed + named)[0]


def label_column(features: Mapping[str, Any]) -> str | None:
    """The column of class numbers or names, or None."""
    return next((name for name in LABELS if name in features), None)


def class_names(features: Mapping[str, Any], column: str | None) -> list[str] | None:
    """Names that a column of type ClassLabel states for its numbers, or None."""
    return None if column is None else getattr(features[column], "names", None)


def image_bytes(value: Any) -> bytes:
    """The bytes in a cell: bare, or in a struct; b"" (which is reported as unreadable) for anything else."""
    if isinstance(value, Mapping):
        value = value.get("bytes")
    return value if isinstance(value, bytes) else b""


def _split(file: Path) -> str:
    words = re.split(r"[^a-z0-9]+", file.as_posix().lower().removesuffix(".parquet"))
    return next((word for word in words if word in ("train", *TEST)), "all")


def _open(file: Path) -> Any:
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(file)
    except Exception as fault:
        raise _damaged(file, fault) from fault


def _features(file: Path) -> Mapping[str, Any]:
    """Column -> type, as the `datasets` library reads it from the file's schema."""
    import datasets

    schema = _open(file).schema_arrow
    try:
        features: Mapping[str, Any] = datasets.Features.from_arrow_schema(schema)
    except Exception as fault:  # its JSON can be anything
        raise _damaged(file, fault) from fault
    return features


def _damaged(file: Path, fault: Exception) -> DataError:
    return DataError(f"expected a whole parquet file, but {file} cannot be read ({fault}); fetch it again")

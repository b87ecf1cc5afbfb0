"""Parquet files with a column of images, as the Hub stores them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agon.data.cells import IMAGES, class_names, content_of, image_column, label_column, may_hold_paths
from agon.data.labels import OFF, Column, Labels, numbered
from agon.data.names import pick, split_of
from agon.data.rows import ImageRows, Raw, digest_files
from agon.data.source import Split
from agon.errors import DataError, require
from agon.untrusted import NotRegularError, listed, open_regular, printable, shortened

MOST = 2**28  # most rows of a file: their labels are kept in memory
GROUP = 2**33  # most bytes of a group of rows


class File:
    """One parquet file.

    Args:
        path: the file.

    Raises:
        DataError: the file is damaged or too large.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        about = _open(path).metadata
        self.groups = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
        self.features = _features(path)
        self.image = image_column(self.features)
        self.label = label_column(self.features)
        self.paths = self.image is not None and may_hold_paths(about, self.image)
        largest = max([about.row_group(group).total_byte_size for group in range(about.num_row_groups)], default=0)
        if sum(self.groups) > MOST or largest > GROUP:
            raise DataError(
                f"expected at most {MOST:,} rows in groups of at most {GROUP / 2**30:.0f} GiB in {path}, got "
                f"{sum(self.groups):,} in groups of up to {largest / 2**30:.1f} GiB; write it in more and smaller parts"
            )

    def cells(self, group: int, column: str) -> Iterator[Any]:
        """The values of a column in one group of rows."""
        try:
            for batch in _open(self.path).iter_batches(256, row_groups=[group], columns=[column]):
                yield from batch.column(0).to_pylist()
        except Exception as fault:  # Arrow raises a dozen types on damaged bytes
            raise _damaged(self.path, fault) from fault

    def labels(self) -> Column:
        """The labels of all rows; all None if the file has no column of labels."""
        if self.label is None:
            return Column(str(self.path), [None] * sum(self.groups))
        values = [value for group in range(len(self.groups)) for value in self.cells(group, self.label)]
        return Column(f"column '{self.label}' of {self.path}", values, class_names(self.features, self.label))


class ParquetRows(ImageRows):
    """The rows of parquet files; a part is a row group, the smallest unit that can be read."""

    def __init__(self, root: Path, files: list[File]) -> None:
        self._root, self._files = root, files
        self.names_files = any(file.paths for file in files)
        self._groups = [(file, group) for file in files for group in range(len(file.groups))]
        self._starts = [0]  # rows before each group; the last entry is the number of rows
        for file, group in self._groups:
            self._starts.append(self._starts[-1] + file.groups[group])

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def parts(self) -> int:
        """One part for each row group."""
        return len(self._groups)

    def part(self, number: int) -> Iterator[Raw]:
        """The images of one row group."""
        file, group = self._groups[number]
        before = self._starts[number - group]  # rows in earlier files: groups of a file are neighbours
        assert file.image is not None  # files without images are not chosen
        for row, value in enumerate(file.cells(group, file.image), self._starts[number]):
            label = None if self.labels is None else int(self.labels[row])
            yield Raw(f"{file.path} row {row - before}", content_of(value, file.path.parent), label)

    def digest(self) -> str:
        """Hash of the files, and of those that their cells name."""
        contents = (raw.content for n, (file, _) in enumerate(self._groups) if file.paths for raw in self.part(n))
        named = [content for content in contents if isinstance(content, Path)]
        return digest_files([file.path for file in self._files] + named, self._root)


def read_tables(paths: Sequence[Path], root: Path, *, labelled: bool = True) -> Mapping[Split, ImageRows] | None:
    """Read parquet files, sorted into splits by their names ("train-00000-of-00002").

    Args:
        paths: the files.
        root: the folder that holds them.
        labelled: whether to read labels.

    Returns:
        The rows of each split; None if no file has a column of images.

    Raises:
        DataError: a file is damaged, or labels are invalid.
    """
    files = [File(path) for path in paths]
    files_of: dict[str, list[File]] = {}
    for file in files:
        if file.image is not None:
            files_of.setdefault(split_of(file.path.relative_to(root)), []).append(file)
    if not files_of:
        return None
    chosen = pick(files_of)
    rows_of = {split: ParquetRows(root, files_of[name]) for split, name in chosen.items()}
    labels = numbered({split: [file.labels() for file in files_of[name]] for split, name in chosen.items() if labelled})
    notes = [without_images(file.path) for file in files if file.image is None]
    spare = {name: parts for name, parts in files_of.items() if name not in chosen.values()}
    notes += [f"the split '{name}' of {len(ParquetRows(root, parts)):,} images" for name, parts in spare.items()]
    for split, rows in rows_of.items():
        rows.label(labels[split] if labelled else Labels(None, (), OFF))
        rows.left_out = (listed(notes),) if notes else ()
    return rows_of


def without_images(path: Path) -> str:
    """A remark on a file that is left out."""
    return f"{printable(str(path))}, which has no column of images"


def no_images(path: Path) -> DataError:
    """The error for a file without a column of images."""
    return DataError(
        f"expected a column of images (named {', '.join(IMAGES[:3])}) in {path}, got the columns "
        f"{listed(_features(path))}; rename it to 'image'"
    )


def _open(file: Path) -> Any:
    require("pyarrow")
    import pyarrow.parquet

    try:
        with open_regular(file):  # opening a pipe would wait forever
            return pyarrow.parquet.ParquetFile(file)
    except NotRegularError as fault:
        raise DataError(f"expected a parquet file, but {fault}; remove it") from fault
    except Exception as fault:
        raise _damaged(file, fault) from fault


def _features(file: Path) -> Mapping[str, Any]:
    """Column -> type, as the `datasets` library reads it from the file's schema."""
    require("datasets")
    import datasets

    schema = _open(file).schema_arrow
    try:
        features: Mapping[str, Any] = datasets.Features.from_arrow_schema(schema)
    except Exception as fault:  # the schema's JSON can be anything
        raise _damaged(file, fault) from fault
    return features


def _damaged(file: Path, fault: Exception) -> DataError:
    return DataError(
        f"expected a whole parquet file, but {file} cannot be read ({shortened(str(fault))}); fetch it again"
    )

"""Arrays of images: a .npy or .npz file, and the handwritten digits that come with agon."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from agon.data.archive import Archive
from agon.data.coding import BYTES
from agon.data.labels import OFF, Column, Labels, numbered
from agon.data.layouts import Layout, layout_of, to_channels_last
from agon.data.levels import channels_last, levels
from agon.data.mapped import forget
from agon.data.rows import ImageRows, Raw
from agon.data.source import Split
from agon.errors import DataError
from agon.untrusted import listed

NAMES: dict[Split, tuple[str, ...]] = {  # names of images in .npz files; the first that exists is taken
    "train": ("train_images", "x_train", "train", "images", "x", "data", "arr_0"),
    "test": ("test_images", "x_test", "test", "val_images", "x_val"),
}
LABELS: dict[Split, tuple[str, ...]] = {
    "train": ("train_labels", "y_train", "labels", "label", "y", "arr_1"),
    "test": ("test_labels", "y_test", "val_labels", "y_val"),
}
PART = 1024  # images in a part
WORDS, BITS = (0.0, 65535.0), (0.0, 1.0)  # black and white that these types imply
DIGITS = Path(__file__).with_name("digits.csv.gz")


class Arrays(ImageRows):
    """Decoded images in one array, which may be a memory-map.

    Args:
        place: where they are stored, for messages.
        images: the images.
        numbers: black and white in the array that they were scaled from.
    """

    def __init__(self, place: str, images: UInt8[np.ndarray, "n h w c"], numbers: tuple[float, float] = BYTES) -> None:
        self._place, self._images, self.numbers = place, images, numbers

    def __len__(self) -> int:
        return len(self._images)

    @property
    def parts(self) -> int:
        """One part for every PART images."""
        return -(-len(self) // PART)

    def part(self, number: int) -> Iterator[Raw]:
        """The images from number · PART on."""
        for row in range(number * PART, min((number + 1) * PART, len(self))):
            label = None if self.labels is None else int(self.labels[row])
            yield Raw(f"{self._place} row {row}", self._images[row], label)

    def digest(self) -> str:
        """Hash of shape, pixels and labels."""
        total = hashlib.sha256(repr(self._images.shape).encode())
        for first in range(0, len(self), PART):
            total.update(np.ascontiguousarray(self._images[first : first + PART]).data)
            forget(self._images)
        if self.labels is not None:
            total.update(self.labels.data)
        return total.hexdigest()


class Sizes(ImageRows):
    """Decoded images of several sizes, in memory."""

    def __init__(self, place: str, images: Sequence[UInt8[np.ndarray, "_ _ _"]]) -> None:
        self._place, self._images = place, images

    def __len__(self) -> int:
        return len(self._images)

    @property
    def parts(self) -> int:
        """One part."""
        return 1

    def part(self, number: int) -> Iterator[Raw]:
        """All images."""
        for row, image in enumerate(self._images):
            yield Raw(f"{self._place}, item {row}", image, None if self.labels is None else int(self.labels[row]))

    def digest(self) -> str:
        """Hash of each image's shape and pixels, and of the labels."""
        total = hashlib.sha256()
        for image in self._images:
            total.update(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes())
        if self.labels is not None:
            total.update(self.labels.data)
        return total.hexdigest()


def read_digits(*, labelled: bool = True) -> Mapping[Split, ImageRows]:
    """1797 handwritten digits of 8x8 pixels with 17 grey levels: the test set of E. Alpaydin and C. Kaynak,
    "Optical recognition of handwritten digits", UCI (1998), under CC BY 4.0.

    The file is the one that scikit-learn ships, byte for byte.
    """
    images, labels = _digits()
    rows = Arrays("digits", images)
    rows.label(labels if labelled else Labels(None, (), OFF))
    return {"train": rows}


@cache
def _digits() -> tuple[UInt8[np.ndarray, "n 8 8 1"], Labels]:
    """Read the file once in a process, because a source needs its shape again and again."""
    table = np.loadtxt(DIGITS, delimiter=",")  # "n 65": the pixels in reading order, 0 to 16, and the class
    images = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    return images, numbered({"train": [Column("digits", table[:, -1])]})["train"]


def read_arrays(
    file: Path, values: tuple[float, float] | None, *, labelled: bool = True, layout: Layout | None = None
) -> Mapping[Split, ImageRows]:
    """Read the images of a .npy or .npz file.

    Args:
        file: its arrays are "n h w", "n h w c" or "n c h w"; in a .npz, images have one of NAMES, in upper
            or lower case, or are the only array of 3 or 4 dimensions.
        values: range (low, high) of numbers that are not bytes.
        labelled: whether to read labels.
        layout: the layout of the images, if their shape does not tell.

    Raises:
        DataError: the file is not a .npy or .npz file, holds Python objects (they are never read), or holds no
            such images.
    """
    archive = Archive(file)
    rows: dict[Split, ImageRows] = {}
    columns: dict[Split, Column] = {}
    for split in NAMES:
        name = archive.first(NAMES[split]) or (_only_images(archive) if split == "train" else None)
        if name is not None:
            place = f"{file} [{name}]"
            array = archive[name]
            usual = {np.dtype(np.uint16): WORDS, np.dtype(np.bool_): BITS}.get(array.dtype.newbyteorder("="), BYTES)
            rows[split] = Arrays(str(file), _bytes(array, layout, values, place), values or usual)
            columns[split] = _labels(archive, split, len(rows[split]), labelled)
    spare = [name for names in NAMES.values() for name in names[:5] if archive.first((name,)) is not None]
    chosen = [archive.first(NAMES[split]) for split in rows]
    left = [name for name in spare if archive.first((name,)) not in chosen]
    splits = _labelled(rows, columns, labelled)
    for split_rows in splits.values():
        split_rows.left_out = (f"the arrays {listed(left)} of images",) if left else ()
    return splits


def _bytes(
    array: np.ndarray, layout: Layout | None, values: tuple[float, float] | None, place: str
) -> UInt8[np.ndarray, "n h w c"]:
    known = layout if layout is None else layout_of(array, layout, place)
    try:
        return levels(channels_last(array, place) if known is None else to_channels_last(array, known), values, place)
    except DataError as error:
        if array.ndim != 3 or layout is not None:
            raise
        raise DataError(f"{error}; if they are series, say --set data.layout='n c t'") from error


def _labelled(rows: dict[Split, ImageRows], columns: Mapping[Split, Column], labelled: bool) -> dict[Split, ImageRows]:
    labels = numbered({split: [column] for split, column in columns.items() if labelled})
    for split, split_rows in rows.items():
        split_rows.label(labels[split] if labelled else Labels(None, (), OFF))
    return rows


def _only_images(archive: Archive) -> str:
    names = [name for name, shape in archive.shapes.items() if len(shape) in (3, 4)]
    if len(names) != 1:
        held = listed(f"{name} {shape}" for name, shape in archive.shapes.items()) or "nothing"
        raise DataError(
            f"expected one array of images 'n h w', 'n h w c' or 'n c h w' in {archive.file}, got {held}; "
            "name it 'images' and its classes 'labels'"
        )
    return names[0]


def _labels(archive: Archive, split: Split, n: int, labelled: bool) -> Column:
    name = archive.first(LABELS[split]) if labelled else None
    if name is None:
        return Column(str(archive.file), [])
    column = archive[name]
    if column.shape[:1] != (n,):
        got = len(column) if column.ndim else 1
        raise DataError(f"expected {n} labels in {archive.file} [{name}], got {got}: one for every image")
    return Column(f"{archive.file} [{name}]", column)

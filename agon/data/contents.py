"""What data in memory hold: images, as bytes, or tables of numbers."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8

from agon.data.arrays import Arrays
from agon.data.cells import image_column
from agon.data.collected import as_array, collected, is_array, stacked
from agon.data.frames import is_frame, of_arrow, of_frame
from agon.data.hub import Hub
from agon.data.labels import OFF, Column, Labels, numbered
from agon.data.layouts import OF_IMAGES, Layout, layout_of, to_channels_last
from agon.data.levels import levels
from agon.data.number_files import of_array
from agon.data.rows import ImageRows, Raw
from agon.data.source import Split
from agon.data.table import Table
from agon.errors import DataError
from agon.untrusted import listed

Values = tuple[float, float]


class Pictures(NamedTuple):
    """Images of one split, without labels yet.

    Attributes:
        rows: the images.
        column: their labels.
        layout: of the array that held them; None for pictures.
        values: black and white of numbers that are not bytes, stated or implied; None for bytes.
    """

    rows: ImageRows
    column: Column
    layout: Layout | None = None
    values: Values | None = None


Content = Table | Pictures


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


def content_of(x: Any, labels: Any, place: str, layout: Layout | None, values: Values | None) -> Content:
    """The content of one split.

    Args:
        x: an array, a data frame, a data set, or an iterable, see `agon.data.of`.
        labels: one for each sample; None takes those that x holds.
        place: what x is, for messages.
        layout: the layout of arrays, if it is stated.
        values: black and white of numbers that are not bytes, if they are stated.

    Raises:
        DataError: it holds no samples, or what they are is not clear.
    """
    if is_frame(x):
        return _with_labels(of_frame(x, place), labels)
    if type(x).__module__.partition(".")[0] == "datasets" and hasattr(x, "with_format") and hasattr(x, "__len__"):
        if image_column(x.features) is not None:
            rows = Hub(place, x)
            return Pictures(rows, _column(labels, place, len(rows)) or rows.column())
        return _with_labels(of_arrow(x.with_format("arrow")[:], place), labels)
    if is_array(x):
        samples = as_array(x, place)
        return _of_array(samples, _column(labels, place, len(np.atleast_1d(samples))), place, layout, values)
    items, found, pictures, names = collected(x, place)
    column = _column(labels, place, len(items))
    if column is None and found is not None:
        column = Column(f"the labels of {place}", found, names)
    array = stacked(items)
    if array is not None:
        return _of_array(array, column, place, "n h w c" if pictures and layout is None else layout, values, pictures)
    return _of_sizes(items, column, place, "n h w c" if pictures else layout, values)


def labelled_rows(pictures: Mapping[Split, Pictures], *, labelled: bool) -> dict[Split, ImageRows]:
    """The images of all splits with their labels, which need one table of names."""
    labels = numbered({split: [part.column] for split, part in pictures.items()}) if labelled else {}
    for split, part in pictures.items():
        part.rows.label(labels.get(split, Labels(None, (), OFF)))
    return {split: part.rows for split, part in pictures.items()}


def _of_array(
    array: Shaped[np.ndarray, "..."],
    column: Column | None,
    place: str,
    layout: Layout | None,
    values: Values | None,
    pictures: bool = False,
) -> Content:
    known = layout_of(array, layout, place)
    if known not in OF_IMAGES:
        return of_array(array, place, known if array.ndim > 2 else layout, column)
    if not array.size:
        raise DataError(f"expected images in {place}, got an array of shape {array.shape}; check it")
    values = values or implied([array])
    rows = Arrays(place, levels(to_channels_last(array, known), values, place))
    return Pictures(rows, column or Column(place, []), None if pictures else known, values)


def _of_sizes(
    items: Sequence[np.ndarray], column: Column | None, place: str, layout: Layout | None, values: Values | None
) -> Pictures:
    """Images whose sizes differ."""
    values = values or implied(items)
    images = []
    for row, item in enumerate(items):
        where = f"{place}, item {row}"
        if item.ndim not in (2, 3):
            raise DataError(f"expected samples of one shape in {place}, got {_shapes(items)}")
        known = "n h w" if item.ndim == 2 and layout != "n c t" else layout_of(item[None], layout, where)
        if known not in OF_IMAGES:
            raise DataError(f"expected series of one length in {place}, got {_shapes(items)}")
        images.append(levels(to_channels_last(item[None], known), values, where)[0])
    return Pictures(Sizes(place, images), column or Column(place, []), layout, values)


def _shapes(items: Sequence[np.ndarray]) -> str:
    return listed(dict.fromkeys(item.shape for item in items))


def implied(arrays: Sequence[np.ndarray]) -> Values | None:
    """Black and white of numbers with fractions, as torchvision and networks use them: 0 to 1, or else -1 to 1.

    None for whole numbers, whose type tells, and for other numbers.
    """
    if any(array.dtype.kind != "f" or not array.size for array in arrays):
        return None
    low, high = min(float(array.min()) for array in arrays), max(float(array.max()) for array in arrays)
    if not high <= 1 or not low >= -1:  # NaN, too
        return None
    return (0.0, 1.0) if low >= 0 else (-1.0, 1.0)


def _column(labels: Any, place: str, n: int) -> Column | None:
    """The labels of n samples that were given beside them; None for None."""
    if labels is None:
        return None
    values = as_array(labels, place) if is_array(labels) and not _holds_words(labels) else list(labels)
    if len(values) != n:
        raise DataError(f"expected {n:,} labels for the samples in {place}, got {len(values):,}; give one for each")
    return Column(f"the labels of {place}", values)


def _holds_words(labels: Any) -> bool:
    return getattr(getattr(labels, "dtype", None), "kind", "") in "OUS" if hasattr(labels, "dtype") else False


def _with_labels(table: Table, labels: Any) -> Table:
    column = _column(labels, table.place, len(table.values))
    return table if column is None else table._replace(label="labels", labels=column)

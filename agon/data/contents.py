"""What data in memory hold: images, as bytes, or tables of numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from agon.data.arrays import Arrays, Sizes
from agon.data.cells import image_column
from agon.data.collected import collected, stacked
from agon.data.conversion import as_array, is_array, refuse_sparse
from agon.data.frames import is_frame, of_arrow, of_frame
from agon.data.hub import Hub
from agon.data.labels import OFF, Column, Labels, numbered, of_samples
from agon.data.layouts import OF_IMAGES, Layout, layout_of, to_channels_last
from agon.data.levels import BYTES, levels
from agon.data.number_files import of_array
from agon.data.rows import ImageRows
from agon.data.source import Split
from agon.data.table import Table
from agon.errors import Change, DataError
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


class Numbers(NamedTuple):
    """Images of one split as numbers, whose black and white the numbers of all splits decide.

    Attributes:
        arrays: one array "n h w c" of all images, or one "1 h w c" for each if their sizes differ.
        column: their labels.
        place: what held them, for messages.
        layout: of the array that held them; None for pictures.
        pictures: whether they were pictures of Pillow, to which stated values have been applied.
    """

    arrays: Sequence[Shaped[np.ndarray, "n h w c"]]
    column: Column
    place: str
    layout: Layout | None
    pictures: bool


Content = Table | Pictures


def gathered(x: Any, labels: Any, place: str, layout: Layout | None, values: Values | None) -> Content | Numbers:
    """The samples of one split, in memory.

    Args:
        x: an array, a data frame, a data set, or an iterable, see `agon.data.of`.
        labels: one for each sample; None takes those that x holds.
        place: what x is, for messages.
        layout: the layout of arrays, if it is stated.
        values: black and white of numbers that are not bytes, if they are stated.

    Raises:
        DataError: it holds no samples, or what they are is not clear.
    """
    refuse_sparse(x, place)
    if is_frame(x):
        return _with_labels(of_frame(x, place), labels)
    if type(x).__module__.partition(".")[0] == "datasets" and hasattr(x, "with_format") and hasattr(x, "__len__"):
        if image_column(x.features) is not None:
            rows = Hub(place, x)
            return Pictures(rows, of_samples(labels, place, len(rows)) or rows.column())
        return _with_labels(of_arrow(x.with_format("arrow")[:], place), labels)
    if is_array(x):
        samples = as_array(x, place)
        return _of_array(samples, of_samples(labels, place, len(np.atleast_1d(samples))), place, layout)
    items, found, pictures, names = collected(x, place, values)
    column = of_samples(labels, place, len(items))
    if column is None and found is not None:
        column = Column(f"the labels of {place}", found, names)
    known = "n h w c" if pictures and layout is None else layout
    array = stacked(items)
    if array is not None:
        return _of_array(array, column, place, known, pictures)
    return _of_sizes(items, column, place, known, pictures)


def leveled(splits: Mapping[Split, Content | Numbers], stated: Values | None) -> dict[Split, Content]:
    """Scale the images of all splits to bytes, with one black and one white for all numbers with fractions.

    Args:
        splits: the samples of each split.
        stated: black and white of all numbers, if they are stated.

    Raises:
        DataError: black and white are neither stated nor clear, or numbers lie outside.
    """
    parts = [part for part in splits.values() if isinstance(part, Numbers)]
    arrays = [array for part in parts for array in part.arrays]
    fractions = implied(arrays)
    values = stated or (fractions if all(array.dtype.kind == "f" for array in arrays) else None)
    return {
        split: Pictures(_rows(part, stated, fractions), part.column, part.layout, values)
        if isinstance(part, Numbers)
        else part
        for split, part in splits.items()
    }


def labelled_rows(pictures: Mapping[Split, Pictures], *, labelled: bool) -> dict[Split, ImageRows]:
    """The images of all splits with their labels, which need one table of names."""
    labels = numbered({split: [part.column] for split, part in pictures.items()}) if labelled else {}
    for split, part in pictures.items():
        part.rows.label(labels.get(split, Labels(None, (), OFF)))
    return {split: part.rows for split, part in pictures.items()}


def _of_array(
    array: Shaped[np.ndarray, "..."], column: Column | None, place: str, layout: Layout | None, pictures: bool = False
) -> Table | Numbers:
    known = layout_of(array, layout, place)
    if known not in OF_IMAGES:
        return of_array(array, place, known if array.ndim > 2 else layout, column)
    if not array.size:
        raise DataError(f"expected images in {place}, got an array of shape {array.shape}; check it")
    images = to_channels_last(array, known)
    return Numbers([images], column or Column(place, []), place, None if pictures else known, pictures)


def _of_sizes(
    items: Sequence[np.ndarray], column: Column | None, place: str, layout: Layout | None, pictures: bool
) -> Numbers:
    """Images whose sizes differ."""
    if any(item.ndim not in (2, 3) or not item.size for item in items):
        raise DataError(f"expected samples of one shape in {place}, got {_shapes(items)}")
    layouts: list[Layout] = [
        "n h w" if item.ndim == 2 and layout != "n c t" else layout_of(item[None], layout, f"{place}, item {row}")
        for row, item in enumerate(items)
    ]
    if not set(layouts) <= set(OF_IMAGES):
        raise DataError(f"expected series of one length in {place}, got {_shapes(items)}")
    if {"n h w c", "n c h w"} <= set(layouts):
        changes = [Change("data.layout", known) for known in ("n h w c", "n c h w")]
        rows = [layouts.index(known) for known in ("n h w c", "n c h w")]
        raise DataError(
            f"expected images of one layout in {place}, got {_shapes([items[row] for row in rows])}, whose channels "
            f"seem to be last and first; say {changes[0]} or {changes[1]}",
            *changes,
        )
    arrays = [to_channels_last(item[None], known) for item, known in zip(items, layouts, strict=True)]
    return Numbers(arrays, column or Column(place, []), place, layout, pictures)


def _shapes(items: Iterable[np.ndarray]) -> str:
    return listed(dict.fromkeys(item.shape for item in items))


def _rows(part: Numbers, stated: Values | None, fractions: Values | None) -> ImageRows:
    several = len(part.arrays) > 1
    scaled = []
    for row, array in enumerate(part.arrays):
        place = f"{part.place}, item {row}" if several else part.place
        if array.dtype.kind == "f" and np.isnan(array.min()):
            missing = int(np.isnan(array).sum())
            raise DataError(
                f"expected a number for every pixel in {place}, got {missing:,} of {array.size:,} missing (NaN or "
                "masked); fill them"
            )
        values = (0.0, float(BYTES)) if stated and part.pictures else stated
        scaled.append(levels(array, values or (fractions if array.dtype.kind == "f" else None), place))
    return Sizes(part.place, [images[0] for images in scaled]) if several else Arrays(part.place, scaled[0])


def implied(arrays: Sequence[np.ndarray]) -> Values | None:
    """Black and white of numbers with fractions, as torchvision and networks use them: 0 to 1, or else -1 to 1.

    Arrays of whole numbers, whose type tells, do not count. None if all are, and for other numbers.
    """
    fractions = [array for array in arrays if array.dtype.kind == "f" and array.size]
    if not fractions:
        return None
    low, high = min(float(array.min()) for array in fractions), max(float(array.max()) for array in fractions)
    if not high <= 1 or not low >= -1:  # NaN, too
        return None
    return (0.0, 1.0) if low >= 0 else (-1.0, 1.0)


def _with_labels(table: Table, labels: Any) -> Table:
    column = of_samples(labels, table.place, len(table.values))
    return table if column is None else table._replace(label="labels", labels=column)

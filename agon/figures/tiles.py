"""Labelled panels of images: as a table, or each with its own title."""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.errors import DataError, SettingError, require
from agon.figures.drawing import INK
from agon.figures.pictures import CHANNELS, enlarge, grid

if TYPE_CHECKING:
    import PIL.ImageFont

TileBatch = UInt8[Tensor, "_ _ _ _"] | UInt8[np.ndarray, "_ _ _ _"]  # "n c h w"; panels may differ in all four

WIDTH = 1_100  # pixels: most that a picture is enlarged to
LARGEST = 8  # greatest factor of enlargement
SPACE, MARGIN, LINE, SIZE = 10, 6, 18, 13  # pixels between panels, around all, of a line of text, of its letters


class TilePanel(NamedTuple):
    """A panel of the table: its images, and the text above and below it."""

    tiles: TileBatch | None
    above: str = ""
    below: str = ""


class TileRow(NamedTuple):
    """A row of the table, with the text on its left."""

    label: str
    panels: Sequence[TilePanel]


def tiles_png(
    rows: Mapping[str, Sequence[TileBatch | None]],
    columns: Sequence[str],
    *,
    across: int = 8,
    corner: str = "",
    notes: Sequence[Sequence[str]] | None = None,
) -> bytes:
    """Draw a PNG of a table of panels, each a grid of images; each row is enlarged by a whole factor.

    Args:
        rows: label -> panels, from left to right: bytes "n c h w", or None for an empty place.
        columns: a label for each panel of a row.
        across: most images in a row of a panel.
        corner: heading for the columns' labels, on their left.
        notes: text below each panel, row by row.

    Raises:
        SettingError: there is no panel, or a row does not have one panel and one note for each column.
        DataError: a panel has no images, or a number of channels other than 1 or 3.
    """
    below = [[""] * len(columns)] * len(rows) if notes is None else notes
    _check(rows, columns, below)
    table: list[TileRow] = []
    for (label, row), under in zip(rows.items(), below, strict=True):
        above = [""] * len(columns) if table else columns
        table.append(TileRow(label, [TilePanel(*content) for content in zip(row, above, under, strict=True)]))
    return _draw(table, across, corner)


def panels_png(panels: Mapping[str, TileBatch], *, columns: int, across: int = 8) -> bytes:
    """Draw a PNG of panels in reading order, each a grid of images under its title.

    Args:
        panels: title -> bytes "n c h w".
        columns: panels in a row.
        across: most images in a row of a panel.

    Raises:
        SettingError: there is no panel, or a number is below 1.
        DataError: a panel has no images, or a number of channels other than 1 or 3.
    """
    if not panels or columns < 1:
        raise SettingError(f"panels: expected one or more in rows of one or more, got {len(panels)} in {columns}")
    row = [TilePanel(tiles, title) for title, tiles in panels.items()]
    return _draw([TileRow("", row[i : i + columns]) for i in range(0, len(row), columns)], across, "")


def interleaved(left: UInt8[Tensor, "n c h w"], right: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "2*n c h w"]:
    """Alternate the images of two batches, for a panel of pairs."""
    return torch.stack([left, right], dim=1).flatten(0, 1)


def _check(
    rows: Mapping[str, Sequence[TileBatch | None]], columns: Sequence[str], notes: Sequence[Sequence[str]]
) -> None:
    if not any(tiles is not None for row in rows.values() for tiles in row):
        raise SettingError("tiles: expected one panel of images or more, got none")
    for label, row in rows.items():
        if len(row) != len(columns):
            raise SettingError(
                f"tiles: expected {len(columns)} panels in a row, one a column, got {len(row)} in {label!r}"
            )
    if [len(of_row) for of_row in notes] != [len(columns)] * len(rows):
        raise SettingError(
            f"tiles: expected notes for {len(rows)} rows of {len(columns)}, got {[len(n) for n in notes]}"
        )


def _draw(table: Sequence[TileRow], across: int, corner: str) -> bytes:
    from PIL import Image, ImageDraw

    if across < 1:
        raise SettingError(f"tiles: expected one image or more in a row of a panel, got {across}")
    font = _font()
    left = max(_wide(words, font) for words in [corner, *(row.label for row in table)])
    pictures = _pictures(table, across, WIDTH - left)
    places = Places.of(table, pictures, left + SPACE if left else 0, LINE * _lines(corner), font)
    sheet = Image.new("RGB", places.size, "white")
    pen = ImageDraw.Draw(sheet)

    def write(x: float, y: float, text: str, anchor: str) -> None:
        pen.multiline_text((x, y), text, INK, font, anchor, align="right" if anchor == "rm" else "center")

    for i, row in enumerate(table):
        top, height = places.tops[i], places.heights[i]
        write(MARGIN + left, top + height / 2, row.label, "rm")
        for j, (panel, picture) in enumerate(zip(row.panels, pictures[i], strict=True)):
            middle = places.lefts[j] + places.widths[j] / 2
            write(middle, top - LINE * _lines(panel.above) / 2, panel.above, "mm")
            write(middle, top + height + LINE * _lines(panel.below) / 2, panel.below, "mm")
            if picture is not None:
                sheet.paste(Image.fromarray(picture), (round(middle - picture.shape[1] / 2), top))
    write(MARGIN + left, places.tops[0] - LINE / 2, corner, "rm")
    file = BytesIO()
    grey = all(tiles.shape[1] == 1 for tiles in _given(table))
    (sheet.convert("L") if grey else sheet).save(file, "PNG", optimize=True)
    return file.getvalue()


class Places(NamedTuple):
    """Positions of panels in pixels: columns as wide as their widest panel or text, rows as high as their highest."""

    lefts: Sequence[int]
    widths: Sequence[int]
    tops: Sequence[int]
    heights: Sequence[int]
    size: tuple[int, int]

    @classmethod
    def of(
        cls,
        table: Sequence[TileRow],
        pictures: Sequence[Sequence[UInt8[np.ndarray, "_ _ 3"] | None]],
        left: int,
        over: int,
        font: "PIL.ImageFont.FreeTypeFont",
    ) -> "Places":
        widths = [0] * max(len(row.panels) for row in table)
        heights, above, below = [], [], []
        for row, row_pictures in zip(table, pictures, strict=True):
            for j, (panel, picture) in enumerate(zip(row.panels, row_pictures, strict=True)):
                words = max(_wide(panel.above, font), _wide(panel.below, font))
                widths[j] = max(widths[j], words, 0 if picture is None else picture.shape[1])
            needed = [LINE * _lines(row.label), *(picture.shape[0] for picture in row_pictures if picture is not None)]
            heights.append(max(needed))
            above.append(LINE * max(_lines(panel.above) for panel in row.panels))
            below.append(LINE * max(_lines(panel.below) for panel in row.panels))
        above[0] = max(above[0], over)
        ends = list(accumulate(a + h + b + SPACE for a, h, b in zip(above, heights, below, strict=True)))
        tops = [MARGIN + end + words for end, words in zip([0, *ends], above, strict=False)]
        lefts = list(accumulate((width + SPACE for width in widths), initial=MARGIN + left))
        return cls(lefts[:-1], widths, tops, heights, (lefts[-1] - SPACE + MARGIN, ends[-1] - SPACE + 2 * MARGIN))


def _pictures(table: Sequence[TileRow], across: int, width: int) -> list[list[UInt8[np.ndarray, "_ _ 3"] | None]]:
    """The panels, enlarged as far as the width allows, by one factor for each row."""
    for tiles in _given(table):
        if not len(tiles) or tiles.shape[1] not in CHANNELS:
            raise DataError(f"tiles: expected images of 1 or 3 channels, got {len(tiles)} of {tiles.shape[1]}")
    shown = max(min(across, len(tiles)) for tiles in _given(table))
    columns = max(len(row.panels) for row in table)
    pictures = []
    for row in table:
        side = max((panel.tiles.shape[3] for panel in row.panels if panel.tiles is not None), default=1)
        factor = min(LARGEST, max(1, width // (columns * shown * side)))
        pictures.append([None if p.tiles is None else _picture(p.tiles, across, factor) for p in row.panels])
    return pictures


def _picture(tiles: TileBatch, across: int, factor: int) -> UInt8[np.ndarray, "_ _ 3"]:
    picture = grid(enlarge(tiles, factor), min(across, len(tiles)))
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def _given(table: Sequence[TileRow]) -> Iterator[TileBatch]:
    return (panel.tiles for row in table for panel in row.panels if panel.tiles is not None)


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _wide(text: str, font: "PIL.ImageFont.FreeTypeFont") -> int:
    return max(int(np.ceil(font.getlength(line))) for line in text.split("\n"))


def _font() -> "PIL.ImageFont.FreeTypeFont":
    """The font that comes with matplotlib: it has Greek letters and is the same on every machine."""
    require("matplotlib")
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), SIZE)

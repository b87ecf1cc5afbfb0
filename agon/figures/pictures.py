"""Images as pixels: samples to uint8, tiles to one grid and back, a grid to PNG and back.

Everything is exact: a grid's file holds its tiles bit by bit. Nothing is rescaled by its own
least and greatest value, which would hide a generator that has lost its contrast.
"""

import math
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.errors import DataError
from agon.figures.grids import Grid, square

GAP = 208  # light grey between tiles: visible on black, on white, and on the mid-grey of an untrained generator
CHANNELS = {1: "L", 3: "RGB"}  # numbers of channels that a PNG shows as they are -> Pillow's mode
TILES = 100_000  # most tiles of a grid to read
PIXELS = 50_000_000  # most pixels of a grid to read
APART = "agon channels"  # keyword for the number of channels, if each is a separate tile
ROWS = "agon rows"  # keyword that says that the tiles of a row belong together
KEYWORD = "agon "  # prefix of the tiling's fields in the file


class Tiling(NamedTuple):
    """The layout of a grid of tiles, in reading order; the last row may be short.

    Attributes:
        tiles: number of tiles, from 1.
        height: height of a tile in pixels.
        width: width of a tile in pixels.
        columns: tiles in a full row, from 1.
        gap: pixels between neighbouring tiles and around all of them, from 0.
    """

    tiles: int
    height: int
    width: int
    columns: int
    gap: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the whole grid in pixels."""
        rows = math.ceil(self.tiles / self.columns)
        return rows * (self.height + self.gap) + self.gap, self.columns * (self.width + self.gap) + self.gap

    def corner(self, tile: int) -> tuple[int, int]:
        """(top, left) pixel of a tile."""
        row, column = divmod(tile, self.columns)
        return self.gap + row * (self.height + self.gap), self.gap + column * (self.width + self.gap)


ByteImages = UInt8[Tensor, "n c h w"] | UInt8[np.ndarray, "n c h w"]


def pictured(shape: tuple[int, ...]) -> bool:
    """Whether samples of a shape are images that a PNG can hold.

    >>> pictured((3, 8, 8)), pictured((4, 8, 8)), pictured((24, 3))
    (True, False, False)
    """
    return len(shape) == 3 and shape[0] in CHANNELS


def to_uint8(x: Float[Tensor, "n c h w"], low: float, high: float) -> UInt8[Tensor, "n c h w"]:
    """Convert samples to bytes: low becomes 0, high 255; values are rounded, and clamped to this range.

    Args:
        x: samples; NaN becomes low.
        low: the value of black.
        high: the value of white, above low.

    Raises:
        DataError: low is not below high.

    >>> import torch
    >>> to_uint8(torch.tensor([[[[-1.0, 0.0, 1.0, 7.0]]]]), -1.0, 1.0).flatten().tolist()
    [0, 128, 255, 255]
    """
    if not low < high:
        raise DataError(f"range of the pixels: expected low < high, got {low} and {high}; give the source's range")
    levels = (x.float().nan_to_num(nan=low, posinf=high, neginf=low) - low) * (255 / (high - low))
    return levels.clamp(0, 255).round().byte()


def enlarge(images: ByteImages, factor: int) -> UInt8[np.ndarray, "n c fh fw"]:
    """Repeat every pixel as a square of factor x factor pixels; slicing with that step undoes it.

    >>> enlarge(np.array([[[[1, 2]]]], dtype=np.uint8), 2).tolist()
    [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
    """
    return _array(images).repeat(factor, axis=2).repeat(factor, axis=3)


def grid(images: ByteImages, columns: int | None = None, gap: int = 2) -> UInt8[np.ndarray, "H W c"]:
    """Lay out tiles in rows on one picture.

    Args:
        images: the tiles, in reading order.
        columns: tiles in a row; None for a grid that is nearly square.
        gap: grey pixels between neighbours and around all.

    Raises:
        DataError: there is no image, or a number is out of range.
    """
    return _draw(_array(images), tiling(images, columns, gap))


def tiling(images: ByteImages, columns: int | None = None, gap: int = 2) -> Tiling:
    """The layout that `grid` uses for these images and settings."""
    count, _, height, width = images.shape
    columns = square(count) if columns is None else columns
    if count < 1 or height < 1 or width < 1 or columns < 1 or gap < 0:
        raise DataError(
            "a grid: expected one image or more of one pixel or more, columns from 1 and a gap from 0, "
            f"got {count} images of {height}x{width}, {columns} columns and a gap of {gap}"
        )
    return Tiling(tiles=count, height=height, width=width, columns=columns, gap=gap)


def ungrid(picture: UInt8[np.ndarray, "H W c"], layout: Tiling) -> UInt8[np.ndarray, "n c h w"]:
    """Cut a grid into its tiles: the exact inverse of `grid` for `layout = tiling(images, columns, gap)`.

    Raises:
        DataError: the picture's size differs from the layout's.
    """
    if picture.shape[:2] != layout.size:
        raise DataError(
            f"a grid: expected {layout.size[0]}x{layout.size[1]} pixels for {layout.tiles} tiles of "
            f"{layout.height}x{layout.width}, got {picture.shape[0]}x{picture.shape[1]}; "
            "the file was cut or scaled"
        )
    corners = map(layout.corner, range(layout.tiles))
    tiles = [picture[top : top + layout.height, left : left + layout.width] for top, left in corners]
    return np.ascontiguousarray(np.stack(tiles).transpose(0, 3, 1, 2))  # n h w c -> n c h w


def png(picture: UInt8[np.ndarray, "H W c"], text: dict[str, str] | None = None) -> bytes:
    """Write a picture of one or three channels as a PNG; the same picture gives the same bytes.

    Args:
        picture: its pixels.
        text: keyword -> text, stored in the file's metadata.

    Raises:
        DataError: the picture has another number of channels.
    """
    from PIL import Image, PngImagePlugin

    channels = picture.shape[2]
    if channels not in CHANNELS:
        raise DataError(
            f"a PNG: expected 1 or 3 channels, got {channels}; write a grid, which draws them apart, or an array (.npz)"
        )
    info = PngImagePlugin.PngInfo()
    for keyword, value in (text or {}).items():
        info.add_text(keyword, value)
    file = BytesIO()
    pixels = np.ascontiguousarray(picture[:, :, 0] if channels == 1 else picture)
    Image.fromarray(pixels).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def grid_png(images: ByteImages, columns: int | None = None, gap: int = 2) -> bytes:
    """Write a grid as a PNG whose metadata has the layout, for `read_grid`; rows of given columns belong together.

    If images have neither 1 nor 3 channels, each channel becomes a grey tile, side by side.
    """
    tiles, channels, rows_belong = _array(images), images.shape[1], columns is not None
    columns = tiling(images, columns, gap).columns
    if channels not in CHANNELS:
        tiles, columns = tiles.reshape(-1, 1, *tiles.shape[2:]), columns * channels  # n c h w -> nc 1 h w
    layout = tiling(tiles, columns, gap)
    text = {KEYWORD + name: str(value) for name, value in layout._asdict().items()}
    if rows_belong:
        text[ROWS] = "together"
    return png(_draw(tiles, layout), text if channels in CHANNELS else {**text, APART: str(channels)})


def read_grid(file: Path | bytes, name: str = "") -> Grid:
    """Read a grid that `grid_png` wrote.

    Args:
        file: its path, or its content.
        name: its name in messages; by default its path.

    Returns:
        Its tiles and their layout. Earlier versions did not write whether rows belong together: they do where the grid
        is not as square as it could be.

    Raises:
        DataError: the file is not a PNG, is damaged, has more than `PIXELS` pixels, or has no layout by `grid_png`.
    """
    from PIL import Image, UnidentifiedImageError

    name = name or ("the grid" if isinstance(file, bytes) else str(file))
    try:
        with Image.open(BytesIO(file) if isinstance(file, bytes) else file, formats=["PNG"]) as image:
            if image.mode not in CHANNELS.values() or image.width * image.height > PIXELS:
                raise OSError(f"expected {' or '.join(CHANNELS.values())} of at most {PIXELS:,} pixels")
            pixels = np.array(image)
            text = {str(key): str(value) for key, value in image.info.items()}
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,  # a text that decompresses to more than PIL allows
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        reason = "no PNG" if isinstance(error, UnidentifiedImageError) else error
        raise DataError(f"{name} cannot be read as a PNG ({reason}); write it again") from error
    layout, apart = _written_tiling(name, text), text.get(APART, "1")
    tiles = ungrid(np.atleast_3d(pixels), layout)
    if not (apart.isascii() and apart.isdigit() and len(apart) < 9 and int(apart) and len(tiles) % int(apart) == 0):
        raise _uncut(name)
    if apart != "1":
        tiles = tiles.reshape(-1, int(apart), *tiles.shape[2:])
    columns = max(1, layout.columns // int(apart))
    return Grid(tiles, columns, ROWS in text or columns != square(len(tiles)))


def _written_tiling(name: str, text: dict[str, str]) -> Tiling:
    try:
        layout = Tiling(**{field: int(text[KEYWORD + field]) for field in Tiling._fields})
        if min(layout[:-1]) < 1 or layout.gap < 0 or layout.tiles > TILES:
            raise ValueError(layout)
    except (KeyError, ValueError) as error:
        raise _uncut(name) from error
    return layout


def _uncut(name: str) -> DataError:
    return DataError(
        f"{name} does not say how it is cut into tiles; "
        "expected a grid that agon wrote, and that nothing has edited since"
    )


def _draw(images: UInt8[np.ndarray, "n c h w"], layout: Tiling) -> UInt8[np.ndarray, "H W c"]:
    picture = np.full((*layout.size, images.shape[1]), GAP, dtype=np.uint8)
    for tile, image in enumerate(images):
        top, left = layout.corner(tile)
        picture[top : top + layout.height, left : left + layout.width] = image.transpose(1, 2, 0)  # c h w -> h w c
    return picture


def _array(images: ByteImages) -> UInt8[np.ndarray, "n c h w"]:
    return images.numpy(force=True) if isinstance(images, Tensor) else images

"""One stored image, in whatever format and mode, to bytes of channels, rows and columns."""

import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from agon.data.resize import fit

if TYPE_CHECKING:
    from PIL.Image import Image

Content = bytes | Path | np.ndarray
COMMON = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
REFUSED = ("EPS",)  # Pillow runs Ghostscript, a whole programming language, to read it
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's "L"


def decode(content: Content, *, size: tuple[int, int] | None, channels: int | None) -> UInt8[np.ndarray, "c h w"]:
    """One image as it is trained on.

    The first frame of an animation; turned upright as its EXIF orientation says; transparent pixels
    over white; palettes looked up; CMYK to RGB; 16 bits scaled to 8 (not clipped); resized by area and
    cropped at the centre where a size is given.

    Args:
        content: a file's bytes, a file's path, or pixels "h w c" that are decoded already.
        size: (height, width) wanted; None keeps the stored size.
        channels: 1 (luma) or 3 wanted; None keeps what the image has.

    Returns:
        Contiguous bytes.

    Raises:
        Exception: of any kind, with the decoder's own words, where the bytes are no whole image.
    """
    pixels = content if isinstance(content, np.ndarray) else _read(content)
    if pixels.size == 0:
        raise ValueError("it has no pixels")
    pixels = _with_channels(pixels, channels or pixels.shape[2])
    if size is not None and pixels.shape[:2] != size:
        pixels = fit(pixels, size)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # h w c -> c h w


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """Names of the formats that are read: all that Pillow opens, the common first, less REFUSED."""
    from PIL import Image

    Image.init()
    return COMMON + tuple(name for name in Image.OPEN if name not in COMMON + REFUSED)


@lru_cache(maxsize=1)
def suffixes() -> frozenset[str]:
    """File name endings of those formats, in lower case with the dot."""
    from PIL import Image

    read = formats()
    return frozenset(end for end, name in Image.registered_extensions().items() if name in read)


def _read(content: bytes | Path) -> UInt8[np.ndarray, "h w c"]:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content, formats=formats()) as file:
        ImageOps.exif_transpose(file, in_place=True)
        return _pixels(file)


def _pixels(image: "Image") -> UInt8[np.ndarray, "h w c"]:
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _eight_bits(np.asarray(image))
    if image.mode == "F":
        raise ValueError("its pixels are 32-bit floats, whose range nobody states; save it with 8 or 16 bits")
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = _over_white(image)
    mode = "L" if grey else "RGB"
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[:, :, None] if grey else array


def _eight_bits(array: np.ndarray) -> UInt8[np.ndarray, "h w 1"]:
    """65535 -> 255, rounded: the high byte alone would darken, and clipping would whiten everything."""
    if array.min() < 0 or array.max() > 65535:
        raise ValueError(f"its integers go from {array.min()} to {array.max()}, expected 0 to 65535")
    return np.rint(array / 257).astype(np.uint8)[:, :, None]


def _over_white(image: "Image") -> "Image":
    from PIL import Image

    if image.mode == "La":  # premultiplied grey has only this way out
        image = image.convert("LA")
    front = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", front.size, "white"), front)


def _with_channels(pixels: UInt8[np.ndarray, "h w c"], channels: int) -> UInt8[np.ndarray, "h w c2"]:
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return np.rint(pixels @ LUMA).astype(np.uint8)[:, :, None]

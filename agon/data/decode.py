"""One stored image, in whatever format and mode, to bytes of channels, rows and columns."""

import io
from collections.abc import Mapping
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from agon.data.resize import BAND, fit
from agon.untrusted import read_regular

if TYPE_CHECKING:
    from PIL.Image import Image


class NoImage(NamedTuple):
    """No image, and why."""

    reason: str


Content = bytes | Path | np.ndarray | NoImage
COMMON = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
PIXELS = 2**26  # of an image by default: 0.2 GB as bytes of three colours
FILE = 2**30  # bytes of an image's file
REFUSED = ("EPS",)  # Pillow runs Ghostscript, a whole programming language, to read it
ALONE = 2**24  # pixels from which on images are decoded one after another, for each takes many times its size
LARGE = Lock()
UNREAD = frozenset((".heic", ".heif", ".avif", ".jxl"))  # photographs that Pillow may not read: counted all the same
STATED = ("PNG", "PPM")  # formats that state the white of integers of 32 bits
SAMPLES, EXTRA = 277, 338  # tags of TIFF: bands a pixel, and what those after the colours mean (1 and 2: opacity)
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's "L"


def decode(
    content: Content, *, size: tuple[int, int] | None, channels: int | None, most: int = PIXELS
) -> UInt8[np.ndarray, "c h w"]:
    """One image as it is trained on.

    The first frame of an animation; turned upright as its EXIF orientation says; transparent pixels
    over white; palettes looked up; CMYK to RGB; 16 bits scaled to 8 (not clipped); resized by area and
    cropped at the centre where a size is given.

    Args:
        content: a file's bytes, a file's path, pixels "h w c" that are decoded already, or the lack of any.
        size: (height, width) wanted; None keeps the stored size.
        channels: 1 (luma) or 3 wanted; None keeps what the image has.
        most: pixels that a file may have.

    Returns:
        Contiguous bytes.

    Raises:
        Exception: of any kind, with the decoder's own words, where the bytes are no whole image.
    """
    if isinstance(content, NoImage):
        raise ValueError(content.reason)
    pixels = content if isinstance(content, np.ndarray) else _read(content, most)
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


def unread(file: Path) -> str:
    """Why a photograph's format cannot be read; "" where it can."""
    ending = file.suffix.lower()
    return f"the format {ending} is not read here; save it as .png or .jpg" if ending in UNREAD - suffixes() else ""


def stored(content: Content) -> bytes:
    """The bytes that an image is known by.

    Raises:
        OSError: of a file that is not there, or is none.
    """
    if isinstance(content, Path):
        return read_regular(content, most=FILE)
    if isinstance(content, NoImage):
        return content.reason.encode(errors="backslashreplace")
    return content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()


def _read(content: bytes | Path, most: int) -> UInt8[np.ndarray, "h w c"]:
    from PIL import Image, ImageOps

    if isinstance(content, Path) and (reason := unread(content)):
        raise ValueError(reason)
    with Image.open(io.BytesIO(stored(content)), formats=formats()) as file:
        if file.width * file.height > most:
            raise ValueError(
                f"it has {file.width:,} x {file.height:,} pixels, more than the {most:,} that are read; "
                f"--set data.most_pixels={file.width * file.height} reads it"
            )
        with LARGE if file.width * file.height > ALONE else nullcontext():
            ImageOps.exif_transpose(file, in_place=True)
            return _pixels(file)


def _pixels(image: "Image") -> UInt8[np.ndarray, "h w c"]:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in STATED):
        return _eight_bits(np.asarray(image))
    if image.mode in ("F", "I"):
        kind = "floats" if image.mode == "F" else "integers"
        raise ValueError(f"its pixels are 32-bit {kind}, whose range nobody states; save it with 8 or 16 bits")
    if image.format == "TIFF" and (bands := _bands(image)) is not None:
        return bands
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = _over_white(image)
    mode = "L" if grey else "RGB"
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[:, :, None] if grey else array


def _bands(image: "Image") -> UInt8[np.ndarray, "h w 4"] | None:
    """The bands of a TIFF file of four that does not say that one is opacity; None for any other.

    Raises:
        ValueError: it has bands that Pillow passes over.
    """
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    number, kinds = tags.get(SAMPLES, 1), tags.get(EXTRA, ())
    if image.mode not in ("RGB", "RGBA") or number <= 3 or (number == 4 and {1, 2, 999} & set(kinds)):
        return None
    if number == 4 and image.mode == "RGBA":
        return np.asarray(image)
    raise ValueError(f"it has {number} bands, of which {len(image.mode)} are read; save the set as an array (.npy)")


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
    if pixels.shape[2] not in (1, 3):
        raise ValueError(f"it has {pixels.shape[2]} channels, which are no colours; leave out data.channels={channels}")
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    grey = np.empty((*pixels.shape[:2], 1), np.uint8)
    rows = max(1, BAND // pixels[0].size)
    for first in range(0, len(pixels), rows):  # never a large image as floats
        grey[first : first + rows, :, 0] = np.rint(pixels[first : first + rows] @ LUMA)
    return grey

"""Decode one stored image of any format and mode to bytes "c h w"."""

import io
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import UInt8

from agon.data.coding import BYTES, NUMBERS, BytesError, Coding, coding_of, levels_of
from agon.data.resize import BAND, fit
from agon.untrusted import read_regular

if TYPE_CHECKING:
    from PIL.Image import Image


class NoImage(NamedTuple):
    """A missing image, with the reason."""

    reason: str


Content = bytes | Path | np.ndarray | NoImage
COMMON = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
PIXELS = 2**26  # most pixels of an image by default: 0.2 GB as bytes of three colours
FILE = 2**30  # most bytes of an image's file
REFUSED = ("EPS",)  # to read it, Pillow runs Ghostscript, a whole programming language
ALONE = 2**24  # larger images are decoded one after another, because each takes many times its size in memory
LARGE = Lock()
PILLOW = Lock()  # held while Pillow's limit, which all threads share, is lifted
UNREAD = frozenset((".heic", ".heif", ".avif", ".jxl"))  # photographs that Pillow may not read, but that are counted
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's "L"


def decode(
    content: Content,
    *,
    size: tuple[int, int] | None,
    channels: int | None,
    most: int = PIXELS,
    values: tuple[float, float] | None = None,
) -> UInt8[np.ndarray, "c h w"]:
    """Decode one image for training.

    Takes the first frame of an animation, applies the EXIF orientation, puts transparent pixels over
    white, looks up palettes, converts CMYK to RGB, scales 16 bits to 8 (without clipping), and, if a
    size is given, crops at the centre and resizes by area.

    Args:
        content: a file's bytes, a file's path, decoded pixels "h w c", or a missing image.
        size: (height, width) of the result; None keeps the stored size.
        channels: 1 (luma) or 3 channels of the result; None keeps the stored channels.
        most: most pixels that a file may have.
        values: (low, high), black and white of a file's 16-bit or 32-bit grey numbers; None for 0 and the most that
            16 bits hold. Decoded pixels have been scaled.

    Returns:
        Contiguous bytes.

    Raises:
        BytesError: `values` states others than 0 and 255 for a file whose pixels are bytes.
        Exception: of any type, with the decoder's message, if the bytes are not a whole image.
    """
    if isinstance(content, NoImage):
        raise ValueError(content.reason)
    pixels = content if isinstance(content, np.ndarray) else _read(content, most, values)
    if pixels.size == 0:
        raise ValueError("it has no pixels")
    pixels = _with_channels(pixels, channels or pixels.shape[2])
    if size is not None and pixels.shape[:2] != size:
        pixels = fit(pixels, size)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # h w c -> c h w


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """Names of the supported formats: all that Pillow opens except REFUSED, the common ones first."""
    from PIL import Image

    Image.init()
    return COMMON + tuple(name for name in Image.OPEN if name not in COMMON + REFUSED)


@lru_cache(maxsize=1)
def suffixes() -> frozenset[str]:
    """File extensions of those formats, in lower case with the dot."""
    from PIL import Image

    read = formats()
    return frozenset(end for end, name in Image.registered_extensions().items() if name in read)


def unread(file: Path) -> str:
    """Why a photograph's format cannot be read; "" if it can."""
    ending = file.suffix.lower()
    return f"the format {ending} is not read here; save it as .png or .jpg" if ending in UNREAD - suffixes() else ""


def stored(content: Content) -> bytes:
    """The bytes that identify an image.

    Raises:
        OSError: the file does not exist or is not a regular file.
    """
    if isinstance(content, Path):
        return read_regular(content, most=FILE)
    if isinstance(content, NoImage):
        return content.reason.encode(errors="backslashreplace")
    return content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()


def _read(content: bytes | Path, most: int, values: tuple[float, float] | None) -> UInt8[np.ndarray, "h w c"]:
    from PIL import ImageOps

    if isinstance(content, Path) and (reason := unread(content)):
        raise ValueError(reason)
    with opened(io.BytesIO(stored(content))) as file:
        if file.width * file.height > most:
            raise ValueError(
                f"it has {file.width:,} x {file.height:,} pixels, more than the {most:,} that are read; "
                f"--set data.most_pixels={file.width * file.height} reads it"
            )
        with LARGE if file.width * file.height > ALONE else nullcontext():
            coding = coding_of(file)
            ImageOps.exif_transpose(file, in_place=True)
            return _pixels(file, coding, values)


def opened(stream: BinaryIO | io.BytesIO) -> "Image":
    """Read an image's header, of any size: the caller's limit is the setting `most_pixels`, not Pillow's."""
    from PIL import Image

    with PILLOW:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream, formats=formats())
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def pixels_of(image: "Image", values: tuple[float, float] | None = None) -> UInt8[np.ndarray, "h w c"]:
    """The pixels of an opened image, upright, as `decode` reads those of a file.

    Raises:
        BytesError: the pixels are bytes, and `values` states others than theirs.
    """
    from PIL import ImageOps

    coding = coding_of(image)  # a copy of an image does not keep what its file says of it
    return _pixels(ImageOps.exif_transpose(image), coding, values)


def _pixels(image: "Image", coding: Coding, values: tuple[float, float] | None) -> UInt8[np.ndarray, "h w c"]:
    if image.mode in NUMBERS:
        return levels_of(np.asarray(image), coding, values)
    if values not in (None, BYTES):
        raise BytesError("its pixels have 8 bits, or are colours")
    if coding.bands is not None:
        return _bands(image, coding.bands)
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = _over_white(image, coding.clear)
    mode = "L" if grey else "RGB"
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[:, :, None] if grey else array


def _bands(image: "Image", number: int) -> UInt8[np.ndarray, "h w 4"]:
    """The bands of a TIFF file that are not declared as opacity.

    Raises:
        ValueError: the file has bands that Pillow ignores.
    """
    if number == 4 and image.mode == "RGBA":
        return np.asarray(image)
    raise ValueError(f"it has {number} bands, of which {len(image.mode)} are read; save the set as an array (.npy)")


def _over_white(image: "Image", clear: int | tuple[int, ...] | None) -> "Image":
    from PIL import Image

    if clear is not None and clear != image.info.get("transparency", clear):
        image = image.copy()  # which is the caller's
        image.info["transparency"] = clear
    if image.mode == "La":  # Pillow converts premultiplied grey only to LA
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
    for first in range(0, len(pixels), rows):  # in bands, so that a large image is never in memory as floats
        grey[first : first + rows, :, 0] = np.rint(pixels[first : first + rows] @ LUMA)
    return grey

"""Look at one stored image without decoding it as for training: its size and colours, and a small grey copy of it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Float

from agon.data.coding import NUMBERS, coding_of
from agon.data.decode import Content, NoImage, decode, opened, unread
from agon.untrusted import open_regular

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 16  # pixels of a thumbnail's sides
GREY = ("1", "L", "LA", "La", "I", "F")  # modes that decode to one channel, and those that begin with "I;16"
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # EXIF's tag, and its values that exchange height and width


class Header(NamedTuple):
    """What the beginning of a stored image says, without its pixels.

    Attributes:
        height: pixels, upright.
        width: pixels, upright.
        channels: 1 or 3, or what an array has.
        kind: the file's format, such as "JPEG", or "array".
    """

    height: int
    width: int
    channels: int
    kind: str


def header(content: Content) -> Header:
    """Read the size and the colours of a stored image.

    Raises:
        Exception: of any type, if the beginning is not an image's.
    """
    if isinstance(content, np.ndarray):
        height, width, channels = content.shape
        return Header(height, width, channels, "array")
    with _opened(content) as image:
        height, width = (image.width, image.height) if _turned(image) else (image.height, image.width)
        grey = image.mode in GREY or image.mode.startswith("I;16")
        return Header(height, width, 1 if grey else 3, image.format or "unknown")


class Words(NamedTuple):
    """The numbers of a 16-bit grey image.

    Attributes:
        most: the greatest.
        limit: the greatest that there could be.
        inverted: whether 0 is white.
    """

    most: int
    limit: int
    inverted: bool


def words_of(content: Content) -> Words | None:
    """The numbers of a 16-bit grey image; None for any other image.

    Raises:
        Exception: of any type, if the bytes are not a whole image.
    """
    if isinstance(content, np.ndarray):
        return None
    with _opened(content) as image:
        coding = coding_of(image)
        if image.mode not in NUMBERS or coding.white is None:
            return None
        return Words(int(np.asarray(image).max()), coding.white, coding.inverted)


def thumbnail(content: Content, *, most: int, values: tuple[float, float] | None = None) -> Float[np.ndarray, " d"]:
    """A grey copy of the centred square, of SIDE x SIDE pixels in 0 to 255, flattened.

    A JPEG file is decoded at the smallest size that its coding allows, which is several times faster.

    Args:
        content: the stored image.
        most: most pixels that a file may have.
        values: black and white of 16-bit or 32-bit grey numbers, if they are stated.

    Raises:
        Exception: of any type, with the decoder's message, if the bytes are not a whole image.
    """
    from PIL import Image, ImageOps

    if not isinstance(content, np.ndarray | NoImage):
        with _opened(content) as image:
            if image.format == "JPEG" and image.mode in ("L", "RGB") and image.width * image.height <= most:
                image.draft("L", (4 * SIDE, 4 * SIDE))
                ImageOps.exif_transpose(image, in_place=True)
                return _small(image.convert("L"))
    pixels = decode(content, size=None, channels=None, most=most, values=values)
    grey = pixels[0] if len(pixels) == 1 else np.rint(pixels.mean(axis=0)).astype(np.uint8)
    if len(pixels) == 3:
        return _small(Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).convert("L"))
    return _small(Image.fromarray(grey))


def _small(image: "Image") -> Float[np.ndarray, " d"]:
    """The triangle filter leaves a copy's thumbnail the same when the copy was resized; a box does not."""
    from PIL import Image, ImageOps

    small = ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.float32).ravel()


def _turned(image: "Image") -> bool:
    if image.format == "PNG" and "exif" not in image.info:
        return False  # to look for it behind the pixels, Pillow would decode them
    return image.getexif().get(ORIENTATION) in TURNED


@contextmanager
def _opened(content: bytes | Path | NoImage) -> "Iterator[Image]":
    if isinstance(content, NoImage):
        raise ValueError(content.reason)
    if isinstance(content, Path) and (reason := unread(content)):
        raise ValueError(reason)
    stream: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else open_regular(content)
    with stream, opened(stream) as image:
        yield image

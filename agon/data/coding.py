"""How an image file codes its numbers: black and white of 16-bit and 32-bit grey, what is transparent, extra bands."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Shaped, UInt8

if TYPE_CHECKING:
    from PIL.Image import Image

WORDS = ("I;16", "I;16L", "I;16B", "I;16N")  # modes of 16-bit grey
NUMBERS = (*WORDS, "I", "F")  # and of 32-bit integers and floats
STATED = ("PNG", "PPM")  # formats that define the white of 32-bit integers
BITS, ZERO, SAMPLES, EXTRA = 258, 262, 277, 338  # tags of TIFF: bits of a number, what 0 is (0: white), bands of a
# pixel, and the meaning of extra bands (1 and 2: opacity)
SCALED = {"L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}  # PNG's numbers that Pillow scales to bytes, and by what
WHITE = 65535
BYTES = (0.0, 255.0)  # black and white of bytes


class BytesError(ValueError):
    """Black and white are stated for an image whose pixels are bytes, whose black and white are 0 and 255."""


class Coding(NamedTuple):
    """What a file says of its numbers.

    Attributes:
        white: the number of white, or of black if `inverted`; None where the file does not say it.
        inverted: whether 0 is white.
        clear: the transparent colour, in the numbers that Pillow decodes to; None for none.
        bands: bands of a pixel of which none is opacity; None for those of its mode.
    """

    white: int | None
    inverted: bool
    clear: int | tuple[int, ...] | None
    bands: int | None


def coding_of(image: "Image") -> Coding:
    """How an opened image is coded; asked before it is decoded, turned or copied, since Pillow forgets it then."""
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    known = image.mode in WORDS or (image.mode == "I" and image.format in STATED)
    bits = min(tags.get(BITS, (16,))) if image.mode in WORDS else 16
    inverted = image.mode in NUMBERS and tags.get(ZERO) == 0
    return Coding(2**bits - 1 if known else None, inverted, _clear(image), _bands(image, tags))


def levels_of(
    array: Shaped[np.ndarray, "h w"], coding: Coding, values: tuple[float, float] | None
) -> UInt8[np.ndarray, "h w 1"]:
    """Scale grey numbers to bytes: taking the high byte would darken, and clipping would whiten everything.

    Args:
        array: the decoded numbers.
        coding: what their file says of them.
        values: black and white, if they are stated.

    Raises:
        ValueError: nobody states the white, or numbers are outside of black and white.
    """
    if values is None and coding.white is None:
        kind = "floats" if array.dtype.kind == "f" else "integers"
        raise ValueError(
            f"its pixels are 32-bit {kind}, whose range nobody states; save it with 8 or 16 bits, or say what black "
            "and white are with --set data.values=[LOW,HIGH]"
        )
    low, high = values or (0, coding.white or WHITE)
    clear = np.zeros(array.shape, bool) if coding.clear is None else array == coding.clear
    shown = array[~clear]
    if shown.size and not (shown.min() >= low and shown.max() <= high):  # NaN, too
        raise ValueError(f"its numbers go from {shown.min()} to {shown.max()}, expected {low:g} to {high:g}")
    grey = np.rint((np.where(clear, low, array) - low) * (255 / (high - low))).astype(np.uint8)
    return np.where(clear, np.uint8(255), 255 - grey if coding.inverted else grey)[:, :, None]


def _clear(image: "Image") -> int | tuple[int, ...] | None:
    """The transparent colour; what Pillow says of it is in the file's numbers, also where it scales those."""
    key = image.info.get("transparency")
    if not isinstance(key, int | tuple) or (image.format != "PNG" and image.mode not in NUMBERS):
        return None
    tiles: Any = getattr(image, "tile", None)  # until it is decoded
    raw = tiles[0].args if tiles else ""
    factor = SCALED.get(raw if isinstance(raw, str) else raw[0], 1)
    return tuple(int(each * factor) for each in key) if isinstance(key, tuple) else int(key * factor)


def _bands(image: "Image", tags: Mapping[int, Any]) -> int | None:
    number, kinds = tags.get(SAMPLES, 1), tags.get(EXTRA, ())
    if image.mode not in ("RGB", "RGBA") or number <= 3 or (number == 4 and {1, 2, 999} & set(kinds)):
        return None
    return int(number)

"""Convert arrays of numbers to pixels: the values of black and white, and the axis of the channels."""

import numpy as np
from jaxtyping import Shaped, UInt8

from agon.errors import DataError

PART = 1024  # images at a time
NARROW = 8  # rows of images that are three or four pixels wide, at most
BYTES = 255
WORDS = 65535


def channels_last(array: Shaped[np.ndarray, "..."], place: str) -> Shaped[np.ndarray, "n h w c"]:
    """Bring images "n h w", "n h w c" or "n c h w" to "n h w c".

    The channels are the last axis if its length is 1 or 3, else the second axis if its length is, else whichever of
    them is shorter than rows and columns.

    Raises:
        DataError: the array has no such shape, or rows, columns and channels cannot be told apart.
    """
    single = array.ndim == 3 and array.shape[2] in (3, 4) and array.shape[1] > NARROW  # one image, "h w c"
    if array.ndim == 3 and array.size and not single:
        return array[..., None]
    if array.ndim == 4 and array.size:
        _, second, third, last = array.shape
        if last in (1, 3) or (second not in (1, 3) and last < min(second, third)):
            return array
        if second in (1, 3) or second < min(third, last):
            return array.transpose(0, 2, 3, 1)
    raise DataError(
        f"expected images 'n h w', 'n h w c' or 'n c h w' with 1 or 3 channels, or more that are fewer than rows and "
        f"columns, in {place}, got shape {array.shape}; bring it to 'n h w c'"
    )


def levels(
    array: Shaped[np.ndarray, "n h w c"], values: tuple[float, float] | None, place: str
) -> UInt8[np.ndarray, "n h w c"]:
    """Scale numbers to bytes, low to 0 and high to 255.

    Args:
        array: "n h w c".
        values: (low, high); None if the type of the numbers implies it, as for bytes.
        place: where the array is stored, for errors.

    Raises:
        DataError: the range is neither stated nor clear, or numbers lie outside.
    """
    if array.dtype.kind not in "biuf":
        raise DataError(f"expected numbers in {place}, got dtype {array.dtype}; save bytes (uint8)")
    low, high = values or _usual(array, place)
    if array.dtype == np.uint8 and (low, high) == (0, BYTES):
        return array
    outside, levels = 0, np.empty(array.shape, np.uint8)
    for first in range(0, len(array), PART):
        part = array[first : first + PART]
        outside += int(np.count_nonzero(~((part >= low) & (part <= high))))  # NaN is outside, too
        if not outside:
            levels[first : first + PART] = np.rint((part.astype(np.float32) - low) * (255 / (high - low)))
    if outside:
        raise DataError(
            f"expected values from {low} to {high} in {place}, got {outside} of {array.size} outside; "
            "state their true range with --set data.values=[LOW,HIGH] or mend the file"
        )
    return levels


def _usual(array: np.ndarray, place: str) -> tuple[float, float]:
    """The usual range of an array's type, unless its values contradict it.

    Bytes that are only 0 and 1, and 16-bit words that use less than half of their range, would come out almost black;
    a type that cannot hold 255 has no usual white.
    """
    if array.dtype == np.bool_:
        return (0.0, 1.0)
    low, high = min(part.min() for part in _parts(array)), max(part.max() for part in _parts(array))
    kind, size = array.dtype.kind, array.dtype.itemsize
    clear = low >= 0 and kind in "iu" and high != 1
    if clear and (kind, size) == ("u", 2) and (high > WORDS // 2 or high == 0):
        return (0.0, float(WORDS))
    if clear and high <= BYTES and (kind, size) not in (("u", 2), ("i", 1)):
        return (0.0, float(BYTES))
    raise DataError(
        f"expected bytes or a stated range in {place}, got {array.dtype} from {low} to {high}; say what black and "
        f"white are, for example --set data.values=[0,{1 if high <= 1 else BYTES if high <= BYTES else WORDS}]"
    )


def _parts(array: np.ndarray) -> list[np.ndarray]:
    return [array[first : first + PART] for first in range(0, len(array), PART)]

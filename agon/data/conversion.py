"""One sample, or an array of samples, of any library as an array of numpy."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.data.coding import BytesError
from agon.data.decode import pixels_of
from agon.data.decoding import reason_of
from agon.data.levels import levels
from agon.errors import DataError

SPARSE = ("scipy", "sparse")  # libraries whose matrices are sparse
FLOATS = (torch.float16, torch.float32, torch.float64)  # of torch that numpy has, too


def is_picture(x: Any) -> bool:
    """Whether x is a picture of Pillow, without importing it."""
    return hasattr(x, "getbands") and hasattr(x, "convert")


def is_array(x: Any) -> bool:
    """Whether x is an array of numpy, a tensor, or anything that gives numpy its numbers."""
    return isinstance(x, np.ndarray | Tensor | np.generic) or (hasattr(x, "__array__") and not is_picture(x))


def as_array(x: Any, place: str, values: tuple[float, float] | None = None) -> Shaped[np.ndarray, "..."]:
    """A sample, or an array of samples, as a numpy array on the CPU; a masked number becomes NaN.

    Args:
        x: an array, a tensor, a picture, a number, or lists of numbers.
        place: what holds it, for messages.
        values: black and white of a picture's numbers, if they are stated; a picture becomes bytes.

    Raises:
        DataError: it holds no numbers, masked integers, or sparse ones.
    """
    if is_picture(x):
        return _of_picture(x, place, values)
    refuse_sparse(x, place)
    try:
        array = _of_tensor(x) if isinstance(x, Tensor) else np.asanyarray(x)
    except ValueError as fault:  # lists of different lengths
        raise DataError(f"expected samples of numbers in {place}, got lists of different lengths") from fault
    except (TypeError, RuntimeError, AttributeError) as fault:  # libraries and devices without a way to numpy
        raise DataError(
            f"expected arrays, tensors, pictures or numbers in {place}, got {_kind(x)}, which numpy cannot read; hand "
            "over a numpy array of it"
        ) from fault
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"expected arrays, tensors, pictures or numbers in {place}, got {type(x).__name__} of {array.dtype}; "
            "see agon.data.of for what is read"
        )
    return _filled(array, place) if isinstance(array, np.ma.MaskedArray) else np.asarray(array)


def refuse_sparse(x: Any, place: str) -> None:
    """Raise a DataError for a sparse matrix, which might not fit into memory as an array."""
    dense = "to_dense" if isinstance(x, Tensor) and x.layout is not torch.strided else ""
    if type(x).__module__.partition(".")[0] in SPARSE:
        dense = next((name for name in ("toarray", "todense") if hasattr(x, name)), "")
    if dense:
        raise DataError(f"expected dense arrays in {place}, got {_kind(x)}, which is sparse; hand over x.{dense}()")


def _kind(x: Any) -> str:
    return f"{type(x).__name__} of {x.dtype}" if hasattr(x, "dtype") else type(x).__name__


def _of_tensor(x: Tensor) -> Shaped[np.ndarray, "..."]:
    return np.asarray((x.float() if x.is_floating_point() and x.dtype not in FLOATS else x).numpy(force=True))


def _filled(array: np.ma.MaskedArray, place: str) -> Shaped[np.ndarray, "..."]:
    """The numbers of a masked array, NaN where they are masked."""
    masked = int(np.ma.getmaskarray(array).sum())
    if masked and array.dtype.kind != "f":
        raise DataError(
            f"expected integers without a mask in {place}, got {masked:,} of {array.size:,} masked; fill them, or hand "
            "over floats, of which masked ones count as missing"
        )
    return np.asarray(array.filled(np.nan) if masked else array.data)


def _of_picture(x: Any, place: str, values: tuple[float, float] | None) -> Shaped[np.ndarray, "h w c"]:
    try:
        return pixels_of(x, values)
    except BytesError:  # a picture of bytes is scaled as an array is
        scaled: np.ndarray = levels(pixels_of(x)[None], values, place)[0]
        return scaled
    except Exception as fault:  # on damaged or closed files, Pillow raises exceptions of any type
        raise DataError(f"expected pictures that can be read in {place}, but {reason_of(fault)}") from fault

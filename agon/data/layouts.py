"""The axes of an array: what is a sample, and what are its rows, columns, channels or moments."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Shaped

from agon.data.levels import channels_last
from agon.errors import Change, DataError

Layout = Literal["n d", "n c t", "n h w", "n h w c", "n c h w"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
OF_IMAGES = ("n h w", "n h w c", "n c h w")


def layout_of(array: Shaped[np.ndarray, "..."], layout: Layout | None, place: str) -> Layout:
    """The layout of an array: as stated, or else as its dimensions and type imply.

    Two dimensions are points "n d". Three dimensions of bytes or truth values are images "n h w"; of other numbers they
    can be images or series. Of four dimensions, the channels are those that `levels.channels_last` finds.

    Args:
        array: one dimension is taken for points on a line.
        layout: the stated layout, or None.
        place: where the array is stored, for messages.

    Raises:
        DataError: the layout is not clear, or the stated one has another number of dimensions.
    """
    fitting = [known for known in LAYOUTS if len(known.split()) == max(2, array.ndim)]
    if layout is not None and layout not in fitting:
        raise DataError(
            f"expected {len(layout.split())} dimensions for layout='{layout}' in {place}, got shape {array.shape}"
            + (f"; say {_advice(fitting)}" if fitting else "; bring it to one of these: " + ", ".join(LAYOUTS))
        )
    if layout is not None:
        return layout
    if len(fitting) == 1:
        return fitting[0]
    if array.ndim == 3 and array.dtype in (np.uint8, np.bool_):
        return "n h w"
    if array.ndim == 4 and array.size:
        return "n h w c" if _is_last(array, place) else "n c h w"
    if not fitting:
        raise DataError(
            f"expected an array of samples 'n d', 'n c t', 'n h w', 'n h w c' or 'n c h w' in {place}, got shape "
            f"{array.shape}; bring it to one of these"
        )
    changes = [Change("data.layout", known) for known in ("n h w", "n c t")]
    raise DataError(
        f"expected a layout for the shape {array.shape} of {array.dtype} in {place}, which can be grey images or "
        f"series; say {changes[0]} or {changes[1]}",
        *changes,
    )


def to_channels_last(array: Shaped[np.ndarray, "n ..."], layout: Layout) -> Shaped[np.ndarray, "n h w c"]:
    """Bring images of a layout to "n h w c"."""
    if layout == "n h w":
        return array[..., None]
    return array.transpose(0, 2, 3, 1) if layout == "n c h w" else array


def _is_last(array: np.ndarray, place: str) -> bool:
    try:
        return channels_last(array, place).shape == array.shape
    except DataError as fault:
        changes = [Change("data.layout", known) for known in ("n h w c", "n c h w")]
        raise DataError(
            f"expected a layout for the shape {array.shape} in {place}, in which channels, rows and columns cannot be "
            f"told apart; say {changes[0]} or {changes[1]}",
            *changes,
        ) from fault


def _advice(fitting: list[Layout]) -> str:
    return " or ".join(f"layout='{known}'" for known in fitting)

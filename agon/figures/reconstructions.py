"""Images beside their reconstructions by several models."""

from collections.abc import Mapping, Sequence
from itertools import chain

from jaxtyping import Float
from torch import Tensor

from agon.figures.tiles import TileBatch, tiles_png

TOGETHER = 2  # images in a row of the picture


def reconstructions_png(
    targets: TileBatch,
    images: Mapping[str, TileBatch],
    errors: Mapping[str, Float[Tensor, " n"]],
    order: Sequence[int],
) -> bytes:
    """Draw a PNG of a table with two images a row, each followed by every model's reconstruction and its error.

    Args:
        targets: bytes "n c h w".
        images: model -> its reconstruction of each target, bytes "n c h w".
        errors: model -> the error of each reconstruction, shown with four decimals.
        order: indices of the targets to show, in order.
    """
    rows: dict[str, list[TileBatch | None]] = {}
    notes = []
    for place in range(0, len(order), TOGETHER):
        shown = order[place : place + TOGETHER]
        empty = (TOGETHER - len(shown)) * (1 + len(images))
        panels = [tiles[at : at + 1] for at in shown for tiles in (targets, *images.values())]
        below = [["", *(f"{float(of_model[at]):.4f}" for of_model in errors.values())] for at in shown]
        rows[", ".join(str(place + 1 + i) for i in range(len(shown)))] = [*panels, *[None] * empty]
        notes.append([*chain(*below), *[""] * empty])
    return tiles_png(rows, ["data", *images] * TOGETHER, across=1, corner="image", notes=notes)

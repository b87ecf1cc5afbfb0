"""Images beside what several models came to when they searched for them."""

from collections.abc import Mapping, Sequence
from itertools import chain

from jaxtyping import Float
from torch import Tensor

from agon.figures.tiles import Tiles, tiles_png

TOGETHER = 2  # images in a row of the picture


def reconstructions_png(
    targets: Tiles,
    images: Mapping[str, Tiles],
    errors: Mapping[str, Float[Tensor, " n"]],
    order: Sequence[int],
) -> bytes:
    """A PNG of a table with two images a row, each followed by what every model came to, its error below.

    Args:
        targets: bytes "n c h w".
        images: model -> what it came to for each target, as many bytes.
        errors: model -> the error of each, told with four decimals.
        order: the numbers of the targets that are shown, from the first on.
    """
    rows: dict[str, list[Tiles | None]] = {}
    notes = []
    for place in range(0, len(order), TOGETHER):
        shown = order[place : place + TOGETHER]
        empty = (TOGETHER - len(shown)) * (1 + len(images))
        panels = [each[at : at + 1] for at in shown for each in (targets, *images.values())]
        below = [["", *(f"{float(each[at]):.4f}" for each in errors.values())] for at in shown]
        rows[", ".join(str(place + 1 + i) for i in range(len(shown)))] = [*panels, *[None] * empty]
        notes.append([*chain(*below), *[""] * empty])
    return tiles_png(rows, ["data", *images] * TOGETHER, across=1, corner="image", notes=notes)

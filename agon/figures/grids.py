"""A grid of tiles whose rows may belong together, as those of one class do, and how it is shown in less room."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from agon.figures.spacing import spread


class Grid(NamedTuple):
    """Tiles in reading order.

    Attributes:
        tiles: the images.
        columns: tiles in a full row.
        rows_belong: whether the tiles of a row belong together, so that no other layout may mix them.
    """

    tiles: UInt8[np.ndarray, "n c h w"]
    columns: int
    rows_belong: bool = False

    def within(self, across: int) -> "Grid":
        """At most across² of the tiles, with at most `across` in a row.

        Where rows belong together, every row keeps its first tiles, as many as all rows have room for; short ones stand
        side by side. Of more than across² rows, some are left out, evenly.

        >>> grid = Grid(np.zeros((60, 1, 2, 2), np.uint8), 6, rows_belong=True)
        >>> [(len(shown.tiles), shown.columns) for shown in map(grid.within, (8, 5, 3))]
        [(60, 6), (20, 4), (9, 3)]
        """
        if not self.rows_belong:
            return self._replace(tiles=self.tiles[: across**2], columns=across)
        starts = spread(range(0, len(self.tiles), self.columns), across**2)
        each = max(1, min(self.columns, across, across**2 // len(starts)))
        return Grid(self._firsts(starts, each), each * (across // each), rows_belong=True)

    def column(self, most: int) -> UInt8[np.ndarray, "n c h w"]:
        """At most `most` tiles: the first ones, or where rows belong together, the first of each row, evenly chosen."""
        if not self.rows_belong:
            return self.tiles[:most]
        return self._firsts(spread(range(0, len(self.tiles), self.columns), most), 1)

    def _firsts(self, starts: list[int], each: int) -> UInt8[np.ndarray, "n c h w"]:
        """The first tiles of the rows that start at these."""
        chosen = [tile for start in starts for tile in range(start, min(start + each, len(self.tiles)))]
        return self.tiles[chosen]


def square(count: int) -> int:
    """The columns of a grid that is nearly square."""
    return math.ceil(math.sqrt(count))

"""The order of a streamed set: its parts at random, and their images at random within blocks of a fixed size."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from agon.data.rows import ImageRows, Raw
from agon.errors import DataError


class Mark(NamedTuple):
    """A place in a stream, from which it goes on without reading what came before.

    Attributes:
        epoch: number of the epoch.
        part: number of parts of the epoch that come before the block.
        row: number of rows of the next part that come before the block.
        block: number of the block in its epoch.
        taken: images of the block that come before the place.
    """

    epoch: int = 0
    part: int = 0
    row: int = 0
    block: int = 0
    taken: int = 0


class Share(NamedTuple):
    """The rows of a part that one process reads: `first`, `first + step`, ..."""

    part: int
    first: int
    step: int


def shares(parts: int, rank: int, world: int) -> list[Share]:
    """What one of several processes reads: whole parts, as many as every process can have, and rows of the others.

    Together the processes read every row once.

    >>> shares(5, 1, 2)  # parts 1 and 3, and every second row of part 4
    [Share(part=1, first=0, step=1), Share(part=3, first=0, step=1), Share(part=4, first=1, step=2)]
    """
    whole = parts - parts % world
    return [Share(part, 0, 1) for part in range(rank, whole, world)] + [
        Share(part, (rank - part) % world, world) for part in range(whole, parts)
    ]


@dataclass
class Block:
    """Consecutive images of an epoch, and where they begin."""

    begins: Mark
    images: list[Raw] = field(default_factory=list)
    closed: bool = False


class Blocks:
    """The images of one process, endlessly, from a mark on.

    An epoch reads the parts in an order that (seed, epoch) determines. Each `size` images make a block; the last one of
    an epoch may be smaller. A block is shuffled as a whole, by (seed, epoch, block), while the next one is read, image
    for image. So at most two blocks are in memory, and beginning at a mark reads only the parts of its block.

    Args:
        rows: the stored images.
        keep: whether an image belongs to the split.
        seed: seed of the order.
        size: images in a block.
        own: what this process reads.
        least: fewest images of an epoch.
        begin: where to begin.
    """

    def __init__(
        self,
        rows: ImageRows,
        keep: Callable[[Raw], bool],
        *,
        seed: int,
        size: int,
        own: list[Share],
        least: int,
        begin: Mark = Mark(),  # noqa: B008 - it cannot be changed
    ) -> None:
        self._rows, self._keep, self._seed, self._size = rows, keep, seed, size
        self._own, self._least = own, least
        self._block = Block(begin._replace(taken=0), closed=True)
        self._next = Block(begin._replace(taken=0))
        self._taken = 0
        self._stored = self._read(self._next.begins)
        if begin.taken:
            self._turn()
            self._taken = begin.taken
            if begin.taken > len(self._block.images):
                raise DataError(
                    f"expected at least {begin.taken} images in the stream's block {begin.block} of epoch "
                    f"{begin.epoch}, got {len(self._block.images)}: the data have changed, so put the old ones back"
                )

    def __iter__(self) -> Iterator[Raw]:
        return self

    def __next__(self) -> Raw:
        """The next image.

        Raises:
            DataError: the epoch has fewer images than a batch, or reading fails.
        """
        while self._taken == len(self._block.images):
            self._turn()
        raw = self._block.images[self._taken]
        self._taken += 1
        if not self._next.closed:
            self._read_one()
        return raw

    @property
    def mark(self) -> Mark:
        """The place of the next image."""
        if self._taken == len(self._block.images):
            return self._next.begins
        return self._block.begins._replace(taken=self._taken)

    def _turn(self) -> None:
        """Read the next block to its end, and shuffle it."""
        while not self._next.closed:
            self._read_one()
        begins = self._next.begins
        random.Random(f"{self._seed} {begins.epoch} {begins.block}").shuffle(self._next.images)
        self._block, self._taken = self._next, 0
        self._next = Block(self._place)

    def _read_one(self) -> None:
        raw, self._place = next(self._stored)
        if raw is not None:
            self._next.images.append(raw)
        self._next.closed = raw is None or len(self._next.images) == self._size

    def _read(self, begin: Mark) -> Iterator[tuple[Raw | None, Mark]]:
        """Each image in the order of reading, or None at an epoch's end, with the place of a block that begins next."""
        block, count = begin.block, 0
        while True:
            for raw, part, row in self._epoch(begin):
                count += 1
                yield raw, Mark(begin.epoch, part, row, block + count // self._size)
            seen = block * self._size + count
            if seen < self._least:
                raise DataError(
                    f"expected at least {self._least} images for a batch of {self._least}, got {seen}: "
                    "take a smaller batch or more data"
                )
            begin, block, count = Mark(begin.epoch + 1), 0, 0
            yield None, begin

    def _epoch(self, begin: Mark) -> Iterator[tuple[Raw, int, int]]:
        """The images of an epoch from a place on, with the part and the row that come after each."""
        order = list(self._own)
        random.Random(f"{self._seed} {begin.epoch}").shuffle(order)
        for part, share in enumerate(order[begin.part :], begin.part):
            skipped = begin.row if part == begin.part else 0
            stored = islice(self._rows.part(share.part), share.first + skipped * share.step, None, share.step)
            for row, raw in enumerate(stored, skipped + 1):
                if self._keep(raw):
                    yield raw, part, row

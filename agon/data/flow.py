"""Streamed sets, too large for the disk: read in order, shuffled in blocks, decoded when drawn."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from agon.data.blocks import Blocks, Mark, shares
from agon.data.decoding import SKIPPED, Decoding, complaint
from agon.data.finite import scaled
from agon.data.labels import UNLABELLED
from agon.data.order import part
from agon.data.rows import ImageRows, Raw, Unreadable
from agon.data.source import RealBatch
from agon.errors import DataError
from agon.terminal.waiting import tracked, waiting_beside_training

BatchPosition = tuple[int, int, int, int]  # batch, index, rank, world
MARKS = 8  # places that are remembered: those of the last draws, and the one that was loaded


@runtime_checkable
class Marked(Protocol):
    """An opened source that reads in order, and goes on at a mark."""

    def mark(self, batch: int, index: int, rank: int, world: int) -> Mark | None:
        """Where batch number `index` begins; None if the batch before it was not drawn."""
        ...

    def go(self, batch: int, index: int, rank: int, world: int, mark: Mark) -> None:
        """Let batch number `index` begin at a mark."""
        ...


class Flow:
    """An `Opened` stream of stored images, epoch after epoch.

    Each epoch reads the parts (files, shards, groups of rows) in another order and shuffles their images in blocks, see
    `Blocks`. W processes share the parts. Consecutive draws are cheap, and so is a draw at a mark; any other index
    reads forward from the last mark before it, or from the beginning.

    Args:
        rows: the stored images.
        decoding: how they are decoded.
        keep: whether an image belongs to the split.
        seed: seed of the parts' order and the blocks'.
        buffer: number of stored images in memory, in two blocks.
        bounds: the range to which bytes are scaled.
        device: device of the draws.
        fingerprint: hex SHA-256 of the description, because a stream's content is not known beforehand.
    """

    def __init__(
        self,
        rows: ImageRows,
        decoding: Decoding,
        keep: Callable[[Raw], bool],
        *,
        seed: int,
        buffer: int,
        bounds: tuple[float, float],
        device: torch.device | str,
        fingerprint: str,
    ) -> None:
        self.fingerprint = fingerprint
        self.count: int | None = None
        self._rows, self._decoding, self._keep = rows, decoding, keep
        self._seed, self._size = seed, -(-buffer // 2)
        self._bounds, self._device = bounds, device
        self._next: BatchPosition | None = None
        self._marks: dict[BatchPosition, Mark] = {}
        self._blocks: Blocks

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` parts of batch number `index`.

        Raises:
            DataError: the set has fewer images than a batch, an image is unreadable, or reading fails.
            SettingError: the batch does not divide into `world` parts.
        """
        part(batch, rank, world)
        if self._next != (batch, index, rank, world):
            self._walk(batch, index, rank, world)
        self._next = None  # after an error the next draw starts over
        images, labels = self._take(batch // world)
        self._next = (batch, index + 1, rank, world)
        self._remember(self._next, self._blocks.mark)
        real = scaled(torch.from_numpy(np.stack(images)).to(self._device), self._bounds)
        if all(label is None for label in labels):
            return RealBatch(real, None)
        numbers = [UNLABELLED if label is None else label for label in labels]
        return RealBatch(real, torch.tensor(numbers, dtype=torch.int64, device=self._device))

    def mark(self, batch: int, index: int, rank: int, world: int) -> Mark | None:
        """Where batch number `index` begins; None if the batch before it was not drawn."""
        return self._marks.get((batch, index, rank, world)) if index else Mark()

    def go(self, batch: int, index: int, rank: int, world: int, mark: Mark) -> None:
        """Let batch number `index` begin at a mark."""
        self._next = None
        self._remember((batch, index, rank, world), mark)

    def _remember(self, position: BatchPosition, mark: Mark) -> None:
        self._marks.pop(position, None)
        self._marks[position] = mark
        while len(self._marks) > MARKS:
            del self._marks[next(iter(self._marks))]

    def _walk(self, batch: int, index: int, rank: int, world: int) -> None:
        """Go to a batch, from the last known mark before it; say so if that takes long."""
        known = [at for at in self._marks if (at[0], *at[2:]) == (batch, rank, world) and at[1] <= index]
        last = max(known, default=(batch, 0, rank, world))
        self._blocks = Blocks(
            self._rows,
            self._keep,
            seed=self._seed,
            size=self._size,
            own=shares(self._rows.parts, rank, world),
            least=batch // world,
            begin=self._marks.get(last, Mark()),
        )
        with waiting_beside_training():
            for _ in tracked(range(last[1], index), "reading the stream forward", index - last[1]):
                self._take(batch // world, skim=True)

    def _take(self, share: int, *, skim: bool = False) -> tuple[list[np.ndarray], list[int | None]]:
        """Take the next images; with `skim`, only skip them, decoding only if unreadable ones are left out."""
        if skim and not self._decoding.skip_corrupt:
            next(islice(self._blocks, share - 1, share))
            return [], []
        images: list[np.ndarray] = []
        labels: list[int | None] = []
        while len(images) < share:
            raws = list(islice(self._blocks, share - len(images)))
            for raw, image in zip(raws, self._decoding.many(raws), strict=True):
                if not isinstance(image, Unreadable):
                    images.append(image)
                    labels.append(raw.label)
                elif not self._decoding.skip_corrupt:
                    raise DataError(complaint([image], of=share), SKIPPED)
        return images, labels


class Ahead:
    """A flow that reads and decodes the next batch in a thread while the training uses the last one."""

    def __init__(self, flow: Flow) -> None:
        self.fingerprint = flow.fingerprint
        self.count: int | None = None
        self._flow = flow
        self._thread = ThreadPoolExecutor(1)  # one thread, so that uses of the flow never overlap
        self._asked: BatchPosition | None = None
        self._coming: Future[RealBatch]

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """As `Flow.draw`; starts the next draw before returning this one."""
        if self._asked != (batch, index, rank, world):
            self._coming = self._thread.submit(self._flow.draw, batch, index, rank, world)
        self._asked = None
        drawn = self._coming.result()
        self._asked = (batch, index + 1, rank, world)
        self._coming = self._thread.submit(self._flow.draw, *self._asked)
        return drawn

    def mark(self, batch: int, index: int, rank: int, world: int) -> Mark | None:
        """As `Flow.mark`: the next draw may have begun, but not the one after it."""
        return self._flow.mark(batch, index, rank, world)

    def go(self, batch: int, index: int, rank: int, world: int, mark: Mark) -> None:
        """As `Flow.go`."""
        self._asked = None
        self._thread.submit(self._flow.go, batch, index, rank, world, mark).result()

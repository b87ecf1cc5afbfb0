"""Streamed sets, too large for the disk: read in order, shuffled in a buffer, decoded when drawn."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, count, islice

import numpy as np
import torch

from agon.data.decoding import SKIPPED, Decoding, complaint
from agon.data.finite import scaled
from agon.data.labels import UNLABELLED
from agon.data.order import part
from agon.data.rows import ImageRows, Raw, Unreadable
from agon.data.source import RealBatch
from agon.errors import DataError

BatchPosition = tuple[int, int, int, int]  # batch, index, rank, world


class Flow:
    """An `Opened` stream of stored images, epoch after epoch.

    Each epoch reads the parts (files, shards, groups of rows) in another order and draws images at random
    from a buffer. W processes share the parts if W divides their number; otherwise every process reads all
    parts and decodes every W-th image, so that a batch holds the images that one process would see.
    Consecutive draws are cheap; any other index starts over and skips forward.

    Args:
        rows: the stored images.
        decoding: how they are decoded.
        keep: whether an image belongs to the split.
        seed: seed of the parts' order and the buffer.
        buffer: number of stored images in the buffer.
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
        self._seed, self._buffer = seed, buffer
        self._bounds, self._device = bounds, device
        self._next: BatchPosition | None = None
        self._waiting: Iterator[Raw] = iter(())

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` parts of batch number `index`.

        Raises:
            DataError: the set has fewer images than a batch, an image is unreadable, or reading fails.
            SettingError: the batch does not divide into `world` parts.
        """
        part(batch, rank, world)
        share = batch // world
        if self._next != (batch, index, rank, world):
            self._waiting = self._raws(rank, world, batch)
            for _ in range(index):
                self._take(share, skim=True)
        self._next = None  # after an error the next draw starts over
        images, labels = self._take(share)
        self._next = (batch, index + 1, rank, world)
        real = scaled(torch.from_numpy(np.stack(images)).to(self._device), self._bounds)
        if all(label is None for label in labels):
            return RealBatch(real, None)
        numbers = [UNLABELLED if label is None else label for label in labels]
        return RealBatch(real, torch.tensor(numbers, dtype=torch.int64, device=self._device))

    def _take(self, share: int, *, skim: bool = False) -> tuple[list[np.ndarray], list[int | None]]:
        """Take the next images; with `skim`, only skip them, decoding only if unreadable ones are left out."""
        if skim and not self._decoding.skip_corrupt:
            next(islice(self._waiting, share - 1, share))
            return [], []
        images: list[np.ndarray] = []
        labels: list[int | None] = []
        while len(images) < share:
            raws = list(islice(self._waiting, share - len(images)))
            for raw, image in zip(raws, self._decoding.many(raws), strict=True):
                if not isinstance(image, Unreadable):
                    images.append(image)
                    labels.append(raw.label)
                elif not self._decoding.skip_corrupt:
                    raise DataError(complaint([image], of=share), SKIPPED)
        return images, labels

    def _raws(self, rank: int, world: int, batch: int) -> Iterator[Raw]:
        shared = self._rows.parts % world == 0
        parts = range(rank, self._rows.parts, world) if shared else range(self._rows.parts)
        least = batch // world if shared else batch
        endless = chain.from_iterable(self._epoch(list(parts), epoch, least) for epoch in count())
        return endless if shared else islice(endless, rank, None, world)

    def _epoch(self, parts: list[int], epoch: int, least: int) -> Iterator[Raw]:
        rng = random.Random(f"{self._seed} {epoch}")
        rng.shuffle(parts)
        stored = chain.from_iterable(map(self._rows.part, parts))
        seen = 0
        for raw in shuffled(filter(self._keep, stored), self._buffer, rng):
            seen += 1
            yield raw
        if seen < least:
            raise DataError(
                f"expected at least {least} images for a batch of {least}, got {seen}: "
                "take a smaller batch or more data"
            )


def shuffled(raws: Iterator[Raw], buffer: int, rng: random.Random) -> Iterator[Raw]:
    """Shuffle images in a buffer, which moves each forward by less than `buffer` places."""
    held = list(islice(raws, buffer))
    for raw in raws:
        chosen = rng.randrange(len(held))
        yield held[chosen]
        held[chosen] = raw
    rng.shuffle(held)
    yield from held


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

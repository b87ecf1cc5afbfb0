"""An endless, seeded, resumable stream of batches from any source."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int, Num
from torch import Tensor

from agon.augmentation import Augmentation
from agon.data import expect
from agon.data.blocks import Mark
from agon.data.flow import Marked
from agon.data.order import generator, part
from agon.data.source import MEMORY, RealBatch, Source, Split
from agon.errors import SettingError

MOST = 2**53  # of anything that a state counts


class Stream:
    """Batches 0, 1, 2, ... of a source, for one of several processes.

    A batch is a pure function of the source, the seed, the batch size, its number and the augmentations, so the number
    of batches drawn is the whole state. W processes with streams of ranks 0..W-1 get the W contiguous parts
    of the batches that one process would get. A source that is read in order (`Images(streaming=True)`) is the
    exception: its batches are also a function of W, and its state has a mark, so that nothing is read again.

    Args:
        source: where the data come from.
        batch: samples in a draw, over all processes: a positive multiple of `world`.
        seed: seed of the order, or of endless samples; any whole number from 0.
        split: "train", "validation" or "test".
        device: device of the draws.
        memory: most bytes of decoded data to keep on the device.
        cache: folder of decoded data; by default the user's.
        rank: number of this process, from 0.
        world: number of processes.
        augment: transformations of every drawn image, one after another.

    Raises:
        SettingError: a value has the wrong type or is out of range.
        DataError: the source cannot be read.

    >>> from agon.data import Ring
    >>> stream = Stream(Ring(), batch=4, seed=0)
    >>> stream.draw().real.shape, stream.state()
    (torch.Size([4, 2]), {'drawn': 1})
    """

    def __init__(
        self,
        source: Source,
        *,
        batch: int,
        seed: int,
        split: Split = "train",
        device: torch.device | str = "cpu",
        memory: int = MEMORY,
        cache: Path | None = None,
        rank: int = 0,
        world: int = 1,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        expect.whole(self, least=1, batch=batch, world=world)
        expect.whole(self, least=0, seed=seed, rank=rank, memory=memory)
        expect.split(self, split)
        own = part(batch, rank, world)  # refuse before anything is decoded
        for augmentation in augment:
            augmentation.check(source.shape, source.range, "augment")
        self._opened = source.open(seed=seed, split=split, device=device, memory=memory, cache=cache)
        self._batch, self._rank, self._world = batch, rank, world
        self._augment, self._seed, self._own = tuple(augment), seed, own
        self._drawn, self._in_order = 0, isinstance(self._opened, Marked)

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the data; a resumed training compares it with that of its start."""
        return self._opened.fingerprint

    def draw(self) -> RealBatch:
        """This process's part of the next batch.

        Raises:
            DataError: the split has fewer samples than a batch, or reading a stream of images fails.
        """
        drawn = self._read(self._drawn)
        self._drawn += 1
        return drawn

    def advance(self) -> Callable[[], RealBatch]:
        """Move on by one batch, and return what reads it: `draw` for batches that may not be needed.

        Nothing is read before it is called, except in a source that is read in order, which cannot skip.

        Raises:
            DataError: as `draw`, at once or by the returned function.
        """
        if self.in_order:
            drawn = self.draw()
            return lambda: drawn
        self._drawn += 1
        return partial(self._read, self._drawn - 1)

    @property
    def count(self) -> int | None:
        """Number of samples; None for an endless source, or if it is unknown before reading."""
        return self._opened.count

    @property
    def labels(self) -> Int[Tensor, " n"] | None:
        """The labels of all samples, -1 without one; None without classes, or if they are unknown before reading."""
        return getattr(self._opened, "labels", None)

    def first(self, n: int) -> Num[Tensor, "n ..."]:
        """The first n samples of the order, not augmented, or all if there are fewer; does not move the stream."""
        return self._opened.draw(n if self.count is None else min(n, self.count), 0, 0, 1).real

    def state(self) -> dict[str, Any]:
        """The stream's state: the number of batches drawn, and the mark of a source that is read in order."""
        mark = self._opened.mark(*self._position) if isinstance(self._opened, Marked) else None
        return {"drawn": self._drawn} if mark is None else {"drawn": self._drawn, "mark": list(mark)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved state.

        A source that is read in order goes on at its mark. Without one it reads forward from its beginning.

        Raises:
            SettingError: `state` is not a stream's state.
        """
        drawn, mark = state.get("drawn"), state.get("mark")
        if type(drawn) is not int or not _counts(drawn) or not (mark is None or _is_mark(mark)):
            raise SettingError(f"expected a stream's state such as {{'drawn': 7}}, got {dict(state)!r:.200}")
        self._drawn = drawn
        if mark is not None and isinstance(self._opened, Marked):
            self._opened.go(*self._position, Mark(*mark))

    @property
    def in_order(self) -> bool:
        """Whether the source is read in order, so that going on needs a mark."""
        return self._in_order

    @property
    def _position(self) -> tuple[int, int, int, int]:
        return self._batch, self._drawn, self._rank, self._world

    def _read(self, number: int) -> RealBatch:
        """This process's part of a batch, augmented."""
        drawn = self._opened.draw(self._batch, number, self._rank, self._world)
        return drawn._replace(real=self._augmented(drawn.real, number)) if self._augment else drawn

    def _augmented(self, real: Num[Tensor, "n ..."], number: int) -> Num[Tensor, "n ..."]:
        rng = generator("augment", self._seed, number)
        for augmentation in self._augment:
            noise = augmentation.noise(self._batch, rng)[self._own]
            real = augmentation(real, noise.to(real))
        return real


def _counts(value: object) -> bool:
    return type(value) is int and 0 <= value < MOST


def _is_mark(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == len(Mark._fields) and all(map(_counts, value))

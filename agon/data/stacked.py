"""Stacked grey images: three images as the channels of one, with a class for each triple of classes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from agon.data import expect
from agon.data.blocks import Mark
from agon.data.flow import Marked
from agon.data.images import Images
from agon.data.order import Order, part
from agon.data.source import MEMORY, Opened, RealBatch, Source, Split
from agon.errors import DataError

DEEP = 3  # images in a stack
MOST = 100  # most classes of the grey set: they make a million triples
WORD = 7  # seed of the order in which a finite set of stacks takes its images


@dataclass(frozen=True, kw_only=True)
class Stacked(Source):
    """Stacks of three random images of a grey set, one in each channel, with the class "abc" of the three.

    With MNIST or the bundled digits it has 1,000 classes, each with the product of its digits' shares, so that
    modes can be counted. The label is (a k + b) k + c, where k is the number of classes of the grey set. Within an
    epoch of the grey set no image is used twice. If 3 does not divide the number of images, a stack across the end
    of an epoch can hold the same image twice.

    Args:
        of: a grey set with classes, which has its own range, size, splits and classes.
        stacks: None draws fresh stacks endlessly; n makes a set of n stacks, the same for every seed, shuffled in
            each epoch. The split "test" has n other stacks, made from the grey set's test split.

    Raises:
        SettingError: a value has the wrong type or is out of range.

    Source: Metz et al. 2016 and Che et al. 2016, whose stacked MNIST it is.

    >>> source = Stacked()
    >>> source.shape, len(source.classes), source.classes[123]
    ((3, 8, 8), 1000, '123')
    """

    of: Images = field(default_factory=Images)
    stacks: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.of, Images):
            raise expect.setting(self, "of", "a set of images, such as Images(path='digits')", self.of)
        if self.stacks is not None:
            expect.whole(self, stacks=self.stacks, least=1)
            if self.of.streaming:
                raise expect.setting(self, "stacks", "None where `of` is a stream", self.stacks)

    @property
    def shape(self) -> tuple[int, ...]:
        """(3, height, width).

        Raises:
            DataError: the images are not grey.
        """
        if self.known is not None:
            return self.known.shape
        channels, height, width = self.of.shape
        if channels != 1:
            raise DataError(
                f"stacks: expected grey images in {self.of.path}, got {channels} channels; set of.channels=1"
            )
        return (DEEP, height, width)

    @property
    def range(self) -> tuple[float, float]:
        """The range of the grey set."""
        return self.of.range

    @property
    def classes(self) -> Sequence[str]:
        """Names of all triples of classes in order, "000" to "999"; words are joined by a space.

        Raises:
            DataError: the set has no classes, or more than MOST.
        """
        names = self.of.classes
        if not names:
            raise DataError(
                f"stacks: expected classes in {self.of.path}, got none; take a labelled set, such as digits"
            )
        if len(names) > MOST:
            raise DataError(
                f"stacks: expected at most {MOST} classes in {self.of.path}, got {len(names):,}; take another set"
            )
        between = "" if max(map(len, names)) == 1 else " "
        return tuple(between.join(triple) for triple in product(names, repeat=DEEP))

    def count(self, split: Split = "train") -> int | None:
        """`stacks`: None for an endless source."""
        return self.stacks

    def check(self) -> str:
        """Check the grey set."""
        return self.of.check()

    def remarks(self) -> dict[str, str]:
        """Remarks on the grey set, without those on its splits."""
        return {key: remark for key, remark in self.of.remarks().items() if key in ("unreadable", "left out")}

    def open(
        self,
        *,
        seed: int,
        split: Split = "train",
        device: torch.device | str = "cpu",
        memory: int = MEMORY,
        cache: Path | None = None,
    ) -> Opened:
        """Open the grey set from which stacks are drawn; only it takes memory.

        Raises:
            DataError: the images are not grey, have no classes, or cannot be read.
        """
        _ = self.shape, self.classes  # they raise an error for a set without grey images or classes
        grey_seed = seed if self.stacks is None else WORD
        grey = self.of.open(seed=grey_seed, split=split, device=device, memory=memory, cache=cache)
        k = len(self.of.classes)
        if isinstance(grey, Marked):
            return StreamedStacks(grey, k)
        return EndlessStacks(grey, k) if self.stacks is None else Chosen(grey, k, self.stacks, seed)


class EndlessStacks:
    """Endless stacks: batch k of B stacks is batch k of 3B grey images, in which each triple makes one stack.

    If the grey set is too small for such a batch, it is drawn in smaller ones, at the same places of its order.
    """

    def __init__(self, grey: Opened, classes: int) -> None:
        self.fingerprint = hashlib.sha256(f"stacks of {grey.fingerprint}".encode()).hexdigest()
        self.count: int | None = None
        self._grey, self._classes = grey, classes

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` parts of batch number `index`.

        Raises:
            DataError: the grey set has fewer than three images.
            SettingError: the batch does not divide into `world` parts.
        """
        share, count = part(batch, rank, world), self._grey.count
        if count is None or DEEP * batch <= count:
            return stacked(self._grey.draw(DEEP * batch, index, rank, world), self._classes)
        number, first = share.stop - share.start, index * batch + share.start
        size = max([k for k in range(1, count // DEEP + 1) if number % k == 0], default=1)
        parts = [self._grey.draw(DEEP * size, first // size + k, 0, 1) for k in range(number // size)]
        return stacked(_together(parts), self._classes)


class StreamedStacks(EndlessStacks):
    """Endless stacks of a grey set that is read in order: its marks are the grey set's."""

    def mark(self, batch: int, index: int, rank: int, world: int) -> Mark | None:
        """Where batch number `index` begins; None if the batch before it was not drawn."""
        assert isinstance(self._grey, Marked)
        return self._grey.mark(DEEP * batch, index, rank, world)

    def go(self, batch: int, index: int, rank: int, world: int, mark: Mark) -> None:
        """Let batch number `index` begin at a mark."""
        assert isinstance(self._grey, Marked)
        self._grey.go(DEEP * batch, index, rank, world, mark)


class Chosen:
    """A set of n stacks, drawn in a seed's order; stack j is triple j of the grey set's order."""

    def __init__(self, grey: Opened, classes: int, number: int, seed: int) -> None:
        self.fingerprint = hashlib.sha256(f"{number} stacks of {grey.fingerprint}".encode()).hexdigest()
        self.count: int | None = number
        self._grey, self._classes, self._order = grey, classes, Order(number, seed)

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` parts of batch number `index`.

        Raises:
            DataError: there are fewer stacks than one batch.
            SettingError: the batch does not divide into `world` parts.
        """
        rows, order = self._order(batch, index)[part(batch, rank, world)].sort()  # the grey set's epochs one by one
        stacks = stacked(_together([self._grey.draw(DEEP, row, 0, 1) for row in rows.tolist()]), self._classes)
        back = order.argsort().to(stacks.real.device)
        return RealBatch(stacks.real[back], None if stacks.label is None else stacks.label[back])


def _together(batches: Sequence[RealBatch]) -> RealBatch:
    """Concatenate several draws."""
    labels = [batch.label for batch in batches if batch.label is not None]
    return RealBatch(torch.cat([batch.real for batch in batches]), torch.cat(labels) if labels else None)


def stacked(grey: RealBatch, classes: int) -> RealBatch:
    """Stack each three consecutive images as channels; a stack with an unlabelled image gets the label -1."""
    real = grey.real.reshape(-1, DEEP, *grey.real.shape[2:])  # 3n 1 h w -> n 3 h w
    return RealBatch(real, None if grey.label is None else _label(grey.label, classes))


def _label(labels: Int[Tensor, " m"], classes: int) -> Int[Tensor, " n"]:
    triples = labels.reshape(-1, DEEP)  # n 3
    radix = torch.tensor([classes**2, classes, 1], device=triples.device)
    return torch.where((triples < 0).any(1), -1, (triples * radix).sum(1))

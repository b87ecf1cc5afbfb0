"""The interface of sources of real data x: frozen descriptions that can be stored and opened."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Num, Shaped, UInt8
from torch import Tensor

from agon.figures.pictures import to_uint8

Split = Literal["train", "validation", "test"]
MEMORY = 4 * 2**30  # most bytes of decoded data to keep on the device: 4 GiB


class RealBatch(NamedTuple):
    """One draw from a source, before the game adds latents and noise.

    Attributes:
        real: "n *shape", float32, in the source's range (points have none).
        label: "n" int64 class numbers, or None if the source has no classes.
    """

    real: Num[Tensor, "n ..."]
    label: Int[Tensor, " n"] | None


@runtime_checkable
class Opened(Protocol):
    """A source that is ready to be drawn from, by a `Stream`."""

    fingerprint: str  # hex SHA-256 of the content (or of the description, for endless sources)
    count: int | None  # number of samples; None for an endless source, or if it is unknown before reading

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` equal parts of batch number `index` of `batch` samples.

        A pure function of (seed given to `Source.open`, batch, index), so any draw can be repeated.
        """
        ...


class Known(NamedTuple):
    """Facts about a source that a run has recorded, so that making samples needs no data.

    Attributes:
        shape: shape of one sample.
        classes: names of the classes.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """Where real data come from: a typed description, cheap to make, equal if its fields are."""

    known: ClassVar[Known | None] = None  # facts that then need not be read

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (channels, height, width) for images, (d,) for points."""

    @property
    @abstractmethod
    def range(self) -> tuple[float, float] | None:
        """Least and greatest value that a sample can have, or None if it has no bounds."""

    @abstractmethod
    def count(self, split: Split = "train") -> int | None:
        """Number of samples in the split; None for an endless source."""

    @property
    def held_out(self) -> Split:
        """The split that the training has not seen: "validation", a random part of the set, or else "test"."""
        return "validation" if getattr(self, "validation", 0.0) else "test"

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes, in the order of their labels; empty without classes."""
        return ()

    def knowing(self, known: Known) -> "Source":
        """An equal source that takes these facts from `known` instead of reading data."""
        copied = copy.copy(self)
        object.__setattr__(copied, "known", known)
        return copied

    def settled(self) -> "Source":
        """The same source with everything stated that it would take from the data, as a run writes it."""
        return self

    def scaled(self, stored: Shaped[Tensor, "n ..."]) -> Shaped[Tensor, "n ..."]:
        """Samples as they are drawn, from samples in the units of the stored data; `restored` is the inverse."""
        return stored

    def restored(self, samples: Shaped[Tensor, "n ..."]) -> Shaped[Tensor, "n ..."]:
        """Samples in the units of the stored data; images stay as they are drawn, in `range`."""
        return samples

    def remarks(self) -> dict[str, str]:
        """Remarks beside count, shape and classes, such as what was left out, or why there are no classes.

        Returns:
            "train", "test", "classes" or "left out" -> a phrase that is safe to print.
        """
        return {}

    def check(self) -> str:
        """Read every sample, and say how many can be read.

        Raises:
            DataError: some samples cannot be read.
        """
        return "nothing to check: the samples are made, not read"

    @abstractmethod
    def open(
        self,
        *,
        seed: int,
        split: Split = "train",
        device: torch.device | str = "cpu",
        memory: int = MEMORY,
        cache: Path | None = None,
    ) -> Opened:
        """Make the source ready to be drawn from under one seed.

        Args:
            seed: seed of the order (finite sources) or of the samples themselves (endless ones).
            split: "train", "validation" or "test".
            device: device of the draws.
            memory: bytes; smaller decoded data are kept on the device as one tensor.
            cache: folder of decoded memory-maps; by default the user's cache folder.
        """

    def take(self, n: int, *, seed: int = 0, split: Split = "train") -> RealBatch:
        """The first n samples under a seed, for an inspection, a metric or an example."""
        return self.open(seed=seed, split=split).draw(n, 0, 0, 1)


def as_bytes(samples: Float[Tensor, "n c h w"], source: Source) -> UInt8[Tensor, "n c h w"]:
    """Convert images in a source's range to bytes; values beyond the range are clamped."""
    low, high = source.range or (-1.0, 1.0)
    return to_uint8(samples, low, high)

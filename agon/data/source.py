"""What every source of real data x is: a frozen description that can be written down and opened."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Num, UInt8
from torch import Tensor

from agon.figures.pictures import to_uint8

Split = Literal["train", "test"]
MEMORY = 4 * 2**30  # bytes of decoded data that may stand on the device: 4 GiB


class RealBatch(NamedTuple):
    """One draw from a source, before the game adds latents and noise.

    Attributes:
        real: "n *shape", float32, in the source's range (points: as they are).
        label: "n" int64 class numbers, or None where the source has no classes.
    """

    real: Num[Tensor, "n ..."]
    label: Int[Tensor, " n"] | None


@runtime_checkable
class Opened(Protocol):
    """A source that is ready to be drawn from: what `stream.Stream` reads."""

    fingerprint: str  # hex SHA-256 of the content (or of the description, for endless sources)
    count: int | None  # samples; None where that is endless, or not known before they are read

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` equal parts of batch number `index` of `batch` samples.

        A pure function of (seed given to `Source.open`, batch, index): any draw can be made again.
        """
        ...


class Known(NamedTuple):
    """What a run has noted of its source, so that its samples need no data.

    Attributes:
        shape: of one sample.
        classes: their names.
    """

    shape: tuple[int, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """Where real data come from: a typed description, cheap to make, equal when its fields are."""

    known: ClassVar[Known | None] = None  # in the place of what would have to be read

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (channels, height, width) for images, (d,) for points."""

    @property
    @abstractmethod
    def range(self) -> tuple[float, float] | None:
        """Least and greatest value a sample can have, or None where it has no bounds."""

    @abstractmethod
    def count(self, split: Split = "train") -> int | None:
        """How many samples the split has; None for an endless source."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes, in the order of their labels; empty where there are none."""
        return ()

    def knowing(self, known: Known) -> "Source":
        """An equal source that is not read for what is known of it."""
        copied = copy.copy(self)
        object.__setattr__(copied, "known", known)
        return copied

    def remarks(self) -> dict[str, str]:
        """What a reader should know beside count, shape and classes: what was left out, why there are no classes.

        Returns:
            "train", "test", "classes" or "left out" -> a phrase, safe to print.
        """
        return {}

    def check(self) -> str:
        """Read every sample, and say how many can be read.

        Raises:
            DataError: some cannot.
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
            seed: fixes the order (finite sources) or the samples themselves (endless ones).
            split: which part of the data.
            device: where the draws shall lie.
            memory: bytes; decoded data within it are kept on the device as one tensor.
            cache: folder of decoded memory-maps; by default the user's cache folder.
        """

    def take(self, n: int, *, seed: int = 0, split: Split = "train") -> RealBatch:
        """The first n samples under a seed: for a look, a metric or an example."""
        return self.open(seed=seed, split=split).draw(n, 0, 0, 1)


def as_bytes(samples: Float[Tensor, "n c h w"], source: Source) -> UInt8[Tensor, "n c h w"]:
    """Images in a source's range as the bytes that a file holds; what lies beyond the range is clamped."""
    low, high = source.range or (-1.0, 1.0)
    return to_uint8(samples, low, high)

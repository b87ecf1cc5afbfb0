"""A split of the data that a run was trained on, where they are at hand; nothing is downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Int
from torch import Tensor

from agon.data import Images, Numeric, Source
from agon.data.source import Opened, RealBatch, Split
from agon.errors import AgonError
from agon.places import HUB
from agon.terminal.waiting import stage

ROOM = 2 * 2**30  # most bytes of decoded data that are opened


@dataclass(frozen=True)
class RealData:
    """One split, opened.

    Attributes:
        opened: the split, in an order of its own.
        count: number of its samples.
    """

    opened: Opened
    count: int

    def first(self, n: int) -> RealBatch:
        """At most n samples of the split at random, always the same, in the source's range."""
        return self.opened.draw(min(n, self.count), 0, 0, 1)

    @property
    def labels(self) -> Int[Tensor, " n"] | None:
        """The labels of all samples of the split, -1 without one; None without classes."""
        return getattr(self.opened, "labels", None)


def real_data(source: Source, split: Split, recorded: Mapping[str, Any]) -> RealData | str:
    """Open a split, or say why it cannot be.

    Args:
        source: the run's.
        split: "train", "validation" or "test".
        recorded: the content of the run's arithmetic.json, which has the checksum of the training split as "data".
    """
    if str(getattr(source, "path", "")).startswith(HUB):
        return "its data are on the Hub, and a diagnosis downloads nothing"
    try:
        if split == "train" and (reason := _too_large(source)):
            return reason
        with stage(f"opening {getattr(source, 'path', 'the data')}"):
            opened = source.open(seed=0, split=split)
        if split == "train" and recorded.get("data") not in (None, opened.fingerprint):
            return "the data are not those that the run was begun with"
        return RealData(opened, opened.count) if opened.count else "its data are endless"
    except AgonError as error:
        return error.typed


def held_out_at_random(source: Source) -> bool:
    """Whether the held-out samples are a random part of the same set, and not a test set of another origin."""
    if source.held_out == "validation":
        return True
    if not isinstance(source, Images | Numeric) or not source.holdout:
        return False
    return not replace(source, holdout=0.0).count("test")  # without a share of its own, only a stored split is left


def _too_large(source: Source) -> str:
    """Why data are not opened; "" if they can be."""
    count = source.count()
    if count is None:
        return "its data are endless"
    size = count
    for side in source.shape:
        size *= side
    if size > ROOM:
        return f"its data take {size / 2**30:.1f} GiB, more than the {ROOM / 2**30:.0f} GiB that a diagnosis opens"
    return ""

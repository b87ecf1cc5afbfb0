"""Which of the stored images belong to a split: one class only, and a held-out share where none is stored."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from agon.data.order import generator
from agon.data.rows import Raw
from agon.data.source import Split
from agon.errors import DataError, unknown


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Who belongs to a split.

    Args:
        split: the split asked for.
        share: held out of the stored images as "test"; None where the set has a test split of its own.
        only: number of the one class that is kept, or None for all.
    """

    split: Split
    share: float | None
    only: int | None

    def members(self, n: int, labels: Int[np.ndarray, " n"] | None) -> Int[Tensor, " m"]:
        """Places of the members among n images, ascending.

        The held-out places are drawn once for every n, before a class is chosen: they are the same
        under every seed, size and class.
        """
        chosen = torch.ones(n, dtype=torch.bool)
        if self.share is not None:
            held = torch.zeros(n, dtype=torch.bool)
            held[torch.randperm(n, generator=generator("held out"))[: self._held(n)]] = True
            chosen = held if self.split == "test" else ~held
        if self.only is not None and labels is not None:
            chosen &= torch.from_numpy(labels) == self.only
        return chosen.nonzero().flatten()

    def keeps(self, raw: Raw) -> bool:
        """Whether one image of a stream, whose place is not known, belongs.

        The share is cut by a hash of the image (of the name, for a file), so it is held in expectation,
        and copies of an image are never on both sides.
        """
        if self.only is not None and raw.label != self.only:
            return False
        if self.share is None:
            return True
        content = raw.content.name.encode() if isinstance(raw.content, Path) else bytes(raw.content)
        place = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") / 2**64
        return (place < self.share) == (self.split == "test")

    def _held(self, n: int) -> int:
        if not self.share:
            return 0
        return min(n - 1, max(1, round(n * self.share)))


def class_number(only: int | str | None, classes: Sequence[str], path: str) -> int | None:
    """The label of the class that a user names.

    Raises:
        DataError: the set has no classes, or none of that name or number.
    """
    if only is None:
        return None
    if not classes:
        raise DataError(f"expected classes in {path} because of only={only!r}, got none; leave `only` out")
    if isinstance(only, int) and not 0 <= only < len(classes):
        raise DataError(f"expected a class from 0 to {len(classes) - 1} of {path}, got only={only}")
    if isinstance(only, str) and only not in classes:
        raise DataError(unknown("class", only, classes) + f" (in {path})")
    return only if isinstance(only, int) else list(classes).index(only)

"""Which stored images belong to a split: shares held out for testing and validation, and one class only."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from agon.data.decode import stored
from agon.data.order import generator
from agon.data.rows import Raw
from agon.data.source import Split
from agon.errors import DataError
from agon.untrusted import listed, printable, shortened


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Which images belong to a split.

    Args:
        split: the split.
        share: share of the stored images held out as "test"; None if the set has its own test split.
        only: number of the one class to keep, or None for all.
        validation: share of the training images that are "validation" in their place.
    """

    split: Split
    share: float | None
    only: int | None
    validation: float = field(default=0.0, repr=False)

    def members(self, n: int, labels: Int[np.ndarray, " n"] | None) -> Int[Tensor, " m"]:
        """Indices of the members among n images, ascending.

        The held-out indices depend on n alone: they are the same for every seed, size and class.
        """
        chosen = torch.ones(n, dtype=torch.bool)
        if self.share is not None:
            held = _at_random(n, _held(n, self.share), "held out")
            chosen = held if self.split == "test" else ~held
        if self.split != "test":
            chosen = self._parted(chosen)
        if self.only is not None:
            chosen &= torch.zeros(n, dtype=torch.bool) if labels is None else torch.from_numpy(labels) == self.only
        return chosen.nonzero().flatten()

    def keeps(self, raw: Raw) -> bool:
        """Whether an image of a stream, whose index is not known, belongs.

        A hash of the image (or of a file's name) decides, so the share holds in expectation, and copies of
        an image never end up in both splits.
        """
        if self.only is not None and raw.label != self.only:
            return False
        if self.share is None and self.split == "test":
            return True
        content = os.fsencode(raw.content.name) if isinstance(raw.content, Path) else stored(raw.content)
        digest = hashlib.sha256(content).digest()
        tested = _fraction(digest[:8]) < (self.share or 0.0)
        validated = not tested and _fraction(digest[8:16]) < self.validation
        return {"train": not (tested or validated), "validation": validated, "test": tested}[self.split]

    def _parted(self, chosen: Bool[Tensor, " n"]) -> Bool[Tensor, " n"]:
        """Of the images that are not held out for testing, those for validation, or the others."""
        count = int(chosen.sum())
        parted = chosen.clone()
        validation = _at_random(count, _held(count, self.validation), "validation")
        parted[chosen] = validation if self.split == "validation" else ~validation
        return parted


def _at_random(n: int, count: int, name: str) -> Bool[Tensor, " n"]:
    """`count` of n, always the same."""
    held = torch.zeros(n, dtype=torch.bool)
    held[torch.randperm(n, generator=generator(name))[:count]] = True
    return held


def _held(n: int, share: float) -> int:
    return min(n - 1, max(1, round(n * share))) if share else 0


def _fraction(digest: bytes) -> float:
    return int.from_bytes(digest, "big") / 2**64


def class_number(only: int | str | None, classes: Sequence[str], path: str, reason: str = "") -> int | None:
    """The label of the class that a user gives by its name or its number.

    >>> class_number(2, ("1", "2", "3"), ""), class_number(2, ("ant", "bee", "cow"), "")
    (1, 2)

    Raises:
        DataError: the set has no classes, or no class of that name or number.
    """
    if only is None:
        return None
    if not classes:
        why = f"none ({reason})" if reason else "none"
        raise DataError(f"expected classes in {path} because of only={only!r}, got {why}; leave `only` out")
    name = printable(str(only))
    if name in classes:
        return list(classes).index(name)
    if isinstance(only, str):
        near = get_close_matches(name, classes, n=1, cutoff=0.5)
        advice = f"did you mean '{shortened(near[0])}'?" if near else f"there are: {listed(classes)}"
        raise DataError(f"there is no class '{shortened(name)}'; {advice} (in {path})")
    padded = [
        i for i, label in enumerate(classes) if label.isascii() and label.isdigit() and label.lstrip("0") == str(only)
    ]
    if padded:
        return padded[0]
    if not 0 <= only < len(classes):
        raise DataError(f"expected a class from 0 to {len(classes) - 1} of {path}, got only={only}")
    return only

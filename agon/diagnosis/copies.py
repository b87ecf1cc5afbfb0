"""Copies in the data: constant images, the same image many times, and held-out images that are in the training split.

**Statistic.** Of up to `EXACT` images of a split, those that are, byte for byte, an earlier one; and of up to `NEAR` of
them, those of almost the same picture by `agon.data.copies`, which `agon data` uses. Of a part of a larger set, a copy
is only seen if both are in it: the share is divided by the part's. And the share of images whose pixels differ by less
than `LEVEL` = 1 of 255 (standard deviation).

**Normal.** None among the bundled digits, none among 4,000 of MNIST.

**Thresholds.** `COPIES` = 5 % of the images, at least `SEEN` = 5 of those looked at, are copies, or in the training
split as well; `CONSTANT` = 2 % are of one colour.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agon.data import Images, Source
from agon.data import copies as search
from agon.data.glance import thumbnail
from agon.data.source import as_bytes
from agon.diagnosis.finding import Examination, Finding, Remedy, Severity, unseen
from agon.diagnosis.real_data import RealData
from agon.diagnosis.view import RunView

EXACT, NEAR, ROOM = 20_000, 1_500, 2**24  # images, images, and most numbers of the former
COPIES, SEEN = 0.05, 5
CONSTANT, LEVEL = 0.02, 1.0
HELD = 500  # held-out images that are sought in the training split
NAME = Remedy("agon data names them; leave all but one of each out of the folder", "", "")
BLANK = Remedy("look at them, and leave them out: a generator learns to make them too", "", "")
SPLIT = Remedy("hold out images that the training has not", "", "agon data names the copies")


class Copies(NamedTuple):
    """Shares of copies, and how many were seen.

    Attributes:
        share: estimated share of the images that are copies.
        seen: number of copies among those looked at.
    """

    share: float
    seen: int


@dataclass(frozen=True)
class Part:
    """Images at random of a split, that show something.

    Attributes:
        images: bytes "n c h w".
        thumbnails: "m d" of the first of them.
        count: number of images of the split.
    """

    images: np.ndarray
    thumbnails: np.ndarray
    count: int

    @classmethod
    def of(cls, images: np.ndarray, count: int) -> "Part":
        """Make the thumbnails."""
        return cls(images, thumbnails(images[:NEAR]), count)


def examine(view: RunView) -> Examination:
    """Look at the data for what is there twice, or shows nothing."""
    train = view.trained_on
    if isinstance(train, str):
        return unseen(train)
    if not isinstance(view.data, Images):
        return unseen("it needs images")
    images = pixels(train, EXACT, view.data)
    blank = images.reshape(len(images), -1).std(axis=1) < LEVEL
    whole = Part.of(images[~blank], train.count)
    twice = most(exact(whole), near(whole))
    evidence = {"images": float(train.count), "constant": float(blank.mean()), "copies": twice.share}
    findings = []
    if evidence["constant"] > CONSTANT:
        sentence = f"{evidence['constant']:.0%} of the training images have one colour and show nothing"
        findings.append(_finding("constant-images", "serious", sentence, evidence, BLANK))
    if twice.share > COPIES and twice.seen >= SEEN:
        sentence = f"about {twice.share:.0%} of the training images are copies of others, or nearly so"
        findings.append(_finding("duplicate-images", "notice", sentence, evidence, NAME))
    held = view.held_out
    if isinstance(held, str):
        return Examination(findings=tuple(findings), evidence=evidence, unseen=f"the held-out images: {held}")
    leaked = shared(whole, pixels(held, HELD, view.data))
    evidence["held-out copies"] = leaked.share
    if leaked.share > COPIES and leaked.seen >= SEEN:
        sentence = f"about {leaked.share:.0%} of the held-out images are among the training images"
        sentence += ", so that no score on held-out images can be trusted"
        findings.append(_finding("leaked-test-images", "notice", sentence, evidence, SPLIT))
    return Examination(findings=tuple(findings), evidence=evidence)


def pixels(data: RealData, n: int, source: Source) -> np.ndarray:
    """At most n images of a split as bytes, "n c h w", as many as fit into `ROOM`."""
    size = data.first(1).real.numel()
    return as_bytes(data.first(max(2, min(n, ROOM // size))).real.cpu(), source).numpy()


def exact(part: Part) -> Copies:
    """Images that are, byte for byte, an earlier one."""
    n = len(part.images)
    return _scaled(n - len(set(_digests(part.images))), n, n, part.count)


def near(part: Part) -> Copies:
    """Images of almost the same picture as an earlier one."""
    n = len(part.thumbnails)
    groups = search.groups(search.near(part.thumbnails), n) if n > 1 else []
    return _scaled(sum(map(len, groups)) - len(groups), n, n, part.count)


def shared(part: Part, held: np.ndarray) -> Copies:
    """Held-out images "n c h w" that are, byte for byte, or nearly so, among the training images."""
    held = held[held.reshape(len(held), -1).std(axis=1) >= LEVEL]
    if not len(held) or not len(part.images):
        return Copies(0.0, 0)
    known = set(_digests(part.images))
    seen = sum(digest in known for digest in _digests(held))
    same = _scaled(seen, len(held), len(part.images), part.count)
    few = len(part.thumbnails)
    pairs = search.near(np.concatenate([part.thumbnails, thumbnails(held)]))
    across = {j for i, j in pairs.tolist() if i < few <= j}
    return most(same, _scaled(len(across), len(held), few, part.count))


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Small grey copies, "n d", of images "n c h w"."""
    area = int(np.prod(images.shape[2:]))
    small = [thumbnail(np.ascontiguousarray(image.transpose(1, 2, 0)), most=area) for image in images]
    return np.stack(small) if small else np.empty((0, 1), dtype=np.float32)


def most(first: Copies, second: Copies) -> Copies:
    """The larger share of two."""
    return max(first, second)


def _scaled(seen: int, n: int, part: int, count: int) -> Copies:
    """The share of n images that `seen` copies are, if only a part of `count` images was searched."""
    return Copies(min(1.0, seen / max(n, 1) * count / max(part, 1)), seen)


def _digests(images: np.ndarray) -> list[bytes]:
    return [hashlib.sha256(image.tobytes()).digest() for image in images]


def _finding(name: str, severity: Severity, sentence: str, evidence: dict[str, float], remedy: Remedy) -> Finding:
    return Finding(
        sickness=name,
        severity=severity,
        since_step=0,
        evidence=dict(evidence),
        sentence=sentence,
        remedies=(remedy,),
    )

"""Copies in the data: constant images, the same image many times, and held-out images that are in the training split.

**Statistic.** Of up to `EXACT` images of a split, those that are, byte for byte, an earlier one; and of up to `NEAR` of
them, those of almost the same picture by `agon.data.copies`, which `agon data` uses. Of a part of a larger set, a pair
is only seen if both are in it, so each that is seen counts for as many as the part is smaller; of many copies of one
image the part has its part. And the share of images whose pixels differ by less
than `LEVEL` = 1 of 255 (standard deviation).

**Normal.** None among the bundled digits, none among 4,000 of MNIST.

**Thresholds.** `COPIES` = 5 % of the images, at least `SEEN` = 5 of those looked at, are copies, or in the training
split as well; `CONSTANT` = 2 % are of one colour.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
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
    return _of_groups(search.exact(_digests(part.images)), len(part.images), part.count)


def near(part: Part) -> Copies:
    """Images of almost the same picture as an earlier one."""
    n = len(part.thumbnails)
    groups = search.groups(search.near(part.thumbnails), n) if n > 1 else []
    return _of_groups(groups, n, part.count)


def shared(part: Part, held: np.ndarray) -> Copies:
    """Held-out images "n c h w" that are, byte for byte, or nearly so, among the training images."""
    held = held[held.reshape(len(held), -1).std(axis=1) >= LEVEL]
    if not len(held) or not len(part.images):
        return Copies(0.0, 0)
    known, few = Counter(_digests(part.images)), len(part.thumbnails)
    same = [known[digest] for digest in _digests(held) if digest in known]
    pairs = search.near(np.concatenate([part.thumbnails, thumbnails(held)]))
    groups = [np.array(group) for group in search.groups(pairs, few + len(held))]
    near_ones = [int((group < few).sum()) for group in groups for _ in group[group >= few] if group[0] < few]
    return most(
        _of_held(same, len(held), len(part.images) / part.count), _of_held(near_ones, len(held), few / part.count)
    )


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Small grey copies, "n d", of images "n c h w"."""
    area = int(np.prod(images.shape[2:]))
    small = [thumbnail(np.ascontiguousarray(image.transpose(1, 2, 0)), most=area) for image in images]
    return np.stack(small) if small else np.empty((0, 1), dtype=np.float32)


def most(first: Copies, second: Copies) -> Copies:
    """The larger share of two."""
    return max(first, second)


def _of_groups(groups: Sequence[Sequence[int]], n: int, count: int) -> Copies:
    """The share of copies by the groups of one image each among n of `count`.

    Both of a pair are among them in (n / count)² of cases, so that one stands for others; of many copies n / count are.
    """
    part = n / max(count, 1)
    copies = sum(1 / part if len(group) == 2 else len(group) - part for group in groups)
    return Copies(min(1.0, copies / max(n, 1)), sum(len(group) - 1 for group in groups))


def _of_held(twins: Sequence[int], n: int, part: float) -> Copies:
    """The share of n held-out images that are in a split, by how many twins each that has some has in a part of it."""
    return Copies(min(1.0, sum(1 / part if number == 1 else 1.0 for number in twins) / n), len(twins))


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

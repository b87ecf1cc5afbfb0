"""Look at the images of a set before a training does: their sizes, copies, broken files, and what decoding takes."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np

from agon.cores import cores
from agon.data import copies
from agon.data.decode import stored
from agon.data.decoding import CHUNK, SKIPPED, attempt, complaint, named, reason_of
from agon.data.glance import Header, header, thumbnail
from agon.data.images import Images
from agon.data.rows import ImageRows, Raw, Unreadable
from agon.data.settling import headers, spread
from agon.errors import DataError
from agon.terminal.counting import Counting

MOST, ALL = 5_000, 50_000  # images to look at, by default and with everything=True
WORK = 3 * 10**9  # most pixels of the files to look at by default, about half a minute
FEW = 64  # whose sizes are read first
TIMED = 16  # images whose decoding is timed


class Glance(NamedTuple):
    """One stored image, looked at.

    Attributes:
        place: where it is stored.
        header: its size, colours and format.
        digest: of its stored bytes.
        thumbnail: SIDE·SIDE grey values.
    """

    place: str
    header: Header
    digest: bytes
    thumbnail: np.ndarray


@dataclass
class Inspection:
    """What was found in a set of images.

    Attributes:
        total: images of the set.
        headers: sizes and formats of the readable images that were looked at.
        broken: those that cannot be read.
        exact: groups of places with the same bytes.
        near: groups of places of almost the same picture, and not the same bytes.
        seconds: to decode one image for training on one core.
    """

    total: int
    headers: list[Header] = field(default_factory=list)
    broken: list[Unreadable] = field(default_factory=list)
    exact: list[list[str]] = field(default_factory=list)
    near: list[list[str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def seen(self) -> int:
        """How many images were looked at."""
        return len(self.headers) + len(self.broken)

    @property
    def formats(self) -> list[tuple[str, int]]:
        """Each format with its number of images, the most frequent first."""
        return Counter(seen.kind for seen in self.headers).most_common()

    def verdict(self, skip_corrupt: bool) -> str:
        """Whether all images can be read, or which are left out.

        Raises:
            DataError: some cannot be read, and are not left out.
        """
        if not self.broken:
            return f"all {self.seen:,} images can be read"
        if not skip_corrupt:
            raise DataError(complaint(self.broken, of=self.seen), SKIPPED)
        return f"left out, as they cannot be read, {len(self.broken):,} of {self.seen:,} images: {named(self.broken)}"


def inspect(source: Images, *, everything: bool = False) -> Inspection:
    """Look at the images of all splits; says on standard error how far it is if it takes more than a few seconds.

    Args:
        source: the set, with a size if the images need one.
        everything: look at every image, and decode it as for training; copies are sought among the first ALL. By
            default at most MOST images of together WORK pixels, spread evenly over the set.

    Raises:
        DataError: there are no images at the source's path.
    """
    splits = source.rows()
    found = Inspection(sum(map(len, splits.values())))
    most = found.total if everything else _affordable(splits["train"], found.total)
    counting = Counting(f"looking at the images of {source.path}", most)
    glances: list[Glance] = []
    waiting = _chosen(splits.values(), most / max(found.total, 1))
    while raws := list(islice(waiting, CHUNK)):
        results = _looked_at(raws, source, everything)
        found.broken += [result for result in results if isinstance(result, Unreadable)]
        good = [result for result in results if isinstance(result, Glance)]
        found.headers += [glance.header for glance in good]
        glances += good[: ALL - len(glances)]
        counting.update(found.seen)
        found.seconds = found.seconds or _seconds(raws, source)
    found.exact, found.near = _copies(glances)
    return found


def _affordable(rows: ImageRows, total: int) -> int:
    """How many images to look at by default, judging by the sizes of a few."""
    few = headers(rows, FEW)
    mean = sum(seen.height * seen.width for seen in few) / max(len(few), 1)
    return min(total, MOST, max(FEW, int(WORK / max(mean, 1))))


def _chosen(splits: Iterable[ImageRows], share: float) -> Iterator[Raw]:
    """The same share of each split, spread evenly over it."""
    for rows in splits:
        most = max(1, round(len(rows) * share))
        yield from islice(spread(rows, most), most)


def _looked_at(raws: Sequence[Raw], source: Images, everything: bool) -> list[Glance | Unreadable]:
    def look(raw: Raw) -> Glance | Unreadable:
        return _glance(raw, source, everything)

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(look, raws))


def _glance(raw: Raw, source: Images, everything: bool) -> Glance | Unreadable:
    if everything:
        image = _decoded(raw, source)
        if isinstance(image, Unreadable):
            return image
    try:
        small = thumbnail(raw.content, most=source.most_pixels, values=source.values)
        return Glance(raw.place, header(raw.content), hashlib.sha256(stored(raw.content)).digest(), small)
    except Exception as fault:  # on damaged bytes, decoders raise exceptions of any type
        return Unreadable(raw.place, reason_of(fault))


def _decoded(raw: Raw, source: Images) -> np.ndarray | Unreadable:
    return attempt(raw, size=source.pixels, channels=source.channels, most=source.most_pixels, values=source.values)


def _seconds(raws: Sequence[Raw], source: Images) -> float:
    began = time.thread_time()  # other processes do not count
    for raw in raws[:TIMED]:
        _decoded(raw, source)
    return (time.thread_time() - began) / len(raws[:TIMED])


def _copies(glances: Sequence[Glance]) -> tuple[list[list[str]], list[list[str]]]:
    """Groups of exact copies, and groups of near copies among images of different bytes."""
    exact = copies.exact([glance.digest for glance in glances])
    again = {index for group in exact for index in group[1:]}
    others = [glance for index, glance in enumerate(glances) if index not in again]
    near: list[list[int]] = []
    if others:
        pairs = copies.near(np.stack([glance.thumbnail for glance in others]))
        near = copies.groups(pairs, len(others))
    return list(_places(exact, glances)), list(_places(near, others))


def _places(groups: Sequence[Sequence[int]], glances: Sequence[Glance]) -> Iterator[list[str]]:
    yield from ([glances[index].place for index in group] for group in groups)

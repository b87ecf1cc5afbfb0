"""Propose the size and the channels of a set of images that do not share them, or that are too large to train on."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from agon.data.arrays import Arrays
from agon.data.glance import Header, header
from agon.data.images import Images
from agon.data.rows import ImageRows, Raw
from agon.data.source import Source
from agon.untrusted import listed

SEEN = 20_000  # most images whose size is read, spread evenly over a larger set
STREAMED = 256  # and of a stream
SIDES = (64, 48, 32, 24, 16, 8)  # proposed sides, the largest first
LARGE = 128  # side in pixels from which on images of one size are reduced, too
NAMED = 3  # coloured images among grey ones that are named
ENLARGED = 0.1  # largest share of the images that the proposed size may enlarge


class Settled(NamedTuple):
    """A source that all its images fit, and why it is not the one that was given.

    Attributes:
        source: the source, with a size and channels.
        reasons: a sentence for each setting that was chosen.
    """

    source: Source
    reasons: tuple[str, ...]


def settle(source: Source) -> Settled:
    """Choose `size` and `channels` of a set of images, where they are None and the images need them.

    Images of varied sizes get the largest of SIDES that at most one image in ten is enlarged to; so do those that
    share a size with a side of more than LARGE pixels. Grey images among coloured ones become coloured. Any
    other source, and one with all settings, is returned as it is.

    Raises:
        DataError: there are no images at the source's path.

    >>> settle(Images(path="digits")).reasons
    ()
    """
    if not isinstance(source, Images) or (source.size is not None and source.channels is not None):
        return Settled(source, ())
    rows = source.rows()["train"]
    places = _placed(rows, STREAMED if source.streaming else SEEN)
    found = [seen for _, seen in places if seen is not None]
    chosen: dict[str, Any] = {}
    reasons = []
    if source.size is None and (reason := _reason_for_size(found)):
        chosen["size"] = side_for(found)
        reasons.append(f"size {chosen['size']}: {reason}; --size N chooses another")
    if source.channels is None and (reason := _reason_for_channels(places, len(rows))):
        if found[0].channels == 1:  # else the first image says so
            chosen["channels"] = 3
        reasons.append(f"channels 3: {reason}; --set data.channels=1 makes all grey")
    return Settled(replace(source, **chosen) if chosen else source, tuple(reasons))


def headers(rows: ImageRows, most: int = SEEN) -> list[Header]:
    """The sizes of at most `most` readable images, evenly spread; one of an array stands for all of them."""
    return [seen for _, seen in _placed(rows, most) if seen is not None]


def _placed(rows: ImageRows, most: int) -> list[tuple[str, Header | None]]:
    """The same with their places; None for an image whose beginning cannot be read."""
    found: list[tuple[str, Header | None]] = []
    for raw in islice(spread(rows, most), most):
        seen = None
        with suppress(Exception):  # what cannot be read is reported where it is decoded
            seen = header(raw.content)
        found.append((raw.place, seen))
        if isinstance(rows, Arrays):
            break
    return found


def spread(rows: ImageRows, most: int) -> Iterator[Raw]:
    """The images of evenly spread parts, enough of them for `most` images."""
    every = max(1, min(len(rows) // most, rows.parts)) if len(rows) else 1
    for number in range(0, rows.parts, every):
        yield from rows.part(number)


def side_for(found: Sequence[Header]) -> int:
    """The largest of SIDES that at most one image in ten does not reach with its shorter side.

    >>> side_for([Header(533, 400, 3, "JPEG")] * 9 + [Header(20, 20, 3, "JPEG")]), side_for([Header(40, 50, 1, "PNG")])
    (64, 32)
    """
    shorter = np.array([min(seen.height, seen.width) for seen in found])
    return next((side for side in SIDES if (shorter < side).mean() <= ENLARGED), SIDES[-1])


def sizes(found: Iterable[Header]) -> str:
    """Sizes in words: the one size, or the smallest, the median and the largest of each side."""
    sides = np.array([(seen.height, seen.width) for seen in found])
    low, high = sides.min(axis=0), sides.max(axis=0)
    if (low == high).all():
        return f"{low[0]}x{low[1]}"
    middle = np.median(sides, axis=0).astype(int)
    return f"{low[0]}x{low[1]} to {high[0]}x{high[1]}, median {middle[0]}x{middle[1]}"


def _reason_for_size(found: Sequence[Header]) -> str:
    if len({(seen.height, seen.width) for seen in found}) > 1:
        return f"the images have varied sizes ({sizes(found)}, height x width), and are cropped at the centre"
    if found and found[0].kind != "array" and max(found[0].height, found[0].width) > LARGE:
        return f"the images are {sizes(found)} (height x width), more than {LARGE} pixels a side"
    return ""


def _reason_for_channels(places: Sequence[tuple[str, Header | None]], total: int) -> str:
    """How many images are coloured, grey and neither; the coloured are named if they are fewer than the grey."""
    coloured = [place for place, seen in places if seen is not None and seen.channels == 3]
    grey = sum(seen is not None and seen.channels == 1 for _, seen in places)
    if not coloured or not grey:
        return ""
    named = f" ({listed(coloured, NAMED)})" if len(coloured) < grey else ""
    rest = len(places) - len(coloured) - grey
    unknown = f", {rest:,} cannot be read" if rest else ""
    looked = f"of {len(places):,} images looked at, " if len(places) < total else ""
    are = "image is" if len(coloured) == 1 else "images are"
    return f"{looked}{len(coloured):,} {are} coloured{named}, {grey:,} grey{unknown}"

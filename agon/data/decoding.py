"""Decode many stored images to one shape, and report those that cannot be read."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from agon.cores import cores
from agon.data.coding import BytesError
from agon.data.decode import PIXELS, decode
from agon.data.rows import ImageRows, Raw, Unreadable, said
from agon.errors import Change, DataError
from agon.terminal.waiting import stage
from agon.untrusted import NAMED, printable, shortened

CHUNK = 256  # images decoded at a time
SKIPPED = Change("data.skip_corrupt", True, "--skip-corrupt")
HEAVY = 2**14  # bytes of a stored image from which threads pay off: below, they only fight over the interpreter


class Chunk(NamedTuple):
    """Decoded images with their labels (-1 for an image without one)."""

    images: UInt8[np.ndarray, "n c h w"]
    labels: Int[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How stored images are decoded.

    Args:
        shape: (channels, height, width) that every decoded image must have.
        size: (height, width) to resize to; None keeps the stored size.
        channels: 1 or 3 to convert to; with None, grey becomes colour if the set has colours, and nothing is lost.
        skip_corrupt: leave out images that cannot be read instead of refusing the set.
        most_pixels: most pixels that a file may have.
        values: black and white of the files' 16-bit or 32-bit grey numbers, if they are stated.
    """

    shape: tuple[int, int, int]
    size: tuple[int, int] | None
    channels: int | None
    skip_corrupt: bool
    most_pixels: int = PIXELS
    values: tuple[float, float] | None = None

    def __repr__(self) -> str:
        """What determines the pixels, as part of the cache's key; keys from before there were `values` stay."""
        names = ["shape", "size", "channels", "skip_corrupt", *(["values"] if self.values else [])]
        return f"Decoding({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def chunks(self, rows: ImageRows) -> Iterator[Chunk]:
        """Decode all images in order.

        Raises:
            DataError: images are unreadable (all are tried first, so that the error counts them), or
                have another shape.
        """
        broken: list[Unreadable] = []
        waiting = iter(rows)
        while raws := list(islice(waiting, CHUNK)):
            results = self.many(raws)
            broken += [result for result in results if isinstance(result, Unreadable)]
            if not broken or self.skip_corrupt:
                yield from _stacked(raws, results)
        if broken and (not self.skip_corrupt or len(broken) == len(rows)):
            raise DataError(complaint(broken, of=len(rows)), SKIPPED)

    def broken(self, rows: ImageRows) -> list[Unreadable]:
        """Find all images that cannot be read, in order, by decoding every image and keeping none.

        Raises:
            DataError: an image has another shape.
        """
        waiting, unreadable = iter(rows), list[Unreadable]()
        with stage("decoding every image", len(rows)) as advance:
            while raws := list(islice(waiting, CHUNK)):
                unreadable += [result for result in self.many(raws) if isinstance(result, Unreadable)]
                advance(len(raws))
        return unreadable

    def many(self, raws: Sequence[Raw]) -> list[UInt8[np.ndarray, "c h w"] | Unreadable]:
        """Decode several images, in parallel if they are large enough."""
        if not raws or _weight(raws[0]) < HEAVY:
            return [self.one(raw) for raw in raws]
        with ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(self.one, raws))

    def one(self, raw: Raw) -> UInt8[np.ndarray, "c h w"] | Unreadable:
        """Decode one image to the common shape.

        Raises:
            DataError: the image is readable, but has another shape.
        """
        image = attempt(raw, size=self.size, channels=self.channels, most=self.most_pixels, values=self.values)
        if isinstance(image, Unreadable):
            return image
        if len(image) == 1 and self.shape[0] == 3:
            image = image.repeat(3, axis=0)
        if image.shape != self.shape:
            raise _mismatch(raw.place, self.shape, image.shape)
        return image


def attempt(
    raw: Raw,
    *,
    size: tuple[int, int] | None,
    channels: int | None,
    most: int = PIXELS,
    values: tuple[float, float] | None = None,
) -> UInt8[np.ndarray, "c h w"] | Unreadable:
    """Decode an image, or say why it cannot be read.

    Raises:
        DataError: `values` are stated, and the image consists of bytes, for which they would mean nothing.
    """
    try:
        return decode(raw.content, size=size, channels=channels, most=most, values=values)
    except BytesError as fault:
        raise DataError(
            f"expected grey images of 16 or 32 bits where values={values}, got others in {printable(raw.place)}: "
            f"{fault}; leave `values` out, or save them as an array (.npy)"
        ) from fault
    except Exception as fault:  # on damaged bytes, decoders raise exceptions of any type
        return Unreadable(raw.place, reason_of(fault))


def look(
    raws: Iterable[Raw],
    *,
    size: tuple[int, int] | None,
    channels: int | None,
    most: int = PIXELS,
    values: tuple[float, float] | None = None,
) -> tuple[int, int, int]:
    """The shape of the first readable image, which the others must have.

    Raises:
        DataError: no image is readable, or `values` are stated for bytes.
    """
    broken = []
    for raw in raws:
        image = attempt(raw, size=size, channels=channels, most=most, values=values)
        if not isinstance(image, Unreadable):
            return (image.shape[0], image.shape[1], image.shape[2])
        broken.append(image)
    raise DataError(complaint(broken, of=len(broken)))


def named(broken: Sequence[Unreadable]) -> str:
    """Name the first unreadable images with their reasons, and count the others."""
    more = f"; and {len(broken) - NAMED:,} more" if len(broken) > NAMED else ""
    return "; ".join(f"{printable(place)} ({shortened(reason)})" for place, reason in broken[:NAMED]) + more


def complaint(broken: Sequence[Unreadable], *, of: int) -> str:
    """The message for unreadable images: which, how many, and what to do."""
    advice = f"mend or remove them, or leave them out with {SKIPPED}"
    if len(broken) == of:
        advice = "none is left, so check what they are"
    return f"expected readable images, got {len(broken):,} of {of:,} that are not: {named(broken)}; {advice}"


def _stacked(raws: Sequence[Raw], results: Sequence[np.ndarray | Unreadable]) -> Iterator[Chunk]:
    good = [(raw, image) for raw, image in zip(raws, results, strict=True) if not isinstance(image, Unreadable)]
    if good:
        labels = np.array([-1 if raw.label is None else raw.label for raw, _ in good], dtype=np.int64)
        yield Chunk(np.stack([image for _, image in good]), labels)


def reason_of(fault: Exception) -> str:
    """Why an image cannot be read, in a phrase."""
    from PIL import UnidentifiedImageError

    if isinstance(fault, UnidentifiedImageError):
        return "it is no image of a format that is read"  # Pillow names an object in memory
    return said(fault) if isinstance(fault, OSError) else f"{fault}" or type(fault).__name__


def _weight(raw: Raw) -> int:
    if isinstance(raw.content, Path):
        return raw.content.stat().st_size if raw.content.is_file() else 0
    return len(raw.content) if isinstance(raw.content, bytes) else 0


def _mismatch(place: str, expected: tuple[int, ...], got: tuple[int, ...]) -> DataError:
    if expected[1:] != got[1:]:
        size = Change("data.size", expected[1], f"--size {expected[1]}")
        return DataError(
            f"expected every image to be {expected[1]}x{expected[2]} (height x width) like the first, "
            f"got {got[1]}x{got[2]} in {place}; {size} resizes and crops them all",
            size,
        )
    channels = Change("data.channels", 3)
    return DataError(
        f"expected every image to have {expected[0]} channel(s) like the first, got {got[0]} in {place}; "
        f"{channels} converts them all",
        channels,
    )

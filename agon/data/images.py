"""Sets of images: the bundled digits, local files, or a set on the Hub."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.data import expect
from agon.data.arrays import Arrays, Sizes
from agon.data.cache import Decoded, decoded, default_folder
from agon.data.decode import PIXELS
from agon.data.decoding import SKIPPED, Decoding, complaint, look, named
from agon.data.finite import Finite
from agon.data.flow import Ahead, Flow
from agon.data.layouts import OF_IMAGES, Layout
from agon.data.mapped import copied
from agon.data.numeric import handed_over
from agon.data.reading import Reading
from agon.data.remarks import dark_words, remarks_on
from agon.data.rows import ImageRows, unlabelled
from agon.data.source import MEMORY, Opened, Source, Split
from agon.data.splits import Membership, class_number
from agon.errors import DataError
from agon.places import CONTENT, HUB, located

LIMIT = 2**31  # most pixels that a user can allow: 6 GiB of colours
LATER = ("labelled", "most_pixels", "layout", "validation")  # settings that older fingerprints lack


@dataclass(frozen=True, kw_only=True)
class Images(Source):
    """A set of images, decoded to bytes once and scaled to `range` when drawn.

    Its split "test" is the set's own, or else a share of "train" that depends only on the stored set.

    Args:
        path: "digits" (1797 real digits of 8x8, bundled with agon); a folder of images or of parquet
            files; a .parquet, .npz or .npy file; "hub:owner/name" on the Hugging Face Hub, the only
            kind that is downloaded ("owner/name" works, too, if it resembles no local path); or
            "sha256:..." of images that were handed over in Python, see `agon.data.of`. Paths are made
            absolute.
        size: pixels to resize to, as a side or (height, width): crops the largest centred part of these
            proportions and resizes it by area. None keeps the stored size, which all images must share.
        channels: 1 or 3; None takes the first image's.
        only: one class, by number or name.
        range: (low, high), the values of black and white.
        holdout: share of the images held out as "test" if the set has no test split, in [0, 1).
        validation: share of the training images that are kept out as the split "validation", at random, in [0, 1).
        skip_corrupt: leave out images that cannot be read instead of raising an error that names them.
        streaming: read the images when they are drawn, for sets too large for the disk.
        buffer: number of a stream's images, not decoded, in memory; each half of them is shuffled as one block.
        values: (low, high), the numbers of black and white, in arrays and in grey files of 16 or 32 bits; None where
            they are clear. Files of bytes take none.
        subset: a configuration of a Hub set that has several.
        revision: a commit, tag or branch of a Hub set.
        most_pixels: most pixels of an image file; a larger one is not decoded, since a small file can unpack
            to more than the memory holds (a decompression bomb). It replaces Pillow's own limit.
        labelled: whether to read classes; False ignores all labels.
        layout: "n h w", "n h w c" or "n c h w", where the shape of an array does not tell.
        content: the images of a "sha256:..." path, from `agon.data.of`; it is no setting, and not written in runs.

    Raises:
        SettingError: a value has the wrong type or is out of range.

    >>> Images(path="digits", size=16).shape
    (1, 16, 16)
    """

    path: str = "digits"
    size: int | tuple[int, int] | None = None
    channels: Literal[1, 3] | None = None
    only: int | str | None = None
    range: tuple[float, float] = (-1.0, 1.0)
    holdout: float = 0.1
    skip_corrupt: bool = False
    streaming: bool = False
    buffer: int = 4096
    values: tuple[float, float] | None = None
    subset: str | None = None
    revision: str | None = None
    labelled: bool = True
    most_pixels: int = PIXELS
    layout: Layout | None = None
    validation: float = 0.0
    content: Mapping[Split, ImageRows] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        path: object = os.fspath(self.path) if isinstance(self.path, os.PathLike) else self.path
        if not isinstance(path, str) or not path or "\0" in path:
            raise expect.setting(self, "path", "'digits', a path, or the Hub's 'hub:owner/name'", path)
        try:
            object.__setattr__(self, "path", located(path))
        except ValueError as fault:
            raise expect.setting(self, "path", "the Hub's 'hub:owner/name' after 'hub:'", path) from fault
        self._check_size()
        if self.channels not in (None, 1, 3) or isinstance(self.channels, bool | float):
            raise expect.setting(self, "channels", "1, 3, or None for what the images have", self.channels)
        if self.only is not None and type(self.only) not in (int, str):
            raise expect.setting(self, "only", "a class's number or name, or None for all", self.only)
        expect.optional_text(self, subset=self.subset, revision=self.revision)
        expect.share(self, holdout=self.holdout, validation=self.validation)
        expect.interval(self, range=self.range)
        if self.values is not None:
            expect.interval(self, values=self.values)
        expect.whole(self, least=1, buffer=self.buffer, most_pixels=self.most_pixels)
        if self.most_pixels > LIMIT:
            raise expect.setting(
                self, "most_pixels", f"at most {LIMIT:,}, the largest picture that is decoded", self.most_pixels
            )
        if self.layout not in (None, *OF_IMAGES):
            raise expect.setting(self, "layout", " or ".join(map(repr, OF_IMAGES)), self.layout)
        expect.flags(self, {name: getattr(self, name) for name in ("skip_corrupt", "streaming", "labelled")})

    def _check_size(self) -> None:
        if self.size is None or (type(self.size) is int and self.size > 0):
            return
        pair = tuple(self.size) if isinstance(self.size, list | tuple) else ()
        if len(pair) != 2 or any(type(side) is not int or side < 1 for side in pair):
            raise expect.setting(self, "size", "a side or (height, width) of at least 1 pixel", self.size)
        object.__setattr__(self, "size", pair)

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width), from the settings or else from the first readable image."""
        if self.known is not None:
            return self.known.shape
        pixels = self.pixels
        if pixels is not None and self.channels is not None:
            return (self.channels, *pixels)
        return self._decoding(self._read()["train"]).shape

    def count(self, split: Split = "train") -> int | None:
        """How many images the split has; None for a stream."""
        if self.streaming:
            return None
        splits = self._read()
        rows, membership = self._rows(splits, split), self._membership(splits, split)
        if self.skip_corrupt:  # only decoding shows how many are left
            images = self._decoded(splits, split, cache=None, memory=MEMORY)
            return len(membership.members(len(images.images), images.labels))
        return len(membership.members(len(rows), rows.labels))

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes, in the order of their labels; `only` does not renumber them."""
        if self.known is not None:
            return self.known.classes
        return self._read()["train"].classes

    def remarks(self) -> dict[str, str]:
        """Why a split has no labels or only one class, what was left out, and whether 16-bit words are dark."""
        splits = self._read()
        notes = remarks_on(splits, only=self.only, skip_corrupt=self.skip_corrupt)
        dark = "" if self.values or self.streaming else dark_words(splits["train"])
        return {**notes, **({"values": dark} if dark else {})}

    def open(
        self,
        *,
        seed: int,
        split: Split = "train",
        device: torch.device | str = "cpu",
        memory: int = MEMORY,
        cache: Path | None = None,
    ) -> Opened:
        """Decode the images, or load them from the cache, and make them ready to be drawn.

        Up to `memory` bytes of decoded images are kept on the device; a larger set stays memory-mapped in
        the cache; a stream is decoded when drawn.

        Raises:
            DataError: there are no images, or they cannot be read with these settings.
        """
        splits = self._read()
        membership = self._membership(splits, split)
        if self.streaming:
            return self._flow(splits, membership, seed=seed, device=device)
        images = self._decoded(splits, split, cache=cache, memory=memory)
        members = membership.members(len(images.images), images.labels)
        if not len(members):
            raise DataError(f"expected images in the split '{split}' of {self.path}, got none; {self._advice(split)}")
        fits = len(members) * images.images[0].size <= memory
        labels = None if self._rows(splits, split).labels is None else torch.from_numpy(images.labels)
        samples = copied(images.images, members.numpy()).to(device) if fits else images.images
        return Finite(
            samples,
            labels=labels[members] if fits and labels is not None else labels,
            rows=None if fits else members,
            bounds=self.range,
            seed=seed,
            device=device,
            fingerprint=self._digest(images.key, membership),
        )

    def rows(self) -> Mapping[Split, ImageRows]:
        """The stored images of each split, not decoded."""
        return self._read()

    def check(self) -> str:
        """Decode every image of all splits, and report whether all can be read, or which are left out.

        Raises:
            DataError: an image cannot be read and `skip_corrupt` is off, or has another shape.
        """
        splits = self._read()
        decoding = self._decoding(splits["train"])
        broken = [image for rows in splits.values() for image in decoding.broken(rows)]
        total = sum(map(len, splits.values()))
        if broken and not self.skip_corrupt:
            raise DataError(complaint(broken, of=total), SKIPPED)
        if broken:
            return f"left out, as they cannot be read, {len(broken):,} of {total:,} images: {named(broken)}"
        return f"all {total:,} images can be read"

    def stored(self, split: Split = "train") -> UInt8[Tensor, "n c h w"]:
        """All images of a split as bytes, in the order in which they are stored.

        Raises:
            DataError: there are no images, or they cannot be read with these settings.
        """
        splits = self._read()
        images = self._decoded(splits, split, cache=None, memory=MEMORY)
        members = self._membership(splits, split).members(len(images.images), images.labels)
        return copied(images.images, members.numpy())

    @property
    def pixels(self) -> tuple[int, int] | None:
        """(height, width) to resize to, or None."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def _read(self) -> Mapping[Split, ImageRows]:
        if self.content is not None:
            return self.content if self.labelled else {split: unlabelled(rows) for split, rows in self.content.items()}
        if self.path.startswith(CONTENT):
            raise handed_over(self.path)
        settings = [field.name for field in fields(Reading)]
        return Reading(**{name: getattr(self, name) for name in settings}).read(self.path)

    def _rows(self, splits: Mapping[Split, ImageRows], split: Split) -> ImageRows:
        return splits.get(split, splits["train"])

    def _membership(self, splits: Mapping[Split, ImageRows], split: Split) -> Membership:
        expect.split(self, split, validation=True)
        classes = splits["train"].classes
        only = class_number(self.only, classes, self.path, splits["train"].reason)
        share = None if "test" in splits else self.holdout
        return Membership(split=split, share=share, only=only, validation=self.validation)

    def _decoding(self, first: ImageRows) -> Decoding:
        pixels = self.pixels
        values = None if isinstance(first, Arrays | Sizes) else self.values  # arrays have been scaled
        how: dict[str, Any] = {"size": pixels, "channels": self.channels, "values": values}
        shape = look(first, **how, most=self.most_pixels)
        return Decoding(shape=shape, **how, skip_corrupt=self.skip_corrupt, most_pixels=self.most_pixels)

    def _decoded(self, splits: Mapping[Split, ImageRows], split: Split, *, cache: Path | None, memory: int) -> Decoded:
        decoding = self._decoding(splits["train"])  # the splits have one shape
        folder = default_folder() if cache is None else cache
        return decoded(self._rows(splits, split), decoding, folder=folder, memory=memory)

    def _flow(
        self, splits: Mapping[Split, ImageRows], membership: Membership, *, seed: int, device: torch.device | str
    ) -> Opened:
        flow = Flow(
            self._rows(splits, membership.split),
            self._decoding(splits["train"]),
            membership.keeps,
            seed=seed,
            buffer=self.buffer,
            bounds=self.range,
            device=device,
            fingerprint=self._digest(self._stated(), membership),
        )
        return Ahead(flow)

    def _digest(self, content: str, membership: Membership) -> str:
        parted = self.validation and membership.split != "test"
        later = f" {self.validation!r}" if parted else ""  # older fingerprints lack it
        return hashlib.sha256(f"{content} {membership!r} {self.range!r}{later}".encode()).hexdigest()

    def _stated(self) -> str:
        """The description in a stream's fingerprint, in the format from before paths had a kind."""
        written = [f for f in fields(self) if f.compare]
        names = [f.name for f in written if f.name not in LATER or getattr(self, f.name) != f.default]
        values = {name: getattr(self, name) for name in names} | {"path": self.path.removeprefix(HUB)}
        return f"Images({', '.join(f'{name}={values[name]!r}' for name in names)})"

    def _advice(self, split: Split) -> str:
        setting = "holdout" if split == "test" else split
        return "check `only` and the set" if getattr(self, setting, 1.0) else f"set {setting} above 0"

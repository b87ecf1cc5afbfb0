"""Read the stored images that a user names by a word or a path."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agon.data.arrays import read_arrays, read_digits
from agon.data.coding import BYTES
from agon.data.folders import read_folder
from agon.data.hub import read_hub
from agon.data.layouts import Layout
from agon.data.rows import ImageRows
from agon.data.source import Split
from agon.data.tables import no_images, read_tables, without_images
from agon.data.tree import Walk
from agon.errors import DataError
from agon.places import DIGITS, HUB, missing
from agon.untrusted import kind_of


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How stored images are read.

    Args:
        values: black and white of arrays that do not hold bytes; files are scaled when they are decoded.
        subset: a configuration of a Hub set.
        revision: a commit, tag or branch of a Hub set.
        streaming: whether to stream a Hub set.
        labelled: whether to read labels.
        layout: of arrays whose shape does not tell.
    """

    values: tuple[float, float] | None = None
    subset: str | None = None
    revision: str | None = None
    streaming: bool = False
    labelled: bool = True
    layout: Layout | None = None

    def read(self, path: str) -> Mapping[Split, ImageRows]:
        """Read the images of the bundled set, a local file or folder, or a set of the Hub.

        Args:
            path: "digits", "hub:owner/name", or a path.

        Returns:
            "train" and, if the set has its own test split, "test".

        Raises:
            DataError: there is nothing at that path, or no images.
        """
        if path == DIGITS:
            if self.values not in (None, BYTES):
                raise DataError(f"expected no `values` for {DIGITS}, which agon knows, got {self.values}; leave it out")
            splits = read_digits(labelled=self.labelled)
        elif path.startswith(HUB):
            splits = read_hub(
                path.removeprefix(HUB),
                subset=self.subset,
                revision=self.revision,
                streaming=self.streaming,
                labelled=self.labelled,
            )
        else:
            splits = self._local(Path(path))
        for split, rows in splits.items():
            if len(rows) == 0 and not self.streaming:
                raise DataError(f"expected images in {path}, got none in its split '{split}'; check the file")
        return splits

    def _local(self, place: Path) -> Mapping[Split, ImageRows]:
        try:
            kind = kind_of(place)
            if place.is_dir():
                return self._folder(place)
            if kind is not None:
                raise DataError(f"expected a folder of images or a file at {place}, got {kind}; give another path")
            if os.path.islink(place) and not os.path.exists(place):
                raise DataError(f"expected images at {place}, but there is no such path: it is a link to nothing")
            if not place.exists():
                raise missing(place)
            return self._file(place)
        except OSError as fault:
            raise DataError(f"expected to read {place}, but the system refuses: {fault}") from fault

    def _folder(self, place: Path) -> Mapping[Split, ImageRows]:
        walk = Walk(place)
        notes = tuple(walk.notes())
        splits = read_tables(walk.tables, place, labelled=self.labelled) if walk.tables else None
        if splits is not None and walk.tree.count and not any(rows.names_files for rows in splits.values()):
            notes += (f"{walk.tree.count:,} image files beside the tables",)
        if splits is None and walk.tree.count:
            splits = read_folder(walk.tree, labelled=self.labelled)
            notes += tuple(map(without_images, walk.tables[:1]))
        if splits is None and walk.tables:
            raise no_images(walk.tables[0])
        if splits is None:
            raise DataError(
                f"expected images in the folder {place}, got none (endings such as .png, .jpg, .webp, and .parquet "
                f"files, are read): {'; '.join(notes) or 'the folder is empty'}"
            )
        for rows in splits.values():
            rows.left_out += notes
        return splits

    def _file(self, place: Path) -> Mapping[Split, ImageRows]:
        ending = place.suffix.lower()
        if ending in (".npz", ".npy"):
            return read_arrays(place, self.values, labelled=self.labelled, layout=self.layout)
        if ending != ".parquet":
            raise DataError(
                f"expected a folder of images or a file ending in .parquet, .npz, .npy, got {place}; "
                "put single images in a folder and unpack archives"
            )
        splits = read_tables([place], place.parent, labelled=self.labelled)
        if splits is None:
            raise no_images(place)
        return splits

"""Pictures that belong to scores: nearest neighbours, reconstructions."""

import struct
from collections.abc import Sequence
from pathlib import Path

from agon.errors import RunError
from agon.figures.colours import colour
from agon.reports.embedding import Picture, embed, narrow_width
from agon.reports.reading import View, ordered
from agon.runs.directory import content_of

CAPTIONS = {
    "neighbours": "samples (first column) and their nearest training images, the nearest first",
    "reconstruction": "training images (odd rows) over the nearest samples found (even rows), best to worst",
    "reconstructions": "training images (first column) and the nearest samples of each run, most different first",
}
WIDE = 540  # CSS pixels, so that two fit side by side
BYTES = 150_000  # of a picture; more are compressed with a loss
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pictures(views: Sequence[View]) -> list[Picture]:
    """Return the latest picture of each name and run.

    Raises:
        RunError: a file is not a PNG.
    """
    latest = []
    for index, view in enumerate(views):
        newest: dict[str, Path] = {}
        for score in ordered(view.scores):
            newest |= score.pictures
        for name, file in newest.items():
            caption = CAPTIONS.get(name, name)
            caption = f"{view.name}: {caption}" if len(views) > 1 else caption
            latest.append(_picture(file, caption, colour(index) if len(views) > 1 else None))
    return latest


def _picture(file: Path, caption: str, tint: str | None) -> Picture:
    try:
        content = content_of(file)
        width, height = struct.unpack(">II", content[16:24]) if content.startswith(SIGNATURE) else (0, 0)
    except (OSError, struct.error) as error:
        raise RunError(f"{file} cannot be read ({error}); delete it and report again without it") from error
    if not width or not height:
        raise RunError(f"{file} is no PNG; delete it and report again without it")
    factor = max(1, WIDE // width)
    return Picture(
        caption=caption,
        source=embed(content, BYTES).source,
        width=factor * width,
        height=factor * height,
        alt=caption,
        colour=tint,
        narrow=narrow_width(factor * width, width),
        crisp=factor > 1,
    )

"""Grids of images: the last samples beside real ones, and samples of fixed latents over the training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from agon.errors import DataError, RunError
from agon.figures import pictures
from agon.figures.colours import colour
from agon.figures.spacing import spread
from agon.reports.embedding import Picture, embed
from agon.reports.reading import View
from agon.runs import unreadable
from agon.runs.layout import IMAGES
from agon.runs.snapshots import read_images

TILE = 56  # approximate CSS pixels of an enlarged small tile: an 8x8 digit by 7, a 28x28 one by 2
GAP = 8  # CSS pixels between tiles, since the strokes of small digits reach their borders
WIDTH = 540  # CSS pixels of one grid, so that two fit side by side
FEWEST, MOST = 4, 8  # tiles in a row; large images get fewer
LATENTS, STEPS = 8, 8  # rows and columns of an evolution

ImageGrid = UInt8[np.ndarray, "n c h w"]


class Evolution(NamedTuple):
    """Samples of fixed latents over time: one column of tiles for each step."""

    run: str
    colour: str
    columns: list[Picture]


def beside(views: Sequence[View]) -> list[Picture]:
    """Return each set of real images once, and each run's last samples, all at the scale of `factor`.

    Raises:
        RunError: a file of samples cannot be read.
    """
    grids: list[tuple[str, str | None, ImageGrid]] = [(caption, None, tiles) for caption, tiles in _real(views).items()]
    for index, view in enumerate(views):
        if files := _images(view):
            step = max(files)
            caption = f"{view.name}, step {step:,}" if len(views) > 1 else f"samples at step {step:,}"
            grids.append((caption, colour(index), _read(files[step])))
    across = max((_across(tiles) for _, _, tiles in grids), default=1)
    return [_picture(caption, tiles[: across**2], across, run) for caption, run, tiles in grids]


def evolutions(views: Sequence[View]) -> list[Evolution]:
    """Return samples of the first latents at steps spread over the training, for each run with two or more grids.

    Raises:
        RunError: a file of samples cannot be read.
    """
    return [
        Evolution(view.name, colour(index), _columns(_images(view)))
        for index, view in enumerate(views)
        if len(_images(view)) > 1
    ]


def factor(tiles: ImageGrid) -> int:
    """Return the factor that enlarges a tile to about `TILE` pixels, at least 1.

    >>> [factor(np.zeros((1, 1, side, side), np.uint8)) for side in (8, 28, 64, 256)]
    [7, 2, 1, 1]
    """
    longest: int = max(tiles.shape[2:])
    return max(1, round(TILE / longest))


def _columns(files: Mapping[int, Path]) -> list[Picture]:
    steps = spread(list(files), STEPS)
    return [_picture(f"{step:,}", _read(files[step])[:LATENTS], 1, None) for step in steps]


def _picture(caption: str, tiles: ImageGrid, across: int, run: str | None) -> Picture:
    large = pictures.enlarge(tiles, factor(tiles))
    height, width = pictures.tiling(large, across, GAP).size
    alt = f"{len(tiles)} images of {tiles.shape[2]}x{tiles.shape[3]} pixels: {caption}"
    return Picture(caption, embed(pictures.grid_png(large, across, GAP)), width, height, alt, run)


def _across(tiles: ImageGrid) -> int:
    """Return the number of tiles in a row: as many as fit, or fewer for a square of few tiles."""
    fit: int = WIDTH // (tiles.shape[3] * factor(tiles) + GAP)
    return min(max(FEWEST, min(fit, MOST)), pictures.tiling(tiles).columns)


def _real(views: Sequence[View]) -> dict[str, ImageGrid]:
    """Return caption -> real images; runs with the same real images share a caption."""
    sets: dict[bytes, ImageGrid] = {}
    users: dict[bytes, list[str]] = {}
    for view in views:
        if view.real is not None and view.real.suffix == IMAGES:
            tiles = _read(view.real)
            sets.setdefault(tiles.tobytes(), tiles)
            users.setdefault(tiles.tobytes(), []).append(view.name)
    alone = len(sets) == 1
    return {"real" if alone else f"real, {', '.join(users[key])}": tiles for key, tiles in sets.items()}


def _images(view: View) -> dict[int, Path]:
    return {step: file for step, file in view.samples.items() if file.suffix == IMAGES}


def _read(file: Path) -> ImageGrid:
    try:
        return read_images(file)
    except DataError as error:
        raise RunError(f"{error}; or delete {file.name} and report again without it") from error
    except OSError as error:
        raise unreadable(error, file, "delete it and report again without it") from error

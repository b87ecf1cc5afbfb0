"""Grids of images: the last samples beside real ones, and samples of fixed latents over the training."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from agon.errors import DataError, RunError
from agon.figures import pictures
from agon.figures.colours import colour
from agon.figures.grids import Grid
from agon.figures.spacing import spread
from agon.reports.embedding import NARROW, Picture, embed, narrow_width
from agon.reports.reading import View, same_data, trained
from agon.runs import unreadable
from agon.runs.layout import IMAGES
from agon.runs.snapshots import read_images_laid_out

TILE = 56  # approximate CSS pixels of an enlarged small tile: an 8x8 digit by 7, a 28x28 one by 2
GAP = 8  # approximate CSS pixels between tiles, since the strokes of small digits reach their borders
WIDTH, SHARED = 540, 350  # CSS pixels of one grid, so that two fit side by side; of one of three grids or more
FEWEST, MOST = 4, 8  # tiles in a row; large images get fewer
LATENTS, STEPS = 8, 8  # rows and columns of an evolution
FEW = 25  # tiles of a step at which something is to be shown
LARGEST = 270  # pixels of a tile's longer side; larger ones are reduced by a whole factor
GRID_BYTES, COLUMN_BYTES = 350_000, 40_000  # of a grid and of an evolution's column; more are compressed with a loss
LOSSY = "compressed; the exact pixels are in samples/"

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
    grids: list[tuple[str, str | None, Grid]] = [(caption, None, grid) for caption, grid in _real(views).items()]
    for index, view in enumerate(views):
        if files := _images(view):
            step = max(files)
            caption = f"{view.name}, step {step:,}" if len(views) > 1 else f"samples at step {step:,}"
            grids.append((caption, colour(index), _read(files[step])))
    width = WIDTH if len(grids) < 3 else SHARED
    across = max((_across(grid.tiles, width) for _, _, grid in grids), default=1)
    return [_picture(caption, grid.within(across), run) for caption, run, grid in grids]


def evolutions(views: Sequence[View]) -> list[Evolution]:
    """Return samples of the first latents at steps spread over the training, for each run with two or more such grids.

    Of a class-conditional game, they are of different classes. Step 0, whose samples show nothing, is left out.

    Raises:
        RunError: a file of samples cannot be read.
    """
    return [
        Evolution(view.name, colour(index), _columns(files))
        for index, view in enumerate(views)
        if len(files := trained(_images(view))) > 1
    ]


def at(index: int, view: View, step: int) -> Picture | None:
    """Return the samples of one step of the run with this index on the page, small; None if they are no images."""
    file = _images(view).get(step)
    if file is None:
        return None
    grid = _read(file)
    across = max(2, math.isqrt(min(FEW, len(grid.tiles))))
    return _picture(f"step {step:,}", grid.within(across), colour(index), COLUMN_BYTES)


def factor(tiles: ImageGrid) -> int:
    """Return the factor that enlarges a tile to about `TILE` pixels, at least 1.

    >>> [factor(np.zeros((1, 1, side, side), np.uint8)) for side in (8, 28, 64, 256)]
    [7, 2, 1, 1]
    """
    longest: int = max(tiles.shape[2:])
    return max(1, round(TILE / longest))


def _columns(files: Mapping[int, Path]) -> list[Picture]:
    steps = spread(list(files), STEPS)
    columns = []
    for step in steps:
        grid = _read(files[step])
        rows = min(LATENTS, max(3, COLUMN_BYTES // _reduced(grid.tiles[:1]).size))
        column = Grid(grid.column(rows), 1)
        columns.append(_picture(f"{step:,}", column, None, COLUMN_BYTES, NARROW // len(steps))._replace(note=""))
    return columns


def _picture(caption: str, grid: Grid, run: str | None, most: int = GRID_BYTES, room: int = NARROW) -> Picture:
    """Return a grid as a picture of `most` bytes, which has `room` CSS pixels on a narrow screen."""
    shape, tiles, across = grid.tiles.shape, _reduced(grid.tiles), grid.columns
    scale = factor(tiles)
    gap = max(1, round(GAP / scale))
    height, width = pictures.tiling(tiles, across, gap).size
    embedded = embed(pictures.grid_png(tiles, across, gap), most)
    return Picture(
        caption=caption,
        source=embedded.source,
        width=scale * width,
        height=scale * height,
        alt=f"{len(tiles)} images of {shape[2]}x{shape[3]} pixels: {caption}",
        colour=run,
        note=LOSSY if embedded.lossy or tiles.shape != shape else "",
        narrow=narrow_width(scale * width, width, room),
        crisp=scale > 1,
    )


def _reduced(tiles: ImageGrid) -> ImageGrid:
    """Reduce large tiles by a whole factor, to means over squares of pixels."""
    n, c, h, w = tiles.shape
    k = -(-max(h, w) // LARGEST)
    if k == 1:
        return tiles
    whole = tiles[:, :, : h // k * k, : w // k * k].reshape(n, c, h // k, k, w // k, k)
    return np.asarray(whole.mean(axis=(3, 5)).round().astype(np.uint8))


def _across(tiles: ImageGrid, width: int) -> int:
    """Return the number of tiles in a row: as many as fit and are not too many bytes, or fewer for a square of few."""
    small = _reduced(tiles)
    fit: int = width // (small.shape[3] * factor(small) + GAP)
    light = math.isqrt(GRID_BYTES // small[0].size)
    return min(max(FEWEST, min(fit, light, MOST)), pictures.tiling(tiles).columns)


def _real(views: Sequence[View]) -> dict[str, Grid]:
    """Return caption -> real images; runs with the same data share a caption, and the images of the first."""
    sets: dict[str, Grid] = {}
    users: dict[str, list[str]] = {}
    for view in views:
        if view.real is not None and view.real.suffix == IMAGES:
            key = same_data(view)
            if key not in sets:
                sets[key] = _read(view.real)
            users.setdefault(key, []).append(view.name)
    alone = len(sets) == 1
    return {"real" if alone else f"real, {', '.join(users[key])}": grid for key, grid in sets.items()}


def _images(view: View) -> dict[int, Path]:
    return {step: file for step, file in view.samples.items() if file.suffix == IMAGES}


def _read(file: Path) -> Grid:
    try:
        return read_images_laid_out(file)
    except DataError as error:
        raise RunError(f"{error}; or delete {file.name} and report again without it") from error
    except OSError as error:
        raise unreadable(error, file, "delete it and report again without it") from error

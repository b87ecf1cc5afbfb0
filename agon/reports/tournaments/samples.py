"""A small grid of samples for each contestant: those that the tournament kept, or the last ones of its run."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from agon.arena.tournaments.grids import KEPT, kept_grid
from agon.arena.tournaments.standings import TournamentResult
from agon.errors import DataError, RunError
from agon.figures import pictures
from agon.reports.embedding import Picture, embed
from agon.reports.tournaments.heat import ordered
from agon.runs import Directory
from agon.runs.layout import EXPERIMENT, IMAGES, snapshots
from agon.runs.snapshots import read_images

SIDE = 168  # CSS pixels of a grid, about
ACROSS = 4  # images in a row
BYTES = 60_000  # of a grid; a larger one is compressed with a loss
LOSSY = "compressed"

ImageGrid = UInt8[np.ndarray, "n c h w"]


class Grids(NamedTuple):
    """The pictures, and whether all were kept by the tournament, at its latents."""

    pictures: list[Picture]
    alike: bool


def grids(folder: Path, result: TournamentResult) -> Grids:
    """The first samples of each contestant's first entrant that has any, best rated first."""
    order, _ = ordered(result.matrix, result.ratings)
    drawn, alike = [], True
    for contestant in order:
        entrants = [name for name in result.matrix.seeds_of(contestant) if name in result.matrix.generators]
        for entrant in entrants:
            images, kept = _images(folder, result, entrant)
            if images is not None:
                drawn.append(_picture(contestant if len(entrants) == 1 else entrant, images[:KEPT]))
                alike = alike and kept
                break
    return Grids(drawn, alike)


def _images(folder: Path, result: TournamentResult, entrant: str) -> tuple[ImageGrid | None, bool]:
    """An entrant's samples, and whether the tournament kept them; a damaged file counts as none."""
    try:
        images = kept_grid(folder, entrant)
        return (_last(result, entrant), False) if images is None else (images, True)
    except (DataError, RunError, OSError, ValueError):
        return None, False


def _last(result: TournamentResult, entrant: str) -> ImageGrid | None:
    """The last samples that a run kept up to the step that took part; None if there is no run, or it kept no images."""
    run, steps = Path(result.places.get(entrant, "")), result.protocol.get("steps")
    files = Directory(run)
    if not run.name or not files.is_file(EXPERIMENT) or (isinstance(steps, dict) and entrant not in steps):
        return None
    most = steps[entrant] if isinstance(steps, dict) else None
    images = [
        path for step, path in snapshots(files) if path.suffix == IMAGES and (not isinstance(most, int) or step <= most)
    ]
    return read_images(images[-1]) if images else None


def _picture(name: str, tiles: ImageGrid) -> Picture:
    across = min(ACROSS, len(tiles))
    height, width = pictures.tiling(tiles, across, 1).size
    scale = max(1, round(SIDE / width))
    embedded = embed(pictures.grid_png(tiles, across, 1), BYTES)
    return Picture(
        caption=name,
        source=embedded.source,
        width=min(scale * width, 2 * SIDE),
        height=round(min(scale * width, 2 * SIDE) * height / width),
        alt=f"{len(tiles)} samples of {name}",
        note=LOSSY if embedded.lossy else "",
        crisp=scale > 1,
    )

"""The first samples of a tournament's entrants, kept as small grids beside its result, so that a page can show them."""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from agon.errors import RunError
from agon.figures.pictures import grid_png
from agon.runs import Directory, write_atomically, writing
from agon.runs.files import AGAIN
from agon.runs.layout import IMAGES
from agon.runs.snapshots import read_images

FOLDER = "grids"  # in the folder of a tournament
KEPT = 16  # most samples of an entrant


def keep_grid(folder: Path, entrant: str, images: UInt8[np.ndarray, "n c h w"]) -> Path:
    """Write an entrant's first samples as a PNG grid, under a name that any entrant's name gives.

    Args:
        folder: the tournament's folder.
        entrant: name of the entrant.
        images: its samples, in the order of the latents.

    Returns:
        The file.

    Raises:
        RunError: it cannot be written.
    """
    file = folder / _name(entrant)
    with writing(file, then=AGAIN):
        Directory(folder).folder(FOLDER).mkdir(parents=True, exist_ok=True)
    write_atomically(file, grid_png(images[:KEPT]), then=AGAIN)
    return file


def kept_grid(folder: Path, entrant: str) -> UInt8[np.ndarray, "n c h w"] | None:
    """Read the samples that `keep_grid` kept of an entrant; None if there are none.

    Raises:
        DataError: the file holds no grid of images.
        RunError: it cannot be read.
    """
    files = Directory(folder)
    if not files.is_file(_name(entrant)):
        return None
    try:
        return read_images(files.path(_name(entrant)))
    except OSError as error:
        raise RunError(f"{folder / _name(entrant)}: {error}; delete it, and report again without it") from error


def _name(entrant: str) -> str:
    return f"{FOLDER}/{hashlib.sha256(entrant.encode('utf-8', 'replace')).hexdigest()[:20]}{IMAGES}"

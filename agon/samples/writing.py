"""Write samples as a picture, arrays, or a folder of pictures."""

import csv
import io
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped, UInt8
from torch import Tensor

from agon.arguments import IMAGES, NUMBERS
from agon.data import Source
from agon.data.source import as_bytes
from agon.data.table import worded
from agon.errors import RunError, SettingError
from agon.figures.pictures import grid_png, pictured, png
from agon.runs import write_atomically, writing
from agon.untrusted import kind_of


def write(
    samples: Shaped[Tensor, "n *shape"],
    source: Source,
    out: Path,
    columns: int | None = None,
    labels: Int[Tensor, " n"] | None = None,
) -> Path:
    """Write samples as a PNG grid (.png), arrays (.npz: uint8 NHWC, or numbers), a folder of PNGs, or a table (.csv).

    Args:
        samples: "n *shape", as `agon.sample` returns them.
        source: the source of the data.
        out: the file or folder; a table is for points, and has the names of the data's columns.
        columns: images in a row of a grid; None for a grid that is nearly square.
        labels: labels "n", which an .npz file holds beside the samples.

    Raises:
        SettingError: points cannot be a picture, or the name has another ending.
        RunError: the file or folder cannot be written.
    """
    pictures = pictured(source.shape)
    if out.suffix == ".npz":
        array = as_bytes(samples, source).permute(0, 2, 3, 1).numpy() if pictures else samples.numpy()
        content = io.BytesIO()
        if labels is None:
            np.savez_compressed(content, samples=array)
        else:
            np.savez_compressed(content, samples=array, labels=labels.numpy())
        _write(out, content.getvalue())
    elif out.suffix == ".png" and len(source.shape) == 3 and source.range is not None:
        _write(out, grid_png(as_bytes(samples, source), columns))
    elif out.suffix == ".csv" and len(source.shape) == 1:
        _write(out, _table(samples, source))
    elif not pictures:
        raise SettingError(f"--out: expected {NUMBERS[len(source.shape) == 1]}, since these are no images, got {out}")
    elif out.suffix:
        raise SettingError(f"--out: expected {IMAGES}, got {out}")
    else:
        _write_folder(out, as_bytes(samples, source))
    return out


def _table(points: Shaped[Tensor, "n d"], source: Source) -> bytes:
    """Points as text, with 12 digits, under the names of the data's columns; names that are numbers get an x."""
    names = getattr(source.settled(), "columns", None) or list(map(str, range(points.shape[1])))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(worded(names))
    writer.writerows([f"{number:.12g}" for number in point] for point in points.tolist())
    return text.getvalue().encode()


def _write_folder(folder: Path, images: UInt8[Tensor, "n c h w"]) -> None:
    """Write a PNG for each image into an empty folder; other files in it would be taken for samples."""
    with writing(folder, then=""):
        folder.mkdir(parents=True, exist_ok=True)
        taken = next(folder.iterdir(), None)
    if taken is not None:
        raise RunError(f"--out: expected a new or an empty folder, got {folder}, which holds {taken.name}; choose one")
    for i, image in enumerate(images):
        write_atomically(folder / f"{i:06d}.png", png(image.permute(1, 2, 0).numpy()), then="")


def _write(path: Path, content: bytes) -> None:
    kind = kind_of(path)
    if kind is not None:
        raise RunError(f"--out: {path} is {kind}; expected the name of a new file, or of one to replace")
    with writing(path, then=""):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content, then="")

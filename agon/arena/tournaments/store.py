"""What a tournament keeps on the disk, by the checksum of what it was made from; any of it may be deleted.

| name in the folder `cache` | content |
|---|---|
| samples/KEY.npy | the samples of a generator, float32 |
| critics/KEY.npz | the re-estimated statistics of a critic |
| real/KEY.npy | a critic's realness of the held-out real samples |
| areas/KEY.json | a critic's areas: generator's key -> value, error, n, n_real |
"""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from agon.data.mapped import forget
from agon.errors import RunError
from agon.metrics.auroc import Area
from agon.runs import Directory, writing
from agon.runs.arrays import arrays
from agon.runs.entered import CACHE, LOCK, refuse_other_folder
from agon.runs.holding import holding, lock_of
from agon.untrusted import parse_json

KINDS = ("samples", "critics", "real", "areas")
MOST_STATISTICS = 2**30  # bytes of one critic's statistics


class StorageError(RunError):
    """The folder of a tournament cannot be written, so that nobody can go on."""


class Store:
    """The files of a tournament, each written completely or not at all.

    Args:
        folder: the tournament's folder; made if it is missing.

    Raises:
        RunError: it is a run, holds other files, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        refuse_other_folder(folder)
        self.folder = folder
        with _writing(folder):
            for kind in KINDS:
                (folder / CACHE / kind).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other processes.

        Raises:
            RunError: another process writes it.
        """
        files = Directory(self.folder)
        with holding(lock_of(files, LOCK), f"{self.folder} is"):
            for kind in KINDS:
                files.clear(f"{CACHE}/{kind}", alone=True)
            yield

    def samples(self, key: str) -> Float[np.ndarray, "n ..."] | None:
        """The samples of a generator, mapped into memory; None if they were not made, or are damaged."""
        return _array(self._path("samples", key, ".npy"), mapped=True)

    def keep_samples(self, key: str, blocks: Iterator[Tensor]) -> int:
        """Write samples a block at a time, and return their number."""
        path = self._path("samples", key, ".npy")
        temporary = _temporary(path)
        try:
            with _writing(path):
                file = temporary.open("wb")
            with file:
                n = _write_blocks(file, blocks, path)
            with _writing(path):
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return n

    def real(self, key: str) -> Float64[np.ndarray, " m"] | None:
        """A critic's realness of the held-out real samples, if it was computed."""
        return _array(self._path("real", key, ".npy"))

    def keep_real(self, key: str, scores: Float64[np.ndarray, " m"]) -> None:
        """Write a critic's realness of the held-out real samples."""
        content = io.BytesIO()
        np.save(content, scores)
        _write(self._path("real", key, ".npy"), content.getvalue())

    def statistics(self, key: str) -> dict[str, np.ndarray] | None:
        """The re-estimated statistics of a critic, if they were computed."""
        path = self._path("critics", key, ".npz")
        try:
            return arrays(Directory(path.parent).read(path.name), MOST_STATISTICS)
        except (OSError, ValueError):
            return None

    def keep_statistics(self, key: str, statistics: Mapping[str, np.ndarray]) -> None:
        """Write the re-estimated statistics of a critic."""
        content = io.BytesIO()
        np.savez(content, **statistics)  # type: ignore[arg-type]
        _write(self._path("critics", key, ".npz"), content.getvalue())

    def areas(self, key: str) -> dict[str, Area]:
        """The areas of a critic that were computed, by the generators' keys."""
        try:
            values = parse_json(self._path("areas", key, ".json").read_text())
            return {generator: Area(*area) for generator, area in values.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def keep_areas(self, key: str, areas: dict[str, Area]) -> None:
        """Write the areas of a critic."""
        _write(self._path("areas", key, ".json"), json.dumps(areas, sort_keys=True).encode())

    def _path(self, kind: str, key: str, ending: str) -> Path:
        return self.folder / CACHE / kind / f"{key}{ending}"


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        with writing(path, instead="free some space, or choose another folder; what was kept before is intact"):
            yield
    except StorageError:
        raise
    except RunError as error:
        raise StorageError(str(error)) from error


def _write(path: Path, content: bytes) -> None:
    """Replace a file completely; it is not synced, since what a crash of the machine destroys is computed again."""
    temporary = _temporary(path)
    with _writing(path):
        temporary.write_bytes(content)
        temporary.replace(path)


def _temporary(path: Path) -> Path:
    """The name under which a file is written; a killed process may leave it, and the next one removes it."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def blocks_of(samples: Float[np.ndarray, "n ..."], size: int) -> Iterator[Float[Tensor, "b ..."]]:
    """Copy samples from the disk, in nearly equal blocks of at most `size`."""
    for rows in np.array_split(np.arange(len(samples)), max(1, -(-len(samples) // size))):
        yield torch.from_numpy(np.array(samples[rows[0] : rows[-1] + 1]))
        forget(samples)


def _write_blocks(file: BinaryIO, blocks: Iterator[Tensor], path: Path) -> int:
    """Write blocks as one array; its header, which numpy pads for this, is written again when their number is known."""
    n = 0
    for block in blocks:
        with _writing(path):
            if not n:
                _write_header(file, (len(block), *block.shape[1:]))
            file.write(block.numpy().astype("<f4").tobytes())
        n, shape = n + len(block), block.shape[1:]
    with _writing(path):
        file.seek(0)
        _write_header(file, (n, *shape))
    return n


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, header)


def _array(path: Path, *, mapped: bool = False) -> np.ndarray | None:
    try:
        values: np.ndarray = np.load(path, mmap_mode="r" if mapped else None)
    except (OSError, ValueError, EOFError):
        return None
    return values

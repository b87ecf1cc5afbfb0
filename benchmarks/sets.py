"""What is trained on: real images where they are at hand, else random bytes of the same shape."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from agon.data import Images, Stream

SHARED = Path(__file__).parents[2] / "shared" / "data"
CHUNK = 1_000
OWN = environ.get("AGON_CACHE")  # of the user


@dataclass(frozen=True)
class Set:
    """One set of images, as a file that both sides read.

    Attributes:
        name: how tables call it.
        file: .npy, uint8 "n h w c".
        real: whether it holds real images, and not random bytes.
    """

    name: str
    file: Path
    real: bool

    @property
    def source(self) -> Images:
        """As agon reads it."""
        return Images(path=str(self.file), holdout=0.0)

    def tensor(self) -> torch.Tensor:
        """As a hand-written script would read it: uint8 "n c h w", in memory."""
        return torch.from_numpy(np.load(self.file)).permute(0, 3, 1, 2).contiguous()


SHAPES = {"cifar10": (50_000, 32, 32, 3), "mnist": (60_000, 28, 28, 1)}


@contextmanager
def sets(names: tuple[str, ...] = tuple(SHAPES)) -> Iterator[list[Set]]:
    """Within it, the sets are files in a folder of their own, and so is agon's cache."""
    with TemporaryDirectory(prefix="agon-benchmarks-") as folder, _cache(f"{folder}/cache"):
        yield [_written(name, Path(folder)) for name in names]


def own_cache() -> AbstractContextManager[None]:
    """Within it, agon's cache is the user's own, in spite of `sets`."""
    return _cache(OWN)


@contextmanager
def _cache(folder: str | None) -> Iterator[None]:
    """Within it, AGON_CACHE is this folder, or not set; afterwards it is what it was."""
    before = environ.pop("AGON_CACHE", None)
    environ.update({} if folder is None else {"AGON_CACHE": folder})
    try:
        yield
    finally:
        environ.pop("AGON_CACHE", None)
        environ.update({} if before is None else {"AGON_CACHE": before})


def _written(name: str, folder: Path) -> Set:
    file, shared = folder / f"{name}.npy", SHARED / name
    np.save(file, _real(shared, SHAPES[name][0]) if shared.is_dir() else _random(SHAPES[name]))
    return Set(name, file, shared.is_dir())


def _real(shared: Path, n: int) -> np.ndarray:
    with own_cache():  # decoded once a machine, not in every run
        stream = Stream(Images(path=str(shared)), batch=CHUNK, seed=0)
        chunks = [stream.draw().real.add(1).mul(127.5).round().byte() for _ in range(n // CHUNK)]
    return torch.cat(chunks).permute(0, 2, 3, 1).numpy()


def _random(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)

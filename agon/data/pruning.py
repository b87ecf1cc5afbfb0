"""Keep the cache of decoded images within a size: sets that were used least recently are removed first."""

import math
import os
import re
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agon.errors import SettingError
from agon.terminal import warn

VARIABLE = "AGON_CACHE_LIMIT"
LIMIT, SHARE = 20 * 2**30, 0.1  # bytes, or this share of the disk if that is more
FILE = re.compile(r"([0-9a-f]{64})[^.]*\.(npy|json|part)")


class Kept(NamedTuple):
    """A set in the cache, whole or not."""

    name: str
    files: list[Path]
    size: int
    used: float


def limit(folder: Path) -> float:
    """Most bytes of decoded images in a folder: $AGON_CACHE_LIMIT in GiB, or 20 GiB, or a tenth of a larger disk.

    Raises:
        SettingError: the variable is neither a number from 0 nor "none".
    """
    text = os.environ.get(VARIABLE, "").strip()
    if text.lower() == "none":
        return math.inf
    if not text:
        return max(LIMIT, SHARE * shutil.disk_usage(folder).total)
    with suppress(ValueError):
        if math.isfinite(number := float(text)) and number >= 0:
            return number * 2**30
    raise SettingError(f"{VARIABLE}: expected a number of GiB from 0, or none, got '{text}'; unset it")


def hold(images: np.ndarray, folder: Path, name: str) -> None:
    """Note that a set is used now, and by this process for as long as the array lives."""
    with suppress(OSError):
        os.utime(folder / f"{name}.json")
    with suppress(OSError, ImportError):  # on Windows a file that is mapped cannot be removed anyway
        import fcntl

        handle = os.open(folder / f"{name}.npy", os.O_RDONLY)
        weakref.finalize(images, os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


def make_room(folder: Path, size: int) -> None:
    """Remove sets until a new one of `size` bytes fits into the limit, and on the disk.

    The sets that were used least recently go first. A set that a process uses or makes stays.

    Raises:
        SettingError: $AGON_CACHE_LIMIT is not a size.
        OSError: the folder cannot be read.
    """
    most, sets = limit(folder), sorted(_sets(folder), key=lambda kept: kept.used)
    total = sum(kept.size for kept in sets)
    spare = max(total + size - most, size - shutil.disk_usage(folder).free)
    removed: list[Kept] = []
    for kept in sets:
        if sum(gone.size for gone in removed) < spare and _removed(folder, kept):
            removed.append(kept)
    if removed:
        freed = sum(gone.size for gone in removed)
        warn(
            f"the cache {folder} held {_gib(total)} of decoded images and needs {_gib(size)} more, with a limit of "
            f"{_gib(most)}: removed the {len(removed)} sets used least recently ({_gib(freed)}); {VARIABLE}=GIB or "
            "none changes the limit"
        )


def _sets(folder: Path) -> Iterator[Kept]:
    files_of: dict[str, list[Path]] = {}
    for file in folder.iterdir():
        if match := FILE.fullmatch(file.name):
            files_of.setdefault(match[1], []).append(file)
    for name, files in files_of.items():
        with suppress(FileNotFoundError):  # another process has just removed it
            states = {file: file.stat() for file in files}
            last = max(states.values(), key=lambda state: state.st_mtime)
            used = states.get(folder / f"{name}.json", last).st_mtime
            yield Kept(name, files, sum(state.st_size for state in states.values()), used)


def _removed(folder: Path, kept: Kept) -> bool:
    """Remove a set, unless a process uses or makes it; whether it is gone."""
    from filelock import FileLock

    try:
        with FileLock(folder / f"{kept.name}.lock", timeout=0), _unused(folder / f"{kept.name}.npy"):
            for file in sorted(kept.files):  # the description, NAME.json, first
                file.unlink(missing_ok=True)
            (folder / f"{kept.name}.lock").unlink(missing_ok=True)
    except (OSError, NotImplementedError):  # a filelock.Timeout is an OSError
        return False
    return True


@contextmanager
def _unused(file: Path) -> Iterator[None]:
    """A context in which no process begins to use a file.

    Raises:
        OSError: a process uses it, or it cannot be told.
    """
    if os.name == "nt" or not file.exists():
        yield
        return
    import fcntl

    with open(file, "rb+") as stream:  # some network file systems lock only what can be written
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g} GiB"

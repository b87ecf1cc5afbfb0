"""A cache of decoded images on the disk: memory-maps named by the content they were made from.

A set consists of three files, NAME.npy (bytes "n c h w"), NAME-labels.npy and NAME.json. NAME is a SHA-256 of the key
and the labels, because the same images can have other labels. Each file is written under a temporary name, flushed to
the disk and renamed. The JSON comes last and holds the checksums of the others, so a set is complete or absent, and
processes that write it at the same time do not disturb each other. A lock lets one process of a machine decode, and the
others wait for it. Sets that were not used for long are removed, see `pruning`. The folder can be deleted at any time.
"""

import hashlib
import json
import math
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from agon.data.decoding import Chunk, Decoding
from agon.data.mapped import forget
from agon.data.pruning import hold, make_room
from agon.data.rows import ImageRows
from agon.errors import DataError
from agon.terminal import warn
from agon.terminal.waiting import tracked
from agon.untrusted import parse_json

if TYPE_CHECKING:
    from filelock import BaseFileLock

VERSION = 1  # version of the decoding, part of the keys: raise it when decode() returns something else for most files
MENDED = 2  # part of the names in the cache alone: raise it when decode() is mended for rare files; runs go on then
BLOCK = 2**24  # bytes to read at a time for a checksum
PATIENCE = 2.0  # seconds of waiting for another process before it is said


class Decoded(NamedTuple):
    """One split, decoded.

    Attributes:
        images: bytes "n c h w", in memory or memory-mapped (read-only).
        labels: "n" int64, -1 for an image without a label.
        key: hex SHA-256 of the stored content and of everything that determines how it is decoded.
    """

    images: UInt8[np.ndarray, "n c h w"]
    labels: Int[np.ndarray, " n"]
    key: str


def default_folder() -> Path:
    """$AGON_CACHE, else $XDG_CACHE_HOME/agon, else ~/.cache/agon."""
    if folder := os.environ.get("AGON_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "agon"


def decoded(rows: ImageRows, decoding: Decoding, *, folder: Path, memory: int) -> Decoded:
    """Load the decoded images of a split from the cache, or decode them and write them there.

    Of several processes that need the same images at the same time, one decodes them and the others wait. If the cache
    cannot be written, they are kept in memory, if they fit.

    Args:
        rows: the stored images.
        decoding: how they are decoded.
        folder: folder of the cache; created if missing.
        memory: bytes of memory that may be used if the folder cannot be written.

    Raises:
        DataError: images cannot be read, or there is no room on the disk nor in memory.
    """
    key = hashlib.sha256(f"{VERSION} {rows.identity()} {decoding!r}".encode()).hexdigest()
    labels = b"" if rows.labels is None else rows.labels.tobytes()
    name = hashlib.sha256(f"{MENDED} {key}".encode() + labels).hexdigest()
    cached = _load(folder, name)
    if cached is not None:
        return cached._replace(key=key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, name, f"decodes the same {len(rows):,} images into {folder}"):
            cached = _load(folder, name)
            if cached is None:
                _decode(rows, decoding, folder, name)
                cached = _load(folder, name)
    except OSError as fault:
        return _in_memory(rows, decoding, key, memory, f"the cache {folder} cannot be written ({fault})")
    if cached is None:
        return _in_memory(rows, decoding, key, memory, f"the cache {folder} does not keep what is written")
    return cached._replace(key=key)


def _load(folder: Path, name: str) -> Decoded | None:
    """Load a set from the cache; None if it is missing or damaged."""
    try:
        about = parse_json((folder / f"{name}.json").read_text())
        images = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / f"{name}-labels.npy", allow_pickle=False)
        whole = about == _description(images, labels)
    except (OSError, ValueError, EOFError):
        return None
    if not whole:
        return None
    hold(images, folder, name)
    return Decoded(images, labels, name)


@contextmanager
def _alone(folder: Path, name: str, what: str) -> Iterator[None]:
    """A context in which no other process makes this set. Where there are no locks, each makes it for itself."""
    from filelock import FileLock

    lock = FileLock(folder / f"{name}.lock")
    held = _acquired(lock, what)
    try:
        if held:
            for left in folder.glob(f"{name}*.part"):  # of a process that was killed
                left.unlink(missing_ok=True)
        yield
    finally:
        if held:
            lock.release()
            with suppress(OSError):
                os.unlink(lock.lock_file)


def _acquired(lock: "BaseFileLock", what: str) -> bool:
    """Wait for a lock, and say for what if that takes long; False where the file system has no locks."""
    from filelock import Timeout

    try:
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            warn(f"waiting for another process, which {what}")
            lock.acquire()
    except (OSError, NotImplementedError):
        return False
    return True


def _decode(rows: ImageRows, decoding: Decoding, folder: Path, name: str) -> None:
    shape = (len(rows), *decoding.shape)
    make_room(folder, math.prod(shape))
    chunks = tracked(decoding.chunks(rows), "decoding images", len(rows), lambda chunk: len(chunk.images))
    _write(folder, name, chunks, shape)


def _description(images: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    return {
        "images": [str(images.dtype), *images.shape],
        "labels": [str(labels.dtype), *labels.shape],
        "crc32": [_checksum(images), _checksum(labels)],
    }


def _checksum(array: np.ndarray) -> int:
    flat = array.reshape(-1).view(np.uint8)
    total = 0
    for first in range(0, len(flat), BLOCK):
        total = zlib.crc32(flat[first : first + BLOCK].data, total)
        forget(array)
    return total


def _write(folder: Path, name: str, chunks: Iterator[Chunk], shape: tuple[int, ...]) -> None:
    all_labels: list[np.ndarray] = []

    def images(file: IO[bytes]) -> None:
        _header(file, shape)
        for chunk in chunks:
            # plain writes: a full disk raises an error here, but would kill the process on a memory-map
            file.write(chunk.images.data)
            all_labels.append(chunk.labels)
        file.seek(0)
        _header(file, (sum(map(len, all_labels)), *shape[1:]))  # fewer than planned if some were skipped

    _replace(folder / f"{name}.npy", images)
    labels = np.concatenate(all_labels)
    _replace(folder / f"{name}-labels.npy", lambda file: np.save(file, labels, allow_pickle=False))
    written = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    text = json.dumps(_description(written, labels)).encode()
    _replace(folder / f"{name}.json", lambda file: file.write(text))


def _header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    # numpy leaves room for the first dimension to change, so the header can be rewritten
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file atomically: under another name, flushed to the disk, then renamed."""
    handle, name = tempfile.mkstemp(prefix=path.stem, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _in_memory(rows: ImageRows, decoding: Decoding, key: str, memory: int, reason: str) -> Decoded:
    channels, height, width = decoding.shape
    size = len(rows) * channels * height * width
    if size > memory:
        raise DataError(
            f"expected room for {size / 2**30:.1f} GiB of decoded images, but {reason} and only "
            f"{memory / 2**30:.1f} GiB of memory are allowed; free the disk, set AGON_CACHE to "
            "another folder, or allow more memory"
        )
    chunks = list(decoding.chunks(rows))
    return Decoded(
        np.concatenate([chunk.images for chunk in chunks]),
        np.concatenate([chunk.labels for chunk in chunks]),
        key,
    )

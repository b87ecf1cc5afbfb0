"""Writing that a crash cannot tear: temporary name, fsync, rename; and disk errors as sentences."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agon.errors import RunError

_ADVICE = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space of your quota",
    errno.EFBIG: "raise the file size limit (ulimit -f)",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.EACCES: "make the folder writable, or choose another",
    errno.EPERM: "make the folder writable, or choose another",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within it, an error of the disk becomes one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "see that the folder exists and can be written")
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}); {advice}; "
            "what was written before is intact, and agon resume goes on from there"
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content at once: a reader sees all of the old or all of the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            write_through(temporary, content)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def refuse_undecodable(path: Path) -> None:
    """Refuse a folder of a run whose name is no text: TensorBoard's files cannot be written into it.

    Raises:
        RunError: it is not.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise RunError(f"expected a folder whose name is UTF-8, got {path}; choose or rename it to another") from error


def write_through(path: Path, content: bytes) -> None:
    """Write a new file, and return only when it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Return only when the folder's list of names is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

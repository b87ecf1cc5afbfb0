"""Hold a directory by a lock on a file in it, so that one process writes there at a time."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agon.errors import RunError
from agon.runs.directory import Directory
from agon.runs.files import writing

if TYPE_CHECKING:
    from filelock import FileLock


class HeldError(RunError):
    """Another process holds the directory."""


def lock_of(files: Directory, name: str) -> "FileLock":
    """Return a lock on a file in a directory; locking empties the file, so it must not be a link.

    The system releases it when the process ends. On a file system without locks its place is taken by the file itself,
    which a killed process leaves behind: the next one on the same machine removes it, and one on another cannot know.

    Raises:
        RunError: something else has that name.
    """
    from filelock import FileLock

    with writing(files.root):
        return FileLock(files.check(name), timeout=0)


@contextmanager
def holding(lock: "FileLock", what: str, *, seconds: float = 0.0, advice: str = "wait for it") -> Iterator[None]:
    """Hold a lock in this context; an object that holds it already may hold it once more.

    Args:
        lock: from `lock_of`.
        what: begins the sentence of the error: what is being written by another process.
        seconds: to wait for another process.
        advice: ends the sentence.

    Raises:
        HeldError: another process still holds it after that time.
        RunError: the file cannot be written, or locked.
    """
    from filelock import Timeout

    path = Path(lock.lock_file)
    with writing(path.parent), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="flock not supported")  # a sentence says it where it matters
        try:
            lock.acquire(timeout=seconds)
        except Timeout:
            raise HeldError(f"{what} being written by another process; {advice}{_left_behind(path)}") from None
        except NotImplementedError:  # of older versions of filelock
            raise RunError(
                f"{path} cannot be locked, as its file system has no locks; choose another folder, or update filelock"
            ) from None
    try:
        yield
    finally:
        lock.release()


def _left_behind(path: Path) -> str:
    """Further advice where the lock is the file itself: the system leaves such a one empty."""
    try:
        is_file_itself = path.stat().st_size > 0
    except OSError:
        return ""
    return f", or remove {path} if it was killed on another machine" if is_file_itself else ""

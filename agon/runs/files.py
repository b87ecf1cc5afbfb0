"""Writing that a crash cannot tear: temporary name, fsync, rename; and disk errors as sentences."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agon.errors import RunError
from agon.untrusted import NotRegularError, kind_of, open_regular

_ELSEWHERE = "agon report and agon evaluate write where --out says"
_ADVICE = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space of your quota",
    errno.EFBIG: "raise the file size limit (ulimit -f)",
    errno.EROFS: f"choose a folder on a disk that can be written; {_ELSEWHERE}",
    errno.EACCES: f"make the folder writable, or choose another; {_ELSEWHERE}",
    errno.EPERM: f"make the folder writable, or choose another; {_ELSEWHERE}",
    errno.ENAMETOOLONG: "choose a shorter name",
}
TEMPORARY = re.compile(r"\..+\.(json|png|npy|npz|gif|md|html)\.([0-9]+)")  # a file under way, and who writes it
UNLOCKED = "html"  # a report may be written beside whoever trains


@contextmanager
def writing(path: Path, *, instead: str = "") -> Iterator[None]:
    """Within it, an error of the disk becomes one sentence that says what to do, `instead` where it is given."""
    try:
        yield
    except NotRegularError as error:
        raise RunError(
            f"{path} cannot be written ({error}); agon writes regular files inside the directory alone: remove what "
            "is there, or choose another folder"
        ) from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "see that the folder exists and can be written")
        intact = "what was written before is intact, and agon resume goes on from there"
        told = instead or f"{advice}; {intact}"
        raise RunError(f"{path} cannot be written ({error.strerror or error}); {told}") from error


def write_atomically(path: Path, content: bytes, *, instead: str = "") -> None:
    """Replace a file's content at once: a reader sees all of the old or all of the new.

    Args:
        path: of the file.
        content: all of it.
        instead: what to do where it cannot be written, as in `writing`.
    """
    temporary = path.with_name(f".{path.name[-200:]}.{os.getpid()}")  # a name has 255 bytes at most
    with writing(path, instead=instead):
        remove(temporary)
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
    """Write a file that is not there yet, and return only when it is on the disk."""
    with open_regular(path, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL, follow=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to), or a folder with all that is in it; nothing if nothing is there."""
    if kind_of(path, follow=False) == "a folder":
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def clear(folder: Path, *, alone: bool = False) -> None:
    """Remove the files that killed processes had under way in a folder.

    Args:
        folder: of them; one without such files is left as it is.
        alone: whether nobody else writes there now, as a lock says: then no number can be a running process's.
    """
    with os.scandir(folder) as entries:
        found = [(Path(entry.path), match) for entry in entries if (match := TEMPORARY.fullmatch(entry.name))]
    for path, match in found:
        if (alone and match[1] != UNLOCKED) or not _runs(int(match[2])):
            remove(path)


def sync_folder(path: Path) -> None:
    """Return only when the folder's list of names is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True

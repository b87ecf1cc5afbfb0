"""Write files atomically (temporary name, fsync, rename), and turn errors of the disk into sentences."""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agon.errors import RunError
from agon.untrusted import NotRegularError, kind_of, open_regular

if TYPE_CHECKING:
    from torch import Tensor

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
RESUMED = "what was written before is intact, and agon resume goes on from there"  # of a run
AGAIN = "the same command goes on from what was written before"  # of a tournament, a skill, a paper's item
TEMPORARY = re.compile(r"\..+\.(jsonl?|png|npy|npz|gif|md|html)\.([0-9]+)")  # with the number of the writing process
SYSTEM_ERROR = re.compile(r"\(os error ([0-9]+)\)")  # as safetensors spells an error of the disk
UNLOCKED = "html"  # a report may be written while another process trains


@contextmanager
def writing(path: Path, *, instead: str = "", then: str = RESUMED) -> Iterator[None]:
    """Turn an error of the disk into one sentence that says what to do.

    Args:
        path: what is written.
        instead: replaces all advice.
        then: how to go on afterwards; nothing for a file that is no part of a run.
    """
    try:
        yield
    except NotRegularError as error:
        raise RunError(
            f"{path} cannot be written ({error}); agon writes regular files inside the directory alone: remove what "
            "is there, or choose another folder"
        ) from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "see that the folder exists and can be written")
        full_advice = instead or "; ".join(filter(None, (advice, then)))
        raise RunError(f"{path} cannot be written ({error.strerror or error}); {full_advice}") from error


def write_atomically(path: Path, content: bytes, *, instead: str = "", then: str = RESUMED) -> None:
    """Replace a file's content atomically: a reader sees the whole old or the whole new content.

    Args:
        path: path of the file.
        content: the new content.
        instead: replaces all advice if it cannot be written, as in `writing`.
        then: how to go on afterwards, as in `writing`.
    """
    temporary = path.with_name(f".{path.name[-200:]}.{os.getpid()}")  # a name has 255 bytes at most
    with writing(path, instead=instead, then=then):
        remove(temporary)
        try:
            write_through(temporary, content)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def refuse_undecodable(path: Path) -> None:
    """Refuse a run's folder whose name is not UTF-8, since TensorBoard cannot write into it.

    Raises:
        RunError: the name is not UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise RunError(f"expected a folder whose name is UTF-8, got {path}; choose or rename it to another") from error


def write_through(path: Path, content: bytes) -> None:
    """Write a new file, and return only when it is on the disk."""
    with open_regular(path, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL, follow=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def save_tensors(path: Path, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, str] | None = None) -> None:
    """Write contiguous tensors that share no memory as safetensors, without a copy of them in memory.

    Raises:
        OSError: the disk refuses.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(dict(tensors), path, None if metadata is None else dict(metadata))
    except SafetensorError as error:
        number = SYSTEM_ERROR.search(str(error))
        raise (OSError(int(number[1]), os.strerror(int(number[1]))) if number else error) from error
    with suppress(OSError):  # not every file system has modes
        path.chmod(path.parent.stat().st_mode & 0o666)  # it has been written for its owner alone


def remove(path: Path) -> None:
    """Remove a file, a link (not its target), or a folder with its content; do nothing if nothing is there."""
    if kind_of(path, follow=False) == "a folder":
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def clear(folder: Path, *, alone: bool = False) -> None:
    """Remove temporary files that killed processes left in a folder.

    Args:
        folder: the folder.
        alone: whether a lock ensures that no other process writes there; then no file belongs to a running one.
    """
    with os.scandir(folder) as entries:
        temporary = [(Path(entry.path), match) for entry in entries if (match := TEMPORARY.fullmatch(entry.name))]
    for path, match in temporary:
        if (alone and match[1] != UNLOCKED) or not _runs(int(match[2])):
            remove(path)


def sync_folder(path: Path) -> None:
    """Return only when the folder's entries are on the disk."""
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

"""The one way to the files of a run: regular files inside its directory, reached through no link."""

import os
from pathlib import Path, PurePosixPath

from agon.errors import RunError
from agon.runs.files import clear, remove, write_atomically, writing
from agon.runs.limits import ENTRIES, RECORDS, SAMPLES
from agon.untrusted import NotRegularError, kind_of, open_regular, read_regular

FOLDER = "a folder"


class Directory:
    """A directory whose content may come from elsewhere.

    The directory itself may be reached by a link: whoever names it knows where it leads. Below it each folder on the
    way to a file must be one, and the file a regular one, or a NotRegularError, which is an OSError, says what it is.
    Whatever writes turns errors of the disk into a RunError.

    Attributes:
        root: the directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Where a file lies, the folders on the way checked.

        Raises:
            NotRegularError: the name leads out of the directory, or a folder on the way is none.
        """
        folder, _, last = name.rpartition("/")
        return self.folder(folder) / last

    def folder(self, name: str) -> Path:
        """Where a folder lies, if it is there: it and those on the way to it are no links.

        Raises:
            NotRegularError: one is, or is something else, or the name leads out of the directory.
        """
        place = self.root
        for part in PurePosixPath(name).parts:
            place = place / part
            if part in ("..", "/"):
                raise NotRegularError(f"{place} is not inside {self.root}")
            if (kind := kind_of(place, follow=False)) not in (None, FOLDER):
                raise NotRegularError(f"{place} is {kind}, not a folder")
        return place

    def holds(self, name: str) -> bool:
        """Whether anything of that name is there, be it a link that leads nowhere."""
        return os.path.lexists(self.root / name)

    def is_file(self, name: str) -> bool:
        """Whether a regular file is there."""
        try:
            path = self.path(name)
        except NotRegularError:
            return False
        return path.is_file() and not path.is_symlink()

    def check(self, name: str) -> Path:
        """The path of a regular file, or of nothing yet.

        Raises:
            NotRegularError: it is anything else.
        """
        path = self.path(name)
        if (kind := kind_of(path, follow=False)) is not None:
            raise NotRegularError(f"{path} is {kind}, not a regular file")
        return path

    def read(self, name: str, most: int = RECORDS) -> bytes:
        """The content of a file of at most `most` bytes.

        Raises:
            OSError: there is no such regular file, it is larger, or cannot be read.
        """
        return read_regular(self.path(name), most=most, follow=False)

    def names(self, folder: str) -> list[str]:
        """What a folder holds, in no order; nothing where it is missing.

        Raises:
            OSError: it is no folder, cannot be read, or holds more than `ENTRIES`.
        """
        path = self.folder(folder)
        if not path.exists():
            return []
        with os.scandir(path) as entries:
            found = [entry.name for _, entry in zip(range(ENTRIES + 1), entries, strict=False)]
        if len(found) > ENTRIES:
            raise OSError(f"{path} holds more than {ENTRIES:,} files, which is as many as are read")
        return found

    def append(self, name: str, content: bytes) -> None:
        """Add to a file, which is made where it is missing, in one write."""
        with writing(self.root / name):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            with open_regular(self.path(name), flags=flags, follow=False) as file:
                file.write(content)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file's content at once."""
        with writing(self.root / name):
            path = self.check(name)
        write_atomically(path, content)

    def cut(self, name: str, length: int) -> None:
        """Cut a file to its first bytes."""
        with (
            writing(self.root / name),
            open_regular(self.path(name), flags=os.O_WRONLY | os.O_APPEND, follow=False) as file,
        ):
            file.truncate(length)

    def size(self, name: str) -> int:
        """Bytes of a file that are certainly on the disk; 0 where there is none."""
        if not self.holds(name):
            return 0
        with writing(self.root / name), open_regular(self.path(name), follow=False) as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def remove(self, name: str) -> None:
        """Remove a file, a link itself, or a folder."""
        with writing(self.root / name):
            remove(self.path(name))

    def make(self, folder: str) -> Path:
        """A folder, made where it is missing."""
        with writing(self.root / folder):
            path = self.folder(folder)
            path.mkdir(parents=True, exist_ok=True)
            return path

    def clear(self, folder: str = ".", *, alone: bool = False) -> None:
        """Remove what killed processes had under way in a folder.

        Args:
            folder: in the directory, or the directory itself; nothing happens where it is missing, or a link.
            alone: whether a lock says that nobody else writes there, so that it cannot be a running process's.
        """
        if folder == "." or kind_of(self.root / folder, follow=False) == FOLDER:
            with writing(self.root / folder):
                clear(self.root / folder, alone=alone)


def content_of(path: Path) -> bytes:
    """The content of a file that lies in a folder of a run, such as samples/real.png.

    Raises:
        OSError: it is no regular file there, too large, or cannot be read.
    """
    return Directory(path.parent.parent).read(f"{path.parent.name}/{path.name}", SAMPLES)


def unreadable(error: OSError | ValueError, what: object, advice: str) -> RunError:
    """The sentence for a file that cannot be read."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return RunError(f"{what} cannot be read ({reason}); {advice}")

"""Access to the files of a run: regular files inside its directory, never reached through a link."""

import os
from pathlib import Path, PurePosixPath

from agon.errors import RunError
from agon.runs.files import RESUMED, clear, remove, write_atomically, writing
from agon.runs.limits import ENTRIES, RECORDS, SAMPLES
from agon.untrusted import NotRegularError, kind_of, open_regular, parse_json, read_regular

FOLDER = "a folder"
LINE = 4_096  # bytes that are read at a time to find the end of a file's last line


class Directory:
    """A directory whose content may come from another machine.

    The path of the directory itself may be a link, which the user chose. Inside it, links are not followed: if a
    folder or a file is anything else, a NotRegularError, which is an OSError, says what it is. Methods that write turn
    errors of the disk into a RunError.

    Attributes:
        root: path of the directory.
        then: how to go on after an error of the disk, as in `writing`: by default as with a run.
    """

    def __init__(self, root: Path, *, then: str = RESUMED) -> None:
        self.root, self.then = root, then

    def path(self, name: str) -> Path:
        """Return the path of a file, after checking the folders on the way.

        Raises:
            NotRegularError: the name leads out of the directory, or a folder on the way is not a folder.
        """
        folder, _, last = name.rpartition("/")
        return self.folder(folder) / last

    def folder(self, name: str) -> Path:
        """Return the path of a folder, after checking it and the folders on the way.

        Raises:
            NotRegularError: one of them is a link or not a folder, or the name leads out of the directory.
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
        """Whether anything has that name, even a dangling link."""
        return os.path.lexists(self.root / name)

    def is_file(self, name: str) -> bool:
        """Whether a regular file has that name."""
        try:
            path = self.path(name)
        except NotRegularError:
            return False
        return path.is_file() and not path.is_symlink()

    def check(self, name: str) -> Path:
        """Return the path of a regular file, or of a file that does not exist yet.

        Raises:
            NotRegularError: something else has that name.
        """
        path = self.path(name)
        if (kind := kind_of(path, follow=False)) is not None:
            raise NotRegularError(f"{path} is {kind}, not a regular file")
        return path

    def read(self, name: str, most: int = RECORDS) -> bytes:
        """Read a file of at most `most` bytes.

        Raises:
            OSError: there is no such regular file, it is larger, or it cannot be read.
        """
        return read_regular(self.path(name), most=most, follow=False)

    def names(self, folder: str) -> list[str]:
        """List the names in a folder, in no order; none if it is missing.

        Raises:
            OSError: it is not a folder, cannot be read, or holds more than `ENTRIES` names.
        """
        path = self.folder(folder)
        if not path.exists():
            return []
        with os.scandir(path) as entries:
            names = [entry.name for _, entry in zip(range(ENTRIES + 1), entries, strict=False)]
        if len(names) > ENTRIES:
            raise OSError(f"{path} holds more than {ENTRIES:,} files, which is as many as are read")
        return names

    def append(self, name: str, content: bytes) -> None:
        """Append lines to a file, all of them or none; create it if it is missing.

        The beginning of a line that a full disk or a killed process has left at its end is cut off first: it would make
        the next line unreadable too.
        """
        with writing(self.root / name, then=self.then):
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
            with open_regular(self.path(name), flags=flags, follow=False) as file:
                _append_lines(file.fileno(), content)

    def write(self, name: str, content: bytes) -> None:
        """Replace a file's content atomically."""
        with writing(self.root / name, then=self.then):
            path = self.check(name)
        write_atomically(path, content, then=self.then)

    def cut(self, name: str, length: int) -> None:
        """Truncate a file to a length in bytes."""
        with (
            writing(self.root / name, then=self.then),
            open_regular(self.path(name), flags=os.O_WRONLY | os.O_APPEND, follow=False) as file,
        ):
            file.truncate(length)

    def size(self, name: str) -> int:
        """Return the bytes of a file that are surely on the disk; 0 if it is missing."""
        if not self.holds(name):
            return 0
        with writing(self.root / name, then=self.then), open_regular(self.path(name), follow=False) as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def remove(self, name: str) -> None:
        """Remove a file, a link itself, or a folder."""
        with writing(self.root / name, then=self.then):
            remove(self.path(name))

    def make(self, folder: str) -> Path:
        """Return the path of a folder; create it if it is missing."""
        with writing(self.root / folder, then=self.then):
            path = self.folder(folder)
            path.mkdir(parents=True, exist_ok=True)
            return path

    def clear(self, folder: str = ".", *, alone: bool = False) -> None:
        """Remove temporary files that killed processes left in a folder.

        Args:
            folder: a folder in the directory, or the directory itself; if it is missing or a link, nothing happens.
            alone: whether a lock ensures that no other process writes there.
        """
        if folder == "." or kind_of(self.root / folder, follow=False) == FOLDER:
            with writing(self.root / folder, then=self.then):
                clear(self.root / folder, alone=alone)


def _append_lines(descriptor: int, content: bytes) -> None:
    """Append lines, or leave all of the file's whole lines as they were; a whole line may lack its end alone."""
    whole, size = _whole_lines(descriptor), os.fstat(descriptor).st_size
    if whole < size and _is_record(os.pread(descriptor, size - whole, whole)):
        whole, content = size, b"\n" + content
    left = memoryview(content)
    os.ftruncate(descriptor, whole)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        os.ftruncate(descriptor, whole)
        raise


def _is_record(line: bytes) -> bool:
    """Whether a line is whole: JSON, of which no beginning is."""
    try:
        return isinstance(parse_json(line, finite=False), dict)
    except ValueError:
        return False


def _whole_lines(descriptor: int) -> int:
    """The bytes of a file up to the end of its last whole line."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - LINE)
        if (last := os.pread(descriptor, end - begin, begin).rfind(b"\n")) >= 0:
            return begin + last + 1
        end = begin
    return 0


def content_of(path: Path) -> bytes:
    """Read a file in a folder of a run, such as samples/real.png.

    Raises:
        OSError: it is not a regular file, is too large, or cannot be read.
    """
    return Directory(path.parent.parent).read(f"{path.parent.name}/{path.name}", SAMPLES)


def unreadable(error: OSError | ValueError, what: object, advice: str) -> RunError:
    """Return the error for a file that cannot be read."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return RunError(f"{what} cannot be read ({reason}); {advice}")

"""Handle untrusted input: paths that may lead anywhere, JSON of any depth, names with any characters."""

import json
import os
import stat
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard, cast

NAMED = 10  # names in one message
LONG = 200  # characters of one value in a message
DEPTH = 100  # of nested JSON; agon's own files have less than 20
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)  # by JSON that is not what it should be

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symbolic link",
}


class NotRegularError(OSError):
    """The path does not lead to a regular file, but to a pipe, a socket, a device, a folder, or a link."""


def open_regular(path: Path, *, flags: int = os.O_RDONLY, follow: bool = True) -> BinaryIO:
    """Open a regular file, and nothing else: a pipe would block, and a device may never end.

    Args:
        path: the file.
        flags: as in `os.open`; O_WRONLY, O_APPEND, O_CREAT and so on to write.
        follow: whether to follow a symbolic link at the end of the path.

    Raises:
        NotRegularError: the path does not lead to a regular file.
        OSError: the file cannot be opened.
    """
    if not follow and path.is_symlink():
        raise NotRegularError(f"{path} is a symbolic link, not a regular file")
    mode = "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "ab" if flags & os.O_APPEND else "wb"
    try:
        handle = os.open(path, flags | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW) | os.O_CLOEXEC, 0o666)
    except OSError as error:
        kind = kind_of(path)
        raise (error if kind is None else NotRegularError(f"{path} is {kind}, not a regular file")) from error
    kind = KINDS.get(stat.S_IFMT(os.fstat(handle).st_mode))
    if kind is not None:
        os.close(handle)
        raise NotRegularError(f"{path} is {kind}, not a regular file")
    return cast(BinaryIO, os.fdopen(handle, mode))


def kind_of(path: Path, *, follow: bool = True) -> str | None:
    """The kind of a path that is not a regular file, such as "a folder"; None for a regular file or a missing one."""
    try:
        return KINDS.get(stat.S_IFMT(path.stat(follow_symlinks=follow).st_mode))
    except (OSError, ValueError):
        return None


def read_regular(path: Path, *, most: int | None = None, follow: bool = True) -> bytes:
    """Read a regular file of at most `most` bytes.

    Raises:
        OSError: it is not a regular file, is larger, or cannot be read.
    """
    with open_regular(path, follow=follow) as file:
        size = os.fstat(file.fileno()).st_size
        if most is not None and size > most:
            raise OSError(f"{path} has {size:,} bytes, more than the {most:,} that are read")
        return file.read()


def parse_json(content: bytes | str, *, finite: bool = True) -> Any:
    """Parse a JSON text that is nested at most `DEPTH` deep; its whole numbers may be any, see `is_number`.

    Args:
        content: the text; bytes are read as UTF-8.
        finite: whether to refuse NaN and Infinity, which Python writes but JSON does not allow, and 1e400, which it
            reads as Infinity.

    Raises:
        ValueError: the text is not such JSON.
    """
    try:
        refusals: dict[str, Any] = {"parse_constant": _refuse, "parse_float": _finite} if finite else {}
        value = json.loads(content, **refusals)
        deep = depth(value) > DEPTH
    except RecursionError:
        deep = True
    if deep:
        raise ValueError(f"it is nested more than {DEPTH} deep")
    return value


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number that floats can hold: no boolean, not NaN, and within their range.

    >>> is_number(0.5), is_number(float("nan")), is_number(10**400), is_number(True), is_number("1")
    (True, False, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max


def depth(value: Any) -> int:
    """How deep lists and objects are nested: 0 for a plain value."""
    nested, deep = _containers([value]), 0
    while nested:
        deep += 1
        nested = _containers(
            part for outer in nested for part in (outer.values() if isinstance(outer, dict) else outer)
        )
    return deep


def printable(text: str) -> str:
    """Replace line breaks, terminal escapes, other control characters and surrogates by visible escapes.

    >>> print(printable("a\\x1b[31mb\\nc"))
    a\\x1b[31mb\\nc
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def cut(text: str, most: int = LONG) -> str:
    """Shorten a text that is longer than `most` to its beginning and end, with the number of characters left out.

    >>> cut("abcdefghij", most=4)
    'ab…(6 more)…ij'
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}…({len(text) - 2 * half:,} more)…{text[-half:]}"


def shortened(text: str, most: int = LONG) -> str:
    """Make a text safe to print, and cut it if it is longer than `most`."""
    return cut(printable(text), most)


def sentence(text: str, most: int = 1_500) -> str:
    """Make a message safe to print and join its lines; cut long lines, and then the whole."""
    return cut(" ".join(shortened(line, most) for line in text.split("\n") if line), most)


def listed(names: Iterable[object], most: int = NAMED) -> str:
    """List the first names, safe to print and cut if long, and say how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    all_names: Collection[object] = names if isinstance(names, Collection) else list(names)
    first = ", ".join(shortened(str(name)) for _, name in zip(range(most), all_names, strict=False))
    return first if len(all_names) <= most else f"{first} and {len(all_names) - most:,} more"


def _containers(values: Iterable[Any]) -> list[dict[str, Any] | list[Any]]:
    return [value for value in values if isinstance(value, (dict, list))]


def _finite(text: str) -> float:
    value = float(text)
    if not is_number(value):
        raise ValueError(f"{text:.40} is beyond the range of numbers")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")

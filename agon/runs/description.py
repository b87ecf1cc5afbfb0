"""What describes a run, as JSON: bounded in size, depth, number of values and length of texts before it is used."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.runs.directory import Directory, unreadable
from agon.runs.limits import DESCRIPTION, TEXT, VALUES
from agon.untrusted import parse_json

ADVICE = "put back the file that was written, or begin again elsewhere"


def text_of(files: Directory, name: str) -> str:
    """The text of a file of JSON, as it was written.

    Raises:
        RunError: it cannot be read, or is no JSON within the limits.
    """
    described(files, name)
    return files.read(name, DESCRIPTION).decode()


def described(files: Directory, name: str) -> dict[str, Any]:
    """The object that a file of JSON holds.

    Raises:
        RunError: it cannot be read, or is no JSON object within the limits.
    """
    try:
        value = parse_json(files.read(name, DESCRIPTION))
        if not isinstance(value, dict):
            raise ValueError("expected a JSON object")
        _check(value)
    except (OSError, ValueError) as error:
        raise unreadable(error, files.root / name, ADVICE) from error
    return value


def described_to_show(path: Path) -> dict[str, Any]:
    """The object that a file of JSON holds, for a page that only shows it: numbers may be not finite, texts long.

    Raises:
        RunError: it cannot be read, or is no JSON object.
    """
    try:
        value = parse_json(text_to_show(path, DESCRIPTION), finite=False)
    except ValueError as error:
        raise RunError(f"{path} is not JSON ({error}); restore it from a copy, or leave this run out") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(value).__name__}; leave this run out")
    return value


def text_to_show(path: Path, most: int) -> str:
    """The text of a file of a run, of at most `most` bytes; what is no UTF-8 is replaced.

    Raises:
        RunError: it cannot be read.
    """
    try:
        return Directory(path.parent).read(path.name, most).decode("utf-8", "replace")
    except OSError as error:
        raise unreadable(error, path, "put a regular file back that you may read, or leave this run out") from error


def _check(value: Any) -> None:
    for count, each in enumerate(_values(value)):
        if count == VALUES:
            raise ValueError(f"it has more than {VALUES:,} values")
        if isinstance(each, str) and len(each) > TEXT:
            raise ValueError(f"it has a text of {len(each):,} characters, more than {TEXT:,}")
        if isinstance(each, str) and not _whole(each):
            raise ValueError(f"it has a text that cannot be written down, {each[:40]!a}")


def _values(value: Any) -> Iterator[Any]:
    """Every value, name and text in it."""
    left = [value]
    while left:
        each = left.pop()
        yield each
        if isinstance(each, dict):
            yield from each
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)


def _whole(text: str) -> bool:
    """Whether a path may have it: no zero byte, and no half character but those that stand for a byte (PEP 383)."""
    return "\0" not in text and not re.search("[\ud800-\udc7f\udd00-\udfff]", text)

"""Read the JSON that describes a run, with limits on its size, depth, number of values and length of texts."""

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
    """Read the text of a JSON file.

    Raises:
        RunError: it cannot be read, or is not JSON within the limits.
    """
    described(files, name)
    return files.read(name, DESCRIPTION).decode()


def described(files: Directory, name: str) -> dict[str, Any]:
    """Read the object in a JSON file.

    Raises:
        RunError: it cannot be read, or is not a JSON object within the limits.
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
    """Read the object in a JSON file for a page that only shows it; numbers may be infinite and texts long.

    Raises:
        RunError: it cannot be read, or is not a JSON object.
    """
    try:
        value = parse_json(text_to_show(path, DESCRIPTION), finite=False)
    except ValueError as error:
        raise RunError(f"{path} is not JSON ({error}); restore it from a copy, or leave this run out") from error
    if not isinstance(value, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(value).__name__}; leave this run out")
    return value


def text_to_show(path: Path, most: int) -> str:
    """Read the text of a run's file, of at most `most` bytes; invalid UTF-8 is replaced.

    Raises:
        RunError: it cannot be read.
    """
    try:
        return Directory(path.parent).read(path.name, most).decode("utf-8", "replace")
    except OSError as error:
        raise unreadable(error, path, "put a regular file back that you may read, or leave this run out") from error


def _check(value: Any) -> None:
    for count, item in enumerate(_values(value)):
        if count == VALUES:
            raise ValueError(f"it has more than {VALUES:,} values")
        if isinstance(item, str) and len(item) > TEXT:
            raise ValueError(f"it has a text of {len(item):,} characters, more than {TEXT:,}")
        if isinstance(item, str) and not _whole(item):
            raise ValueError(f"it has a text that cannot be written down, {item[:40]!a}")


def _values(value: Any) -> Iterator[Any]:
    """Yield the value and every value, name and text in it."""
    left = [value]
    while left:
        item = left.pop()
        yield item
        if isinstance(item, dict):
            yield from item
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def _whole(text: str) -> bool:
    """Whether a path may contain the text: no zero byte, and no surrogates except those of PEP 383."""
    return "\0" not in text and not re.search("[\ud800-\udc7f\udd00-\udfff]", text)

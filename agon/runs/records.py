"""Records, one JSON object a line: written and read here alone; the log's are TensorBoard events too."""

import json
import math
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.runs.description import text_to_show
from agon.runs.directory import Directory, unreadable
from agon.runs.files import refuse_undecodable, writing
from agon.runs.limits import RECORDS
from agon.untrusted import parse_json


def append(path: Path, *records: Mapping[str, Any]) -> None:
    """Add a line for each record to a file of JSON lines, in one write: all are there, or a last one is torn."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    Directory(path.parent).append(path.name, lines.encode("utf-8", "backslashreplace"))


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a file of JSON lines; the last one may have been torn by a crash.

    Raises:
        RunError: it is no regular file, or too large.
    """
    files = Directory(path.parent)
    if not files.holds(path.name):
        return []
    try:
        content = files.read(path.name)
    except OSError as error:
        raise unreadable(error, path, "put a regular file back, or remove it") from error
    records = []
    for line in content.splitlines():
        try:
            record = parse_json(line, finite=False)
        except ValueError:
            break
        if isinstance(record, dict):
            records.append(record)
    return records


def numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records of a file with the number of their lines, for whoever must not miss one: damage is refused.

    A last line without its end is left out: it is being written now, or was when the machine went down.

    Raises:
        RunError: it is no regular file, too large, or a line of it is no JSON object.
    """
    text = text_to_show(path, RECORDS) if Directory(path.parent).holds(path.name) else ""
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            record = parse_json(line, finite=False)
        except ValueError as error:
            raise RunError(f"{path}, line {number} is not JSON ({error}); delete the line and report again") from error
        if not isinstance(record, dict):
            raise RunError(f"{path}, line {number}: expected a JSON object, got {line[:40]!r}; delete the line")
        yield number, record


def read_log(path: Path) -> list[Mapping[str, float]]:
    """The log in order of its steps; where a resumed training made a step again, the later record counts.

    Raises:
        RunError: as `numbered`, or a record holds something other than numbers, or no step.
    """
    records: dict[int, Mapping[str, float]] = {}
    for line, entries in numbered(path):
        record = {key: as_number(path, line, key, value) for key, value in entries.items()}
        step = record.get("step", math.nan)
        if not math.isfinite(step):
            raise RunError(f"{path}, line {line}: expected a step, got none; delete the line and report again")
        records[int(step)] = record
    return [records[step] for step in sorted(records)]


def as_number(path: Path, line: int, key: str, value: object) -> float:
    """The number in a record; null and "nan" are NaN, since JSON has no word for it, and writers differ.

    Raises:
        RunError: it is none.
    """
    try:
        return math.nan if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{path}, line {line}: expected a number for {key!r}, got {value!r}; delete the line and report again"
        ) from error


def size(path: Path) -> int:
    """Bytes of the file that are certainly on the disk."""
    return Directory(path.parent).size(path.name)


def cut(path: Path, length: int) -> None:
    """Cut the file to its first `length` bytes: what a checkpoint had seen of it.

    Raises:
        RunError: the file is shorter than that.
    """
    present = size(path)
    if present < length:
        raise RunError(
            f"{path} has {present} bytes, and the checkpoint was written when it had {length}; "
            "put the whole file back, or begin again in another folder"
        )
    if present > length:
        Directory(path.parent).cut(path.name, length)


class Events:
    """TensorBoard's event files of one run; those after the step that it goes on from are purged.

    The file that is written is always a new one: nobody can have put a link in its place.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        refuse_undecodable(folder)
        place = str(Directory(folder.parent).make(folder.name))
        with writing(folder):
            self.writer: Any = SummaryWriter(place, purge_step=step + 1, filename_suffix=f".{secrets.token_hex(8)}")

    def add(self, record: Mapping[str, float]) -> None:
        """One scalar for each number of the record that is not the step itself."""
        for name, value in record.items():
            if name != "step":
                self.writer.add_scalar(name, value, record["step"])

    def close(self) -> None:
        """Write what is pending."""
        self.writer.close()

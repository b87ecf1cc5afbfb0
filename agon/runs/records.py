"""Write and read records, one JSON object a line; the records of the log are TensorBoard events too."""

import json
import math
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.runs.description import text_to_show
from agon.runs.directory import Directory, unreadable
from agon.runs.files import refuse_undecodable, writing
from agon.runs.limits import RECORDS
from agon.untrusted import parse_json


def append(path: Path, *records: Mapping[str, Any]) -> None:
    """Append a line for each record to a file of JSON lines, in one write."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    Directory(path.parent).append(path.name, lines.encode("utf-8", "backslashreplace"))


def read(path: Path) -> list[dict[str, Any]]:
    """Read all undamaged lines of a file of JSON lines; a crash may have cut the last one, and a bad disk any.

    Raises:
        RunError: it is not a regular file, or too large.
    """
    return read_some(path, range)


def read_some(path: Path, choose: Callable[[int], Iterable[int]]) -> list[dict[str, Any]]:
    """Read some of the lines of a file of JSON lines, without those that are damaged; the others cost nothing.

    Args:
        path: the file; a missing one has no lines.
        choose: called with the number of lines; returns which to read, in their order.

    Raises:
        RunError: it is not a regular file, or too large.
    """
    files = Directory(path.parent)
    if not files.holds(path.name):
        return []
    try:
        lines = files.read(path.name).splitlines()
    except OSError as error:
        raise unreadable(error, path, "put a regular file back, or remove it") from error
    records = []
    for number in choose(len(lines)):
        try:
            record = parse_json(lines[number], finite=False)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records of a file with their line numbers, and refuse damaged lines.

    An incomplete last line is left out: a process is writing it, or was when the machine went down.

    Raises:
        RunError: it is not a regular file, is too large, or a line is not a JSON object.
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
    """Read the log in the order of its steps; if a resumed training repeated a step, the later record counts.

    Raises:
        RunError: as in `numbered`, or a record holds something other than numbers, or no step.
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
    """Return a value of a record as a number; null and "nan" are NaN, for which JSON has no word.

    Raises:
        RunError: it is not a number.
    """
    try:
        return math.nan if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{path}, line {line}: expected a number for {key!r}, got {value!r:.40}; delete the line and report again"
        ) from error


def size(path: Path) -> int:
    """Return the bytes of the file that are surely on the disk."""
    return Directory(path.parent).size(path.name)


def cut(path: Path, length: int) -> None:
    """Truncate the file to `length` bytes, its size when a checkpoint was written.

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
    """TensorBoard's event files of one run; events after the step from which it continues are purged.

    It always writes a new file, so that it cannot follow a link.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        refuse_undecodable(folder)
        place = str(Directory(folder.parent).make(folder.name))
        with writing(folder):
            self.writer: Any = SummaryWriter(place, purge_step=step + 1, filename_suffix=f".{secrets.token_hex(8)}")

    def add(self, record: Mapping[str, float]) -> None:
        """Add a scalar for each number of the record except the step."""
        for name, value in record.items():
            if name != "step":
                self.writer.add_scalar(name, value, record["step"])

    def show(self, name: str, png: bytes, step: int) -> None:
        """Add a picture."""
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        with Image.open(BytesIO(png)) as picture:
            width, height, channels = *picture.size, len(picture.getbands())
        content = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=png)
        summary = Summary(value=[Summary.Value(tag=name, image=content)])
        self.writer.file_writer.add_summary(summary, step)  # add_image would decode and encode the picture again

    def note(self, name: str, text: str, step: int) -> None:
        """Add a line of text."""
        self.writer.add_text(name, text, step)

    def close(self) -> None:
        """Write pending events."""
        self.writer.close()

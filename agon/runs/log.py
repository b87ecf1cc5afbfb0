"""Records of a run, a line each: log.jsonl, and the same numbers as TensorBoard events."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.runs.files import refuse_undecodable, writing


def append(path: Path, *records: Mapping[str, Any]) -> None:
    """Add a line for each record to a file of JSON lines, in one write: all are there, or a last one is torn."""
    with writing(path), path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a file of JSON lines; the last one may have been torn by a crash."""
    if not path.exists():
        return []
    records = []
    for line in path.read_bytes().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            break
        if isinstance(record, dict):
            records.append(record)
    return records


def size(path: Path) -> int:
    """Bytes of the file that are certainly on the disk."""
    if not path.exists():
        return 0
    with writing(path), path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def cut(path: Path, length: int) -> None:
    """Cut the file to its first `length` bytes: what a checkpoint had seen of it.

    Raises:
        RunError: the file is shorter than that.
    """
    present = path.stat().st_size if path.exists() else 0
    if present < length:
        raise RunError(
            f"{path} has {present} bytes, and the checkpoint was written when it had {length}; "
            "put the whole file back, or begin again in another folder"
        )
    if present > length:
        with writing(path):
            os.truncate(path, length)


class Events:
    """TensorBoard's event files of one run; those after the step that it goes on from are purged."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        refuse_undecodable(folder)
        with writing(folder):
            self.writer: Any = SummaryWriter(str(folder), purge_step=step + 1)

    def add(self, record: Mapping[str, float]) -> None:
        """One scalar for each number of the record that is not the step itself."""
        for name, value in record.items():
            if name != "step":
                self.writer.add_scalar(name, value, record["step"])

    def close(self) -> None:
        """Write what is pending."""
        self.writer.close()

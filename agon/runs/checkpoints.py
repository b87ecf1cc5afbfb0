"""Checkpoints: a folder each with safetensors and JSON, written completely or not at all, never a pickle."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from agon.errors import CheckpointError, RunError
from agon.runs import limits
from agon.runs.directory import Directory, unreadable
from agon.runs.files import remove, save_tensors, sync_folder, write_through, writing
from agon.runs.layout import STATE
from agon.untrusted import listed, open_regular, parse_json

KEPT = 3  # since the newest two may be damaged on the disk
TENSORS = "tensors.safetensors"
NAME = re.compile(r"[0-9]{8,18}")


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a training needs to continue as if it had never stopped.

    Attributes:
        step: number of steps done.
        tensors: weights, buffers, optimiser moments, averages and random streams, by name.
        state: everything else, as plain values.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint, kept: int | None = KEPT, spared: Collection[int] = ()) -> Path:
    """Write a checkpoint atomically, then remove all but the newest `kept` (None: all) and those of `spared` steps.

    It is written under another name, synced, and renamed, so that a crash at any moment leaves each checkpoint
    complete or absent.
    """
    target = place(folder, checkpoint.step)
    temporary = folder / f".writing-{target.name}-{os.getpid()}"
    Directory(folder.parent).make(folder.name)
    clear(folder)
    with writing(target):
        try:
            temporary.mkdir()
            _write(temporary, checkpoint)
            remove(target)  # the same step, saved before the training continued from an older one
            temporary.rename(target)
            sync_folder(folder)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    for old in paths(folder)[:-kept] if kept else []:
        if int(old.name) not in spared:
            shutil.rmtree(old, ignore_errors=True)
    return target


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and verify both its files.

    Raises:
        CheckpointError: a file is missing, not regular, or truncated, or its bytes have changed.
    """
    step, values, content = _verified(path)
    return Checkpoint(step, _tensors(path, content), values)


def verified(path: Path) -> tuple[str, dict[str, Any]]:
    """Read a checkpoint and verify both its files; return the checksum of its tensors, and its other values.

    Raises:
        CheckpointError: as in `load`.
    """
    _, values, content = _verified(path)
    return _digest(content), values


def _verified(path: Path) -> tuple[int, dict[str, Any], bytes]:
    """Read the step, the state and the bytes of the tensors."""
    files = Directory(path.parent)
    try:
        state = parse_json(files.read(f"{path.name}/{STATE}", limits.STATE))
        content = files.read(f"{path.name}/{TENSORS}", limits.tensors())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error})") from error
    if not isinstance(state, dict) or state.pop("sha256", None) != _digest(_canonical(state)):
        raise CheckpointError(f"checkpoint {path}: {STATE} does not have the checksum it was written with")
    if state.get("tensors") != _digest(content):
        raise CheckpointError(f"checkpoint {path}: {TENSORS} does not have the checksum it was written with")
    step, values = state.get("step"), state.get("state")
    if type(step) is not int or f"{step:08d}" != path.name or not isinstance(values, dict):
        raise CheckpointError(f"checkpoint {path}: expected the state of step {path.name}, got that of {step!r:.40}")
    return step, values, content


def good(folder: Path, complaints: list[str]) -> Iterator[Checkpoint]:
    """Yield the undamaged checkpoints, newest first; add a sentence for each damaged one to the complaints."""
    for path in reversed(paths(folder)):
        try:
            checkpoint = load(path)
        except CheckpointError as error:
            complaints.append(str(error))
        else:
            yield checkpoint


def last_good(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest undamaged checkpoint, if any, and a sentence for each newer, damaged one.

    Raises:
        RunError: there are checkpoints, and all are damaged.
    """
    complaints: list[str] = []
    checkpoint = next(good(folder, complaints), None)
    if checkpoint is None and complaints:
        raise none_intact(complaints)
    return checkpoint, complaints


def none_intact(complaints: list[str]) -> RunError:
    """Return the error for a run whose checkpoints are all damaged."""
    return RunError(f"no checkpoint is intact: {listed(complaints)}; begin again in another folder")


def place(folder: Path, step: int) -> Path:
    """Return the path of the checkpoint of a step."""
    return folder / f"{step:08d}"


def paths(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a folder, oldest first.

    Raises:
        RunError: it is not a folder.
    """
    try:
        names = Directory(folder.parent).names(folder.name)
    except OSError as error:
        raise unreadable(error, folder, "put the folder back, or begin again elsewhere") from error
    candidates = [folder / name for name in names if NAME.fullmatch(name)]
    return sorted((path for path in candidates if path.is_dir()), key=lambda path: int(path.name))


def clear(folder: Path) -> None:
    """Remove what a killed writer left; the caller holds the run's lock."""
    with writing(folder):
        for name in Directory(folder.parent).names(folder.name):
            if name.startswith(".writing-"):
                remove(folder / name)


def _tensors(path: Path, content: bytes) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load as load_tensors

    try:
        return load_tensors(content)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:  # damaged; of a type that torch has not
        raise CheckpointError(f"checkpoint {path}: {TENSORS} cannot be read ({error})") from error


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write and sync the two files of a checkpoint; the state has the tensors' checksum."""
    digest = _write_tensors(folder / TENSORS, checkpoint.tensors)
    state = {"step": checkpoint.step, "tensors": digest, "state": checkpoint.state}
    signed = {**state, "sha256": _digest(_canonical(state))}
    write_through(folder / STATE, json.dumps(signed, indent=1).encode())
    sync_folder(folder)


def _write_tensors(path: Path, tensors: dict[str, Tensor]) -> str:
    """Write and sync tensors; return the checksum of the file."""
    save_tensors(path, dict(_without_sharing(tensors)))
    with open_regular(path, follow=False) as file:
        digest = hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
        os.fsync(file.fileno())
    return digest


def _without_sharing(tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield tensors that share no memory, as safetensors requires; a shared weight has several names."""
    seen: set[int] = set()
    for name, tensor in ((name, t.contiguous()) for name, t in tensors.items()):
        memory = tensor.untyped_storage().data_ptr()
        yield name, tensor.clone() if memory in seen else tensor
        seen.add(memory)


def _canonical(state: dict[str, Any]) -> bytes:
    return json.dumps(state, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

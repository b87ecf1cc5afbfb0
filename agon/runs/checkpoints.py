"""Checkpoints: a folder of safetensors plus JSON each, whole or not there at all, never a pickle."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from agon.errors import CheckpointError, RunError
from agon.runs.files import sync_folder, write_through, writing

KEPT = 3  # the newest may be damaged on the disk, and the one before it too
TENSORS, STATE = "tensors.safetensors", "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """All that a training needs to go on as if it had never stopped.

    Attributes:
        step: steps done.
        tensors: weights, buffers, optimiser moments, averages, random streams, by name.
        state: everything else, as plain values.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint atomically, then remove all but the newest `KEPT`.

    It is written under another name, synced, and renamed: at any moment, a crash leaves each
    checkpoint whole or absent.
    """
    target = folder / f"{checkpoint.step:08d}"
    temporary = folder / f".writing-{target.name}-{os.getpid()}"
    with writing(target):
        try:
            _clear(folder)
            temporary.mkdir()
            _write(temporary, checkpoint)
            if target.exists():  # the same step again, after going on from an older one
                shutil.rmtree(target)
            temporary.rename(target)
            sync_folder(folder)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    for old in paths(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and verify both its files.

    Raises:
        CheckpointError: a file is missing, truncated, or has other bytes than were written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as load_tensors

    try:
        state = json.loads((path / STATE).read_bytes())
        content = (path / TENSORS).read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error})") from error
    if not isinstance(state, dict) or state.pop("sha256", None) != _digest(_canonical(state)):
        raise CheckpointError(f"checkpoint {path}: {STATE} does not have the checksum it was written with")
    if state["tensors"] != _digest(content):
        raise CheckpointError(f"checkpoint {path}: {TENSORS} does not have the checksum it was written with")
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise CheckpointError(f"checkpoint {path}: {TENSORS} cannot be read ({error})") from error
    return Checkpoint(state["step"], tensors, state["state"])


def last_good(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest undamaged checkpoint, if any, and a sentence for each damaged one that is newer.

    Raises:
        RunError: there are checkpoints, and all are damaged.
    """
    complaints: list[str] = []
    for path in reversed(paths(folder)):
        try:
            return load(path), complaints
        except CheckpointError as error:
            complaints.append(str(error))
    if complaints:
        raise RunError(f"no checkpoint is intact: {'; '.join(complaints)}; begin again in another folder")
    return None, []


def paths(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first; half-written ones do not count."""
    return sorted(p for p in folder.glob("[0-9]*") if p.is_dir()) if folder.is_dir() else []


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    """The two files of a checkpoint, each followed to the disk; the state names the tensors' checksum."""
    from safetensors.torch import save as serialise

    content = serialise(dict(_apart(checkpoint.tensors)))
    write_through(folder / TENSORS, content)
    state = {"step": checkpoint.step, "tensors": _digest(content), "state": checkpoint.state}
    signed = {**state, "sha256": _digest(_canonical(state))}
    write_through(folder / STATE, json.dumps(signed, indent=1).encode())
    sync_folder(folder)


def _apart(tensors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Each in memory of its own, which safetensors demands: a weight used in several places has several names."""
    seen: set[int] = set()
    for name, tensor in ((name, t.contiguous()) for name, t in tensors.items()):
        memory = tensor.untyped_storage().data_ptr()
        yield name, tensor.clone() if memory in seen else tensor
        seen.add(memory)


def _clear(folder: Path) -> None:
    """Remove what a killed writer left: the run's lock says that nobody is writing now."""
    folder.mkdir(exist_ok=True)
    for leftover in _leftovers(folder):
        shutil.rmtree(leftover)


def _leftovers(folder: Path) -> Iterator[Path]:
    return folder.glob(".writing-*")


def _canonical(state: dict[str, Any]) -> bytes:
    return json.dumps(state, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

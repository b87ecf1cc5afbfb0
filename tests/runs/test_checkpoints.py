"""A checkpoint's files: what they hold, who may read them, and what writing them takes."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as serialise

from agon.runs import checkpoints
from agon.runs.checkpoints import TENSORS, Checkpoint
from agon.runs.layout import STATE

MEASURE = """
import sys
from pathlib import Path

import torch
from safetensors.torch import save as serialise

from agon.runs import checkpoints


def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def write(mebibytes):
    tensors = {str(n): torch.ones(1024, 256) for n in range(mebibytes)}
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    if sys.argv[2] == "file":
        checkpoints.save(Path(sys.argv[1]), checkpoints.Checkpoint(mebibytes, tensors, {}))
    else:
        serialise(tensors)
    return peak() - before


write(1)
print(write(96))
"""


def checkpoint(step: int = 7) -> Checkpoint:
    weight = torch.randn(3, 4)
    tensors = {"weight": weight, "same": weight, "wide": torch.randn(4, 3).T, "half": torch.ones(2).half()}
    return Checkpoint(step, tensors, {"epoch": 1.5})


def test_files_are_those_of_safetensors(tmp_path: Path) -> None:
    saved = checkpoint()
    place = checkpoints.save(tmp_path / "checkpoints", saved)
    content = (place / TENSORS).read_bytes()
    assert content == serialise({name: tensor.clone().contiguous() for name, tensor in saved.tensors.items()})
    assert json.loads((place / STATE).read_text())["tensors"] == hashlib.sha256(content).hexdigest()
    loaded = checkpoints.load(place)
    assert loaded.state == saved.state
    assert all(torch.equal(loaded.tensors[name], tensor) for name, tensor in saved.tensors.items())


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_the_folder_may_read_its_files(tmp_path: Path, mask: int, mode: int) -> None:
    """safetensors writes a file for its owner alone; others on a cluster evaluate the run."""
    before = os.umask(mask)
    try:
        place = checkpoints.save(tmp_path / "checkpoints", checkpoint())
    finally:
        os.umask(before)
    assert {file.name: file.stat().st_mode & 0o777 for file in place.iterdir()} == {TENSORS: mode, STATE: mode}


def test_a_file_system_without_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    assert checkpoints.load(checkpoints.save(tmp_path / "checkpoints", checkpoint())).step == 7


def test_writing_takes_no_copy_of_the_tensors(tmp_path: Path) -> None:
    """96 MiB are written with less than 24 more; serialised in memory, they would take 96 or more."""

    def mebibytes(how: str) -> float:
        words = [sys.executable, "-c", MEASURE, str(tmp_path / how), how]
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    assert mebibytes("file") < 24
    assert mebibytes("memory") > 90

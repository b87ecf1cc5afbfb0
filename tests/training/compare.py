"""Two runs compared bit for bit: everything but wall times."""

import json
from pathlib import Path

import torch

from agon.runs import Run


def log_of(path: Path) -> list[dict[str, float]]:
    """The log without what depends on the clock."""
    lines = (path / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if not k.startswith("wall/")} for line in lines]


def samples_of(path: Path) -> dict[str, bytes]:
    """Every file of samples/, by name."""
    return {p.name: p.read_bytes() for p in (path / "samples").iterdir()}


def history_of(path: Path) -> dict[str, bytes]:
    """Every file of the light checkpoints, by name."""
    folder = path / "history"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_same(one: Path, other: Path) -> None:
    """Weights, buffers, moments, averages, random streams, log, sample grids and light checkpoints are identical."""
    a, b = Run.open(one).last_good()[0], Run.open(other).last_good()[0]
    assert a is not None
    assert b is not None
    assert a.step == b.step
    assert a.tensors.keys() == b.tensors.keys()
    different = [name for name in a.tensors if not torch.equal(a.tensors[name], b.tensors[name])]
    assert different == []
    assert {**a.state, "seconds": 0, "log_bytes": 0} == {**b.state, "seconds": 0, "log_bytes": 0}
    assert log_of(one) == log_of(other)
    assert samples_of(one) == samples_of(other)
    assert history_of(one) == history_of(other)

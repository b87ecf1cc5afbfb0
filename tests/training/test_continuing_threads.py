"""The number of threads of a run that goes on, here or on another machine, and what is said of it."""

import json
from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.runs import Run
from agon.training import Compute, replicates
from agon.training.replicates import replicate
from tests.training.programs import points


def described(threads: int, cores: int | None, devices: int = 1) -> dict[str, object]:
    record = Compute(threads=threads, devices=devices, device="cpu").describe()
    return record if cores is None else {**record, "cores": cores}


@pytest.mark.parametrize(
    ("threads", "cores", "devices", "asked", "expected"),
    [
        (8, 8, 1, None, 2),  # begun on eight cores, and here are two
        (8, None, 1, None, 2),  # begun by an earlier version, which did not record the cores
        (8, 2, 1, None, 8),  # begun here, with eight threads by choice
        (1, 8, 1, None, 1),  # fewer than here: bit for bit
        (2, 8, 1, None, 2),
        (4, 8, 2, None, 1),  # of each of two processes
        (8, 2, 1, 1, 1),  # asked for
        (1, 2, 1, 2, 2),
        (1, 2, 1, 0, 0),  # all cores
    ],
)
def test_threads_of_another_machine_never_exceed_the_cores_of_this_one(
    threads: int, cores: int | None, devices: int, asked: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agon.training.compute.cores", lambda: 2)
    assert Compute.continued(described(threads, cores, devices), asked).threads == expected


def run_of(tmp_path: Path, threads: int = 1) -> Path:
    agon.train(points(4), tmp_path / "run", compute=Compute(threads=threads, device="cpu"), show=False)
    return tmp_path / "run"


def test_a_run_from_a_larger_machine_says_that_its_arithmetic_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = torch.get_num_threads()
    monkeypatch.setattr("agon.training.compute.cores", lambda: 2)
    monkeypatch.setattr("agon.training.compute.default_threads", lambda devices, ranks: 2 // devices)
    run = run_of(tmp_path, threads=0)
    monkeypatch.setattr("agon.training.compute.cores", lambda: 1)
    try:
        assert main(["resume", str(run), "--steps", "6"]) == 0
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    assert "threads: 2 -> 1: the steps from here on may differ in their last bits" in capsys.readouterr().err
    assert [Run.open(run).compute[name] for name in ("threads", "cores")] == [1, 1]


def test_the_command_line_takes_threads_and_says_what_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(tmp_path)
    threads = torch.get_num_threads()
    try:
        assert main(["resume", str(run), "--steps", "6", "--threads", "2"]) == 0
    finally:
        torch.set_num_threads(threads)
    assert "threads: 1 -> 2: the steps from here on may differ in their last bits" in capsys.readouterr().err
    assert Run.open(run).compute["threads"] == 2


def test_seeds_take_threads_too(tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    replicate(points(4), folder, 1, compute=Compute(device="cpu"), strategy="processes", show=False)
    replicates.resume(folder, steps=6, threads=2, show=False)
    assert Run.open(folder / "seed-0").compute["threads"] == 2
    assert json.loads((folder / "replicates.json").read_text())["arithmetic"]["threads"] == 2

"""The number of threads by default: by what is free, unless a user has said it."""

import os
import time
from pathlib import Path

import pytest

import agon
from agon import cores
from agon.ranks import Ranks
from agon.training import Compute
from tests.training.programs import points


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "ASKED", None)
    monkeypatch.setattr(cores, "cores", lambda: 4)


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(
    ("busy", "devices", "threads"),
    [
        (0.0, 1, 4),
        (0.4, 1, 4),
        (0.6, 1, 3),
        (1.0, 1, 3),
        (3.9, 1, 1),
        (9.0, 1, 1),
        (0.0, 2, 2),
        (1.0, 2, 1),
        (2.0, 4, 1),
    ],
)
def test_threads_are_the_cores_that_are_free(
    busy: float, devices: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "busy_cores", lambda: busy)
    assert cores.default_threads(devices) == threads
    assert Compute(device="cpu", devices=devices).resolved().threads == threads
    assert Compute(device="cpu", devices=devices, threads=3).resolved().threads == 3, "what was asked for stays"
    said = cores.of_few_threads(threads, devices)
    assert bool(said) == (threads < 4 // devices)
    assert not said or f"--threads {4 // devices} takes all" in said[0]


@pytest.mark.usefixtures("four_cores")
def test_a_users_own_number_and_torchruns_processes_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that torchrun starts are each other's work, which is no reason to leave cores idle."""
    monkeypatch.setattr(cores, "busy_cores", lambda: 4.0)
    together = Ranks("torchrun", rank=1, world=2, local_rank=1, local_world=2)
    assert cores.default_threads(2, together) == 2
    assert cores.of_few_threads(1, 1), "alone, it says why"
    monkeypatch.setattr(cores, "joined", lambda: together)
    assert cores.of_few_threads(1, 1) == [], "a launcher has shared the cores out"
    monkeypatch.setattr(cores, "ASKED", "3")
    assert cores.default_threads(2, together) == 3
    assert cores.of_few_threads(1, 1) == []
    monkeypatch.setattr(cores, "ASKED", "many")
    assert cores.default_threads(2, together) == 2


@pytest.mark.parametrize(("text", "whole"), [("150000 100000", 1), ("400000 100000", 4), ("20000 100000", 1)])
def test_a_containers_quota_bounds_the_cores(
    text: str, whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert cores.cores() == 8
    for unbounded in ("max 100000\n", "", "odd"):
        (tmp_path / "cpu.max").write_text(unbounded)
        assert cores.cores() == 8
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    assert cores.cores() == whole


def test_other_work_is_what_this_process_did_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that makes way for others (the second column) and other cores do not count; a machine is simulated."""
    now = {"clock": 100.0, "own": 5.0, "user": 50.0}

    def sleep(seconds: float, others: float = 1.5) -> None:
        now["clock"] += seconds
        now["own"] += 0.25 * seconds
        now["user"] += (others + 0.25) * seconds
        ticks = round(now["user"] * os.sysconf("SC_CLK_TCK"))
        lines = ["cpu 9 9 9 9", f"cpu0 {ticks} {now['clock']:.0f}000 0 9", "cpu1 3 0 4 9", f"cpu7 {ticks}00 0 0 0"]
        (tmp_path / "stat").write_text("\n".join(lines))

    sleep(0.0)
    monkeypatch.setattr(cores, "STAT", tmp_path / "stat")
    monkeypatch.setattr(cores, "_last", cores.CpuTimes(0.0, 0.0, 0.0))  # long ago
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: now["clock"])
    monkeypatch.setattr(time, "process_time", lambda: now["own"])
    monkeypatch.setattr(time, "sleep", sleep)
    assert cores.busy_cores() == pytest.approx(1.5, abs=0.1)
    sleep(2.0, others=0.5)
    assert cores.busy_cores() == pytest.approx(0.5, abs=0.1), "since it was asked last, without a wait"
    monkeypatch.setattr(cores, "STAT", tmp_path / "none")
    sleep(40.0)
    assert cores.busy_cores() == 0.0, "another system does not tell"


@pytest.mark.usefixtures("four_cores")
def test_a_training_says_why_it_takes_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cores, "busy_cores", lambda: 3.0)
    agon.train(points(2), tmp_path / "run", compute=Compute(device="cpu"))
    assert "threads: 1 of 4 cores, as other processes use the rest" in capsys.readouterr().err

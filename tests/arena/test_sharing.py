"""A tournament shared among processes: the same digits, also after they were all killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agon.arena import TournamentSettings, tournament
from agon.cli import main
from agon.data import Images
from agon.errors import AgonError
from agon.jobs import Job, Outcome, TimeLimits, failure
from agon.recipes import find
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import Progress
from agon.training import train

RUNS = ("one", "two", "noise.npz")
COMMAND = "import sys; from agon.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two GANs of digits, and samples of none."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, name in enumerate(RUNS[:2]):
        experiment = find("first/digits").experiment(Images(path="digits"), "smoke")
        train(replace(experiment, steps=2, seed=seed), folder / name, show=False)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    np.savez(folder / "noise.npz", samples=pixels)
    return folder


class Here:
    """Does the jobs in this process, as `LocalProcesses` does elsewhere."""

    def __init__(self, jobs: Sequence[Job], workers: int, limits: TimeLimits) -> None:
        self.jobs = jobs

    def run(self, progress: MultiProgress) -> Outcome:
        ended = {}
        for job in self.jobs:
            try:
                job.work(Progress)
            except AgonError as error:
                ended[job.name] = failure(error, print)
        return Outcome(ended, 0)


def test_processes_give_the_digits_of_one_also_after_they_were_killed(made: Path, tmp_path: Path) -> None:
    """Two processes make the samples, and are killed as soon as one has judged; one process goes on."""
    words = [str(made / name) for name in RUNS]
    alone = tournament(words, tmp_path / "alone", settings=TournamentSettings(n=50), show=False)
    command = ["tournament", *words, "--n", "50", "--jobs", "2", "--out", str(tmp_path / "shared")]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *command], start_new_session=True, stderr=subprocess.DEVNULL
    )
    cache = tmp_path / "shared" / "cache"
    while process.poll() is None and not [*cache.glob("areas/*.json")]:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    samples = {file: file.stat().st_mtime_ns for file in cache.glob("samples/*.npy")}
    assert len(samples) == 5, "of three contestants and two references"
    shared = tournament(words, tmp_path / "shared", settings=TournamentSettings(n=50), show=False)
    assert shared.plain() == alone.plain()
    assert all(file.stat().st_mtime_ns == written for file, written in samples.items())
    assert not [file for file in cache.rglob(".*") if file.is_file()]


def test_who_fails_in_a_process_is_left_out_with_the_same_sentence(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agon.jobs.placing.LocalProcesses", Here)
    np.savez(tmp_path / "short.npz", samples=np.zeros((4, 5, 5, 1), dtype=np.uint8))
    words, few = [str(made / "one"), str(tmp_path / "short.npz")], TournamentSettings(n=20)
    one, two = (tournament(words, settings=few, processes=processes, show=False) for processes in (1, 2))
    assert one.plain() == two.plain()
    assert "expected samples of shape" in two.left_out["short.npz"]


def test_a_number_of_processes_below_one_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tournament", str(made / "one"), "--jobs", "0", "--out", str(tmp_path / "out")]) == 2
    assert "--jobs: expected a number of processes from 1, got 0" in capsys.readouterr().err

"""Whatever stops a training: one sentence, a status, and nothing lost."""

import errno
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.errors import DivergedError, RunError
from agon.runs import Run
from agon.runs.alarms import read_alarms
from agon.runs.files import writing
from agon.terminal.signals import Signals
from tests.training.compare import assert_same
from tests.training.programs import command, finished, here

SMALL = [
    *("--threads", 1, "--device", "cpu"),
    *(word for name in ("generator", "critic") for word in ("--set", f"game.{name}.width=8")),
    *("--set", "batch=16", "--set", "log_every=5", "--set", "sample_every=10", "--set", "checkpoint_every=5"),
]


def words(run: Path, steps: int) -> list[object]:
    return ["train", "radford2015/dcgan", "--out", run, "--steps", steps, *SMALL]


def train(run: Path, steps: int, *more: object) -> "subprocess.Popen[str]":
    return command(*words(run, steps), *more)


def wait_for_step(run: Path, step: int) -> None:
    """Return when a checkpoint of at least that step is there."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if any(int(p.name) >= step for p in (run / "checkpoints").glob("[0-9]*")):
            return
        time.sleep(0.02)
    raise AssertionError(f"{run} has not reached step {step}")


def only_sentence(err: str) -> str:
    """The one sentence that a user is told; a traceback is never part of it."""
    assert "Traceback" not in err
    told = [line for line in err.splitlines() if line.startswith("agon: ")]
    assert len(told) == 1, err
    return told[0]


def complaint(capsys: pytest.CaptureFixture[str], *words: object, status: int = 2) -> str:
    """The one sentence of a command in this process, which ends with that status."""
    capsys.readouterr()
    assert main(list(map(str, words))) == status
    return only_sentence(capsys.readouterr().err)


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    here(*words(run, 150))
    return run


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.evidence)], ids=lambda number: number.name
)
def test_a_signal_is_honoured_and_the_run_goes_on(tmp_path: Path, number: signal.Signals, never_stopped: Path) -> None:
    stopped = tmp_path / "stopped"
    process = train(stopped, 150)
    wait_for_step(stopped, 20)
    process.send_signal(number)
    status, _, err = finished(process)
    assert status == 128 + number
    assert f"go on with: agon resume {stopped}" in only_sentence(err)
    reached = Run.open(stopped).last_good()[0]
    assert reached is not None
    assert f"stopped at step {reached.step};" in err
    here("resume", stopped)
    assert_same(stopped, never_stopped)


def test_a_full_disk(tmp_path: Path) -> None:
    """The kernel refuses files over a limit in the middle of a checkpoint."""
    run = tmp_path / "run"
    here(*words(run, 10))
    largest = max(p.stat().st_size for p in run.rglob("*") if p.is_file() and p.name != "report.html")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 1, largest - 1))

    status, _, err = finished(command("resume", run, "--steps", 20, preexec_fn=limit))
    assert status == 2
    assert "cannot be written (File too large)" in only_sentence(err)
    reached = Run.open(run).last_good()
    assert reached[0] is not None
    assert (reached[0].step, reached[1]) == (10, [])
    here("resume", run, "--steps", 20)
    here(*words(tmp_path / "whole", 20))
    assert_same(run, tmp_path / "whole")


def test_every_error_of_the_disk_is_a_sentence(tmp_path: Path) -> None:
    def fail(number: int) -> None:
        with writing(tmp_path):
            raise OSError(number, os.strerror(number))

    for number in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO):
        with pytest.raises(RunError, match=os.strerror(number)):
            fail(number)


def test_a_place_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    """/proc refuses everybody, the superuser included."""
    assert "/proc/agon-run cannot be written" in complaint(capsys, *words(Path("/proc/agon-run"), 5))


def test_a_run_that_another_process_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    process = train(run, 100_000)
    wait_for_step(run, 5)
    assert "is being written by another process" in complaint(capsys, "resume", run)
    process.kill()
    process.wait()
    process.communicate()
    with Run.open(run).locked():  # a killed process's lock is gone with it
        pass


def test_a_folder_that_holds_something(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("precious")
    assert "holds other files already" in complaint(capsys, *words(tmp_path / "run", 5))
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["thesis.tex"]


def test_a_loss_that_becomes_nan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    diverging = ("--set", "optimisers.lr=1e30", "--set", "game.objective=wasserstein")
    told = complaint(capsys, *words(run, 400), *diverging, status=DivergedError.status)
    assert "is not finite any more at step" in told
    good = Run.open(run).last_good()[0]
    assert good is not None
    assert f"last good checkpoint is {run}/checkpoints/{good.step:08d}" in told
    assert all(bool(torch.isfinite(t).all()) for t in good.tensors.values() if t.is_floating_point())
    for _ in range(2):  # a resumed training ends there again
        ends = [alarm for alarm in read_alarms(Run.open(run).alarms).raised if alarm.ended]
        assert [(end.sickness, end.severity) for end in ends] == [("divergence", "fatal")]
        assert f"{ends[0].sentence} at step {ends[0].step}" in told
        assert agon.diagnose(run).findings[0].since_step == ends[0].step
        assert "What to try:" in (run / "report.html").read_text()
        complaint(capsys, "resume", run, status=DivergedError.status)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own handler, which a process that was started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_signal_acts_at_once() -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)  # where Python notices it

    with Signals() as signals:
        interrupt()
        assert signals.received == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_resuming_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        agon.resume(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"has no experiment\.json"):
        agon.resume(tmp_path)

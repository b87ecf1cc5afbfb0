"""Time limits of jobs: one that is too long or hangs is stopped and named, the others go on, and its run resumes."""

import time
from functools import partial
from pathlib import Path

import pytest

import agon
from agon.cli import main
from agon.errors import DivergedError, SettingError, TimeLimitError
from agon.jobs import Ended, Job, LocalProcesses, OnProcesses, OnRay, TimeLimits, executor_for, needs_jobs
from agon.jobs.limits import GRACE, Watch
from agon.runs import Run
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from agon.terminal.signals import Signals
from agon.training.replicates import ReplicatesError, replicate, resume
from tests.jobs.test_processes import count
from tests.training.compare import assert_same
from tests.training.programs import ROOT, Hanging, points
from tests.training.test_replicates import ONE_THREAD, alone

LIMIT = TimeLimits(minutes=0.05)  # three seconds
STOPPED = Ended(124, "it took longer than 3 seconds and was stopped; what it had written is kept")
KILLED = Ended(
    124,
    "it took longer than 3 seconds and was killed, as it did not stop within 0.3 seconds; what it had written is kept",
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_job_is_stopped_once_and_killed_once() -> None:
    clock = Clock()
    watch = Watch(TimeLimits(minutes=1), clock)
    watch.begin("first")
    clock.now = 30.0
    watch.begin("second")
    clock.now = 60.0
    assert list(watch.due()) == [("first", "stop")]
    clock.now = 60.0 + GRACE
    assert list(watch.due()) == [("first", "kill"), ("second", "stop")]
    assert list(watch.due()) == []
    assert watch.ended("first", Ended(1, "its process was ended by SIGKILL")).sentence.startswith(
        "it took longer than 1 minute and was killed, as it did not stop within 30 seconds"
    )
    assert watch.ended("third", Ended(1, "it was never begun")) == Ended(1, "it was never begun")


def test_a_step_is_progress_and_silence_is_not() -> None:
    clock = Clock()
    watch = Watch(TimeLimits(minutes_without_progress=1), clock)
    for name in ("steps", "silent"):
        watch.begin(name)
    for clock.now in range(0, 60, 10):
        watch.hear("steps")
        assert list(watch.due()) == []
    clock.now = 60.0
    assert list(watch.due()) == [("silent", "stop")]
    assert watch.ended("silent", Ended(143, "SIGTERM")).sentence.startswith("it made no progress for 1 minute")


@pytest.mark.parametrize("result", [Ended(0, ""), Ended(DivergedError.status, "the loss is not finite any more")])
def test_what_ends_by_itself_while_it_is_stopped_is_no_failure_of_time(result: Ended) -> None:
    clock = Clock()
    watch = Watch(TimeLimits(minutes=1), clock)
    watch.begin("job")
    clock.now = 61.0
    assert list(watch.due()) == [("job", "stop")]
    assert watch.ended("job", result) == result


def test_without_a_limit_nothing_is_stopped() -> None:
    """The negative control."""
    clock = Clock()
    watch = Watch(TimeLimits(), clock)
    watch.begin("job")
    clock.now = 1e9
    assert list(watch.due()) == []


def test_limits_travel_with_the_place() -> None:
    jobs = [Job("one", partial(count, 1, "well"))]
    executor = executor_for(jobs, 1, OnProcesses(minutes=5))
    assert isinstance(executor, LocalProcesses)
    assert executor.watch.limits.minutes == 5
    assert [needs_jobs(on) for on in ("processes", OnProcesses(), OnProcesses(minutes=5))] == [False, False, True]
    assert OnRay(minutes_without_progress=2).limited
    for wrong in (0, -1, float("nan"), 1e9):
        with pytest.raises(SettingError, match="--minutes-per-job: expected a number over 0"):
            OnProcesses(minutes=wrong)


def hang(progress: ProgressFactory) -> None:
    """Make one step, and never another one, whatever signal comes."""
    with progress(3, 0, True) as shown:
        shown.update(1)
        time.sleep(600)


def yielding(place: Path, progress: ProgressFactory) -> None:
    """Step until a signal comes, then write what there is, as a training does."""
    with progress(10**9, 0, True) as shown, Signals() as signals:
        step = 0
        while not signals.received:
            time.sleep(0.05)
            step += 1
            shown.update(step)
        place.write_text(str(step))
    raise agon.errors.Interrupted("SIGTERM: stopped", 143)


def test_jobs_beyond_their_limit_are_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hangs and is killed; one stops in order; one waits for a worker, and gets it."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr("agon.jobs.limits.GRACE", 0.3)
    jobs = [
        Job("hang", hang),
        Job("long", partial(yielding, tmp_path / "kept")),
        Job("well", partial(count, 3, "well")),
    ]
    with MultiProgress({job.name: 3 for job in jobs}, show=False) as progress:
        outcome = LocalProcesses(jobs, workers=2, limits=LIMIT).run(progress)
    assert outcome.signal == 0
    assert outcome.ended == {"hang": KILLED, "long": STOPPED, "well": Ended(0, "")}
    assert int((tmp_path / "kept").read_text()) > 0


@pytest.mark.evidence
def test_a_training_that_hangs_is_named_and_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed 0 hangs in its 13th step; when the cause is gone, its run ends as one that never hung."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr("agon.jobs.limits.GRACE", 0.3)
    experiment = points(critic=agon.part(Hanging, seed=0, until=str(tmp_path / "free")))
    on = OnProcesses(minutes_without_progress=0.1)
    with pytest.raises(ReplicatesError, match=r"1 of 2 replicates failed \(seed 0: it made no progress for 6") as error:
        replicate(experiment, tmp_path / "runs", 2, compute=ONE_THREAD, on=on, show=False)
    assert error.value.status == TimeLimitError.status
    assert [max(Run(tmp_path / "runs" / f"seed-{seed}").kept) for seed in (0, 1)] == [10, 20]
    (tmp_path / "free").touch()
    resume(tmp_path / "runs", trust=True, show=False)
    assert_same(tmp_path / "runs" / "seed-0", alone(experiment, 0, tmp_path / "alone"))


def test_what_the_commands_refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "first/ring", "--scale", "smoke", "--out", str(tmp_path / "x")]
    refused = {
        "expected with --seeds N": ["--minutes-per-job", "5"],
        "--minutes-per-job: expected a number over 0, up to 525,600, got 0": ["--seeds", "2", "--minutes-per-job", "0"],
        "expected 'processes' on a cluster or with a time limit": [
            *("--seeds", "2", "--strategy", "batched", "--minutes-without-progress", "5")
        ],
        "did you mean --minutes-per-job?": ["--timeout", "5"],
    }
    for told, options in refused.items():
        assert main([*train, *options]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "x").exists()

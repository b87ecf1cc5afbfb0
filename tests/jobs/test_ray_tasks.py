"""What the executor for Ray asks of it, without Ray: jobs beyond their limit, lost workers, a lost cluster.

The same with a real cluster is evidence: test_cluster.py, test_cluster_faults.py and test_cluster_head.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from agon.errors import RunError
from agon.jobs import Ended, Job, TimeLimits
from agon.jobs.cluster import RESTARTS, RayTasks
from agon.jobs.remote import Mailbox
from agon.jobs.worker import Begun, Reached
from agon.terminal.multi_progress import MultiProgress
from tests.jobs.test_processes import count


class Lost(Exception):  # noqa: N818 - as Ray's WorkerCrashedError
    """A worker or an actor is gone."""


class Ray:
    """The part of Ray that the executor uses; a test says what each call returns, or raises."""

    def __init__(self) -> None:
        names = ("WorkerCrashedError", "NodeDiedError", "LocalRayletDiedError", "OutOfMemoryError")
        others = {name: type(name, (Exception,), {}) for name in (*names[1:], "TaskCancelledError")}
        self.exceptions = SimpleNamespace(WorkerCrashedError=Lost, RayError=Lost, **others)
        self.cancelled: list[tuple[str, bool]] = []
        self.submitted: list[str] = []

    def cancel(self, reference: str, force: bool = False) -> None:
        self.cancelled.append((reference, force))

    def get(self, reference: Any) -> Any:
        if isinstance(reference, Ended):
            return reference
        raise Lost("the worker died")


@pytest.fixture
def executor() -> RayTasks:
    """Two jobs that have begun, with a limit of a minute and a clock at zero."""
    jobs = [Job(name, partial(count, 3, "well")) for name in ("hang", "well")]
    tasks = RayTasks(jobs, limits=TimeLimits(minutes=1))
    tasks.mailbox = SimpleNamespace(stop=SimpleNamespace(remote=Mailbox().stop))
    tasks.now = 0.0  # type: ignore[attr-defined]
    tasks.watch.clock = lambda: tasks.now  # type: ignore[attr-defined, no-any-return]
    tasks.pending = {"hang-0": "hang", "well-0": "well"}
    return tasks


def test_a_job_over_its_limit_is_stopped_killed_and_not_begun_again(executor: RayTasks) -> None:
    ray, box = Ray(), Mailbox()
    executor.mailbox.stop.remote = box.stop
    with MultiProgress({"hang": 3, "well": 3}, show=False) as progress:
        executor._receive("hang", 0, Begun(), progress)
        executor.now = 30.0  # type: ignore[attr-defined]
        executor._receive("well", 0, Begun(), progress)
        executor.now = 60.0  # type: ignore[attr-defined]
        executor._stop_late(ray)
        assert (box.stopped("hang"), box.stopped("well")) == (True, False)
        assert ray.cancelled == []
        executor.now = 89.0 + 1.0  # type: ignore[attr-defined]
        executor.watch.jobs.pop("well")
        executor._stop_late(ray)
        assert ray.cancelled == [("hang-0", True)]
        executor._end(ray, "hang-0", progress)
    assert executor.ended["hang"].status == 124
    assert "was killed, as it did not stop within 30 seconds" in executor.ended["hang"].sentence
    assert executor.pending == {"well-0": "well"}
    assert executor.attempts["hang"] == 0


def test_a_lost_worker_has_its_time_again(executor: RayTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of its second attempt begins with it, and messages of the first one say nothing any more."""
    ray = Ray()
    monkeypatch.setattr(executor, "_submit", lambda _, name: ray.submitted.append(name))
    with MultiProgress({"hang": 3, "well": 3}, show=False) as progress:
        executor._receive("well", 0, Begun(), progress)
        executor.now = 50.0  # type: ignore[attr-defined]
        executor._end(ray, "well-0", progress)
        assert ray.submitted == ["well"]
        executor.now = 100.0  # type: ignore[attr-defined]
        executor._receive("well", 0, Reached(2, 3, None), progress)
        executor._stop_late(ray)
        assert not executor.watch.over("well")
        executor._receive("well", 1, Begun(), progress)
        executor.now = 159.0  # type: ignore[attr-defined]
        executor._stop_late(ray)
        assert not executor.watch.over("well")
        executor.now = 160.0  # type: ignore[attr-defined]
        executor._stop_late(ray)
        assert executor.watch.over("well")


def test_a_worker_that_is_lost_too_often_is_given_up(executor: RayTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = Ray()
    monkeypatch.setattr(executor, "_submit", lambda _, name: ray.submitted.append(name))
    with MultiProgress({"hang": 3, "well": 3}, show=False) as progress:
        for _ in range(RESTARTS + 1):
            executor.pending["well-0"] = "well"
            executor._end(ray, "well-0", progress)
    assert ray.submitted == ["well"] * RESTARTS
    assert executor.ended == {"well": Ended(1, f"its worker was lost {RESTARTS + 1} times, at last by Lost")}


def test_a_lost_cluster_is_a_sentence(executor: RayTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = Ray()

    @contextmanager
    def session(address: str) -> Iterator[Ray]:
        yield ray

    def lose(*_: object) -> None:
        raise Lost("the actor died")

    monkeypatch.setattr("agon.jobs.cluster.session", session)
    monkeypatch.setattr("agon.jobs.cluster.described", lambda *_: "Ray: 1 node")
    for name in ("_mailbox", "_submit"):
        monkeypatch.setattr(executor, name, lambda *_: None)
    monkeypatch.setattr(executor, "_work", lose)
    with (
        MultiProgress({"hang": 3, "well": 3}, show=False) as progress,
        pytest.raises(RunError, match=r"the Ray cluster was lost \(Lost\); what is done is kept, .*agon resume"),
    ):
        executor.run(progress)
    assert ray.cancelled == [("hang-0", True), ("well-0", True)]

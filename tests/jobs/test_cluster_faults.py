"""Faults on a real Ray cluster: workers killed, the driver killed or interrupted; the tables are those of processes."""

import io
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from agon.jobs import Ended, Job, OnRay, executor_for
from agon.sweeps import sweep
from agon.terminal.multi_progress import MultiProgress
from tests.jobs.clusters import listening, processes, ray_cluster, started_since
from tests.jobs.test_cluster import LOOPBACK
from tests.jobs.test_limits import hang, yielding
from tests.jobs.test_processes import count
from tests.training.compare import assert_same
from tests.training.programs import ROOT, command, finished, points
from tests.training.test_replicates import ONE_THREAD

pytestmark = pytest.mark.evidence
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")  # of Ray, which end a minute or two after it
OPTIONS = ["--scale", "smoke", "--over", "lr=1e-4,1e-3", "--seeds", "2", "--metric", "modes", "--n", "200"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(ROOT))
        with ray_cluster(2, monkeypatch) as cluster:
            yield cluster


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_always_dies_is_given_up() -> None:
    stream = io.StringIO()
    with MultiProgress({"die": 3, "well": 3}, stream=stream) as progress:
        outcome = executor_for([Job(end, partial(count, 3, end)) for end in ("die", "well")], 1, "ray").run(progress)
    assert outcome.ended["well"] == Ended(0, "")
    assert outcome.ended["die"] == Ended(1, "its worker was lost 4 times, at last by WorkerCrashedError")
    assert stream.getvalue().count("it starts again") == 3


@pytest.mark.usefixtures("cluster")
def test_jobs_beyond_their_limit_are_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in worker processes: one that hangs is killed and not begun again, one stops in order, one goes on."""
    monkeypatch.setattr("agon.jobs.limits.GRACE", 3.0)
    works = {"hang": hang, "long": partial(yielding, tmp_path / "kept"), "well": partial(count, 3, "well")}
    jobs = [Job(name, work) for name, work in works.items()]
    stream = io.StringIO()
    with MultiProgress(dict.fromkeys(works, 3), stream=stream) as progress:
        outcome = executor_for(jobs, 1, OnRay(minutes=0.2)).run(progress)
    assert outcome.ended["well"] == Ended(0, "")
    assert "was stopped" in outcome.ended["long"].sentence
    assert "was killed, as it did not stop within 3 seconds" in outcome.ended["hang"].sentence
    assert {outcome.ended[name].status for name in ("long", "hang")} == {124}
    assert int((tmp_path / "kept").read_text()) > 0
    assert "starts again" not in stream.getvalue()


@pytest.mark.usefixtures("cluster")
def test_a_sweep_has_the_same_table_in_processes_and_on_ray(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "over": {"optimisers.lr": [1e-3, 1e-2, 1e30]},
        "metric": "modes",
        "seeds": 2,
        "n": 200,
        "compute": ONE_THREAD,
        "show": False,
    }
    results = [sweep(points(200), tmp_path / on, on=on, **options) for on in ("processes", "ray")]
    tables = [replace(each, directory=tmp_path, comparison=None) for each in results]
    assert tables[0] == tables[1]
    for run in (tmp_path / "processes").glob("lr=0*/seed-*"):
        assert_same(run, tmp_path / "ray" / run.relative_to(tmp_path / "processes"))


def begun(process: "Popen[str]", out: Path) -> None:
    """Wait until a run of a command has a checkpoint beyond its first."""
    while not any(int(path.name) for path in out.glob("**/checkpoints/[0-9]*")):
        assert process.poll() is None
        time.sleep(0.05)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_driver_is_stopped_and_started_again(tmp_path: Path, number: signal.Signals) -> None:
    """A sweep on Ray, by SIGKILL, Ctrl-C or SIGTERM; then it ends with the table of one in processes."""
    arguments = ["sweep", "first/ring", *OPTIONS, "--steps", "800", "--device", "cpu"]
    arguments += ["--set", "checkpoint_every=50"]
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert finished(command(*arguments, "--out", whole))[0] == 0
    process = command(*arguments, "--out", out, "--on", "ray")
    begun(process, out)
    process.send_signal(number)
    status, _, told = finished(process)
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    assert number == signal.SIGKILL or f"go on with: agon resume {out}" in told
    time.sleep(3)  # Ray ends the jobs of a driver that is gone
    status, _, told = finished(command("resume", out, "--on", "ray"))
    assert status == 0
    assert "goes on from step" in told
    tables = [json.loads((folder / "sweep.json").read_text())["result"]["table"] for folder in (whole, out)]
    assert tables[0] == tables[1]
    for run in whole.glob("*/seed-*"):
        assert_same(run, out / run.relative_to(whole))


def title_of(process: int) -> str:
    """The title of a process; that of an agent where it has ended or is a zombie."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().strip("\0 ") or AGENTS[0]
    except OSError:
        return AGENTS[0]


def test_a_new_ray_listens_on_loopback_alone_and_its_jobs_end_with_their_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    before = processes()
    options = ["--scale", "smoke", "--steps", "1500", "--set", "checkpoint_every=50", "--device", "cpu"]
    process = command("train", "first/ring", *options, "--seeds", "2", "--out", tmp_path / "out", "--on", "ray")
    begun(process, tmp_path / "out")
    ours = list(started_since(before))
    assert len(ours) > 2
    assert listening(iter(ours)) - LOOPBACK == set()
    with process:  # closes its pipes and waits
        process.kill()
    end = time.monotonic() + 60
    while left := [title for number in ours if not (title := title_of(number)).startswith(AGENTS)]:
        assert time.monotonic() < end, left
        time.sleep(0.5)

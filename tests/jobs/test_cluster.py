"""Jobs on a real Ray cluster of three nodes: the same results as in processes, also where a node is lost."""

import io
import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agon.jobs import Ended, Job, executor_for
from agon.jobs.session import session
from agon.runs import Run
from agon.terminal.multi_progress import MultiProgress
from agon.training.replicates import replicate
from tests.jobs.clusters import jobs_of, listening, processes, ray_cluster, started_since
from tests.jobs.test_processes import count
from tests.training.compare import assert_same
from tests.training.programs import ROOT, points
from tests.training.test_replicates import ONE_THREAD

LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
SEEDS = range(6)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three nodes of one core each, and one connection to them, so that their workers serve every test."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(ROOT))
        before = processes()
        with ray_cluster(3, monkeypatch) as cluster, session(""):
            assert listening(started_since(before)) - LOOPBACK == set()
            yield cluster


@pytest.mark.usefixtures("cluster")
def test_each_job_ends_by_itself() -> None:
    """As in worker processes: a failure is a sentence, a fault is named, and lines come through."""
    ends = ("refuse", "fault", "well")
    stream = io.StringIO()
    with MultiProgress(dict.fromkeys(ends, 3), stream=stream) as progress:
        outcome = executor_for([Job(end, partial(count, 3, end)) for end in ends], 1, "ray").run(progress)
    assert outcome.signal == 0
    assert outcome.ended == {
        "refuse": Ended(2, "there is no more paper"),
        "fault": Ended(1, "ZeroDivisionError('a bug'); AGON_DEBUG=1 shows where it was raised"),
        "well": Ended(0, ""),
    }
    lines = stream.getvalue().splitlines()
    assert lines[1] == "Ray: 3 nodes, 3 cores, 3 jobs at a time"
    assert "well: counted to 3" in lines
    assert lines[-1] == "1 of 3 done  2 failed"


def lose(cluster: Any, folder: Path) -> None:
    """Kill a node other than the driver's, without a word, while its job is somewhere in the middle."""
    from ray._private.worker import global_worker

    while True:
        time.sleep(0.02)
        for node in list(cluster.worker_nodes):
            for name in jobs_of(node.all_processes["raylet"][0].process.pid):
                drivers = node._raylet_socket_name == global_worker.node._raylet_socket_name
                if not drivers and max(Run(folder / name).kept, default=0) > 0:
                    cluster.remove_node(node, allow_graceful=False)
                    return


@pytest.mark.evidence
def test_six_seeds_and_a_lost_node(cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every last checkpoint is, bit for bit, that of an undisturbed training in worker processes."""
    experiment = points(500, checkpoint_every=50, log_every=250, sample_every=250)
    thread = threading.Thread(target=lose, args=(cluster, tmp_path / "ray"))
    thread.start()
    replicate(experiment, tmp_path / "ray", SEEDS, compute=ONE_THREAD, on="ray")
    thread.join()
    told = capsys.readouterr().err
    assert "its worker or node was lost" in told
    assert "goes on from step" in told
    replicate(experiment, tmp_path / "processes", SEEDS, compute=ONE_THREAD, strategy="processes", show=False)
    for seed in SEEDS:
        assert_same(tmp_path / "ray" / f"seed-{seed}", tmp_path / "processes" / f"seed-{seed}")
    with pytest.raises(AssertionError):  # the negative control
        assert_same(tmp_path / "ray" / "seed-0", tmp_path / "processes" / "seed-1")
    plans = [json.loads((tmp_path / name / "replicates.json").read_text()) for name in ("ray", "processes")]
    assert plans[0] == plans[1]

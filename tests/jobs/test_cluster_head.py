"""The head of a Ray cluster is lost in the middle of a sweep: the command ends, and goes on with a new head."""

import json
import time
from pathlib import Path

import pytest

from tests.jobs.clusters import ray_cluster
from tests.jobs.test_cluster_faults import OPTIONS, begun
from tests.training.compare import assert_same
from tests.training.programs import ROOT, command, finished

pytestmark = pytest.mark.evidence


def test_the_head_is_lost_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No result is lost or counted twice: the table is that of a sweep in processes, and so is every checkpoint."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "5")
    arguments = ["sweep", "first/ring", *OPTIONS, "--steps", "400", "--device", "cpu", "--set", "checkpoint_every=50"]
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert finished(command(*arguments, "--out", whole))[0] == 0
    with ray_cluster(2, monkeypatch) as cluster:
        process = command(*arguments, "--out", out, "--on", "ray")
        begun(process, out)
        lost = time.monotonic()
        cluster.remove_node(cluster.head_node, allow_graceful=False)
        status, _, told = finished(process, 240)
        print(f"the command ended after {time.monotonic() - lost:.0f} s with status {status}: {told[-2000:]}")
        assert status != 0
    scores = {path: path.read_text() for path in out.glob("*/seed-*/metrics.jsonl")}
    with ray_cluster(2, monkeypatch):
        status, _, told = finished(command("resume", out, "--on", "ray"))
        assert status == 0, told
    assert "goes on from step" in told
    assert all(path.read_text() == text for path, text in scores.items()), "nothing is scored twice"
    tables = [json.loads((folder / "sweep.json").read_text())["result"]["table"] for folder in (whole, out)]
    assert tables[0] == tables[1]
    for run in whole.glob("*/seed-*"):
        assert_same(run, out / run.relative_to(whole))

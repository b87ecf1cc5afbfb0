"""Ray without a shared disk: a node is lost with its disk, and its job goes on elsewhere from S3."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agon.cli import main
from agon.runs import Run
from agon.runs.mirrors import copies, opening
from agon.storage import Address
from agon.training.replicates import replicate
from tests.jobs.clusters import jobs_of, ray_cluster
from tests.runs.stored import content_of, mirrored_step, objects_of
from tests.storage.buckets import Bucket, bucket
from tests.training.compare import assert_same
from tests.training.programs import ROOT, points
from tests.training.test_replicates import ONE_THREAD

pytestmark = pytest.mark.evidence
SEEDS = range(3)


@pytest.fixture(scope="module")
def clustered() -> Iterator[tuple[Any, Bucket]]:
    """Two nodes of one core each, and a server of S3."""
    with pytest.MonkeyPatch.context() as monkeypatch, bucket(monkeypatch) as served:
        monkeypatch.syspath_prepend(str(ROOT))
        with ray_cluster(2, monkeypatch) as cluster:
            yield cluster, served


def lose(cluster: Any, folder: Path, address: str, lost: list[str]) -> None:
    """Kill the node that is not the head while its job is somewhere in the middle, and remove the job's folder."""
    (node,) = cluster.worker_nodes
    raylet = node.all_processes["raylet"][0].process.pid
    while True:
        time.sleep(0.05)
        for name in jobs_of(raylet):
            if mirrored_step(opening.inside(address, name)) > 0:
                cluster.remove_node(node, allow_graceful=False)
                time.sleep(1)  # its processes end
                shutil.rmtree(folder / name)
                lost.append(name)
                return


def test_a_node_is_lost_with_its_disk(
    clustered: tuple[Any, Bucket], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every last checkpoint is, bit for bit, that of an undisturbed training in worker processes."""
    cluster, served = clustered
    address, out, lost = served.address("seeds"), tmp_path / "ray", list[str]()
    experiment = points(600, checkpoint_every=50, log_every=250, sample_every=250)
    thread = threading.Thread(target=lose, args=(cluster, out, address, lost))
    thread.start()
    replicate(experiment, out, SEEDS, compute=ONE_THREAD, on="ray", storage=address)
    thread.join()
    told = capsys.readouterr().err
    assert "its worker or node was lost" in told
    assert f"{lost[0]}: {out / lost[0]} goes on from step" in told
    replicate(experiment, tmp_path / "processes", SEEDS, compute=ONE_THREAD, strategy="processes", show=False)
    for seed in SEEDS:
        name = f"seed-{seed}"
        assert_same(out / name, tmp_path / "processes" / name)
        assert Run(out / name).kept[-1] == mirrored_step(opening.inside(address, name)) == 600
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    shutil.rmtree(out)  # the driver's disk as well
    assert main(["resume", address]) == 0
    for seed in SEEDS:
        assert_same(copies.copy_of(address) / f"seed-{seed}", tmp_path / "processes" / f"seed-{seed}")
    assert "replicates.json" in objects_of(Address.read(address))
    assert content_of(copies.copy_of(address))["report.html"] == objects_of(Address.read(address))["report.html"]

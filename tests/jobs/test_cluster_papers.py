"""A paper's item on a real Ray cluster, also through its client server: the numbers are those of processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.clusters import ray_cluster
from tests.training.compare import assert_same
from tests.training.programs import ROOT, command, finished
from tests.training.test_nodes import free_port

pytestmark = pytest.mark.evidence
ARGUMENTS = ["reproduce", "metz2017/figure1", "--scale", "smoke", "--seeds", "1", "--device", "cpu"]


def made(out: Path, *words: str) -> tuple[dict[str, Any], list[str]]:
    """The numbers of the item, and what the command said."""
    status, _, told = finished(command(*ARGUMENTS, "--out", out, *words), 600)
    assert status == 0, told
    numbers: dict[str, Any] = json.loads((out / "figure1.json").read_text())
    return numbers, told.splitlines()


@pytest.mark.filterwarnings("ignore:unclosed file .*ray_client_server:ResourceWarning")  # Ray's own
def test_reproduce_on_ray_and_through_its_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is said but what agon says."""
    expected, _ = made(tmp_path / "processes")
    monkeypatch.syspath_prepend(str(ROOT))
    port = free_port()
    with ray_cluster(1, monkeypatch, ray_client_server_port=port):
        for on in ("ray", f"ray://127.0.0.1:{port}"):
            out = tmp_path / on.partition(":")[0] / str(len(on))
            numbers, told = made(out, "--on", on)
            assert told[:2] == ["Ray: connecting", "Ray: 1 node, 1 cores, 1 jobs at a time"]
            for name in ("rows", "controls", "expectations"):
                assert numbers[name] == expected[name]
            for run in (tmp_path / "processes").glob("ring-*/seed-0"):
                assert_same(out / run.relative_to(tmp_path / "processes"), run)


def test_no_client_server_is_a_sentence(tmp_path: Path) -> None:
    status, _, told = finished(command(*ARGUMENTS, "--out", tmp_path, "--on", f"ray://127.0.0.1:{free_port()}"))
    assert status == 2
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("agon: expected a Ray cluster at ray://127.0.0.1:")

"""Where jobs are done: the words for it, what is refused, and what is said where Ray is not installed."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from agon.cli import main
from agon.errors import NotInstalledError, RunError, SettingError, installing
from agon.jobs import LocalProcesses, OnRay, executor_for, place
from agon.jobs.cluster import RayTasks, described
from agon.jobs.remote import brought, with_own_path
from agon.jobs.session import _start
from tests.jobs.test_processes import Job, count, partial


@pytest.fixture
def with_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Ray were installed; nothing here starts it."""
    monkeypatch.setattr("agon.jobs.placing.require", lambda *packages: None)


@pytest.mark.usefixtures("with_ray")
def test_words_for_places() -> None:
    assert place("processes") is None
    assert place("ray") == OnRay()
    assert place("ray://head:10001") == OnRay(address="ray://head:10001")
    assert place(OnRay(gpus=0.25)) == OnRay(gpus=0.25)
    for wrong in ("head:6379", "slurm", "Ray"):
        with pytest.raises(SettingError, match="expected 'ray', 'ray://HOST:PORT' or 'processes', got"):
            place(wrong)
    with pytest.raises(SettingError, match="--gpus-per-job: expected a number from 0"):
        OnRay(gpus=-1)


@pytest.mark.usefixtures("with_ray")
def test_each_job_asks_for_its_threads_and_its_device() -> None:
    jobs = [Job("one", partial(count, 1, "well"))]
    assert isinstance(executor_for(jobs, 1), LocalProcesses)
    asked = {
        (4, "cpu", OnRay()): {"num_cpus": 4, "num_gpus": 0},
        (1, "cuda", OnRay()): {"num_cpus": 1, "num_gpus": 1},
        (1, "cuda", OnRay(cpus=0.5, gpus=0.25)): {"num_cpus": 0.5, "num_gpus": 0.25},
    }
    for (threads, device, on), resources in asked.items():
        executor = executor_for(jobs, 1, on, threads=threads, device=device)
        assert isinstance(executor, RayTasks)
        assert executor.resources == resources


def test_without_ray_one_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agon.errors.find_spec", lambda package: None)
    with pytest.raises(NotInstalledError):
        place("ray")
    commands = [
        ["train", "first/ring", "--seeds", "2", "--out", tmp_path / "x", "--on", "ray"],
        ["sweep", "first/ring", "--over", "lr=1,2", "--metric", "modes", "--out", tmp_path / "x", "--on", "ray"],
        ["tournament", tmp_path, "--out", tmp_path / "x", "--on", "ray"],
        ["reproduce", "metz2017/figure1", "--on", "ray"],
        ["resume", tmp_path, "--on", "ray"],
    ]
    for arguments in commands:
        assert main([str(word) for word in arguments]) == 2
        assert capsys.readouterr().err == f"agon: expected ray, which is not installed; {installing('cluster')}\n"
    assert not (tmp_path / "x").exists()


@pytest.mark.usefixtures("with_ray")
def test_what_does_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "x")]
    refused = {
        "expected with --seeds N": ["--on", "ray"],
        "expected with --on ray alone": ["--seeds", "2", "--gpus-per-job", "0.5"],
        "expected 'processes' on a cluster": ["--seeds", "2", "--on", "ray", "--strategy", "batched"],
        "got 'cluster'": ["--seeds", "2", "--on", "cluster"],
    }
    for told, options in refused.items():
        assert main(["train", "first/ring", "--scale", "smoke", *options, *out]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


class Nodes:
    """What Ray says of its nodes."""

    def __init__(self, *resources: dict[str, float]) -> None:
        self.resources = resources

    def nodes(self) -> list[dict[str, object]]:
        """All of them, and one that is lost."""
        return [
            {"Alive": False, "Resources": {"CPU": 99.0}},
            *({"Alive": True, "Resources": it} for it in self.resources),
        ]


def test_the_line_about_a_cluster_counts_jobs_by_what_is_scarce() -> None:
    two = Nodes({"CPU": 8.0, "GPU": 1.0}, {"CPU": 2.0})
    assert described(two, {"num_cpus": 1.0, "num_gpus": 0.25}) == "Ray: 2 nodes, 10 cores, 4 jobs at a time"
    assert described(two, {"num_cpus": 0.1, "num_gpus": 0.0}) == "Ray: 2 nodes, 10 cores, 100 jobs at a time"
    assert described(two, {"num_cpus": 1.0, "num_gpus": 2.0}).endswith(
        "no node has 1 CPU and 2 GPU for a job, and all jobs wait for one"
    )


def test_jobs_bring_nothing_secret_and_find_their_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGON_CACHE", "/shared/cache")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert brought()["AGON_CACHE"] == "/shared/cache"
    assert "secret" not in str(brought())
    monkeypatch.setattr("sys.path", ["/own/packages", str(tmp_path)])
    prepared = with_own_path({"sys_path": [str(tmp_path), "/only/on/the/driver"], "dir": "/"})
    assert prepared["sys_path"] == [str(tmp_path), "/own/packages"]


def test_a_ray_that_does_not_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that is too busy: Ray raises a bare Exception then."""

    def init(**options: object) -> None:
        raise Exception("The current node timed out during startup.\nThis could happen because")

    ray = SimpleNamespace(init=init, _private=SimpleNamespace(ray_constants=SimpleNamespace(ENABLE_RAY_CLUSTER=True)))
    with pytest.raises(RunError, match=r"expected Ray to start on this machine, .*timed out during startup\.\)"):
        _start(ray, {})
    assert ray._private.ray_constants.ENABLE_RAY_CLUSTER

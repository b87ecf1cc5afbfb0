"""A training whose machine is lost goes on elsewhere from its storage, bit for bit as if nothing had happened."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agon import Run, resume, train, training
from agon.cli import main
from agon.errors import NotMirroredError, RunError, SettingError
from agon.runs.mirrors import copies, mirror, opening, place
from agon.storage import Address, open_store
from agon.terminal.progress import Progress
from agon.training.replicates import replicate
from agon.training.replicates.many import begin_or_resume
from tests.runs.stored import Failing, content_of, objects_of
from tests.storage.buckets import Bucket
from tests.training.compare import assert_same
from tests.training.programs import here, points
from tests.training.test_replicates import ONE_THREAD

EXPERIMENT = points(30, checkpoint_every=5, snapshots=6)
OPERATIONS = (13, 33, 46)  # of storage, after which it does not answer any more


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, so that nothing waits for storage that is gone; and a cache of its own."""
    monkeypatch.setattr(mirror, "FIRST", 0.02)
    monkeypatch.setattr(mirror, "ENDING", 0.0)
    monkeypatch.setattr(place, "PATIENCE", 0.1)
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole run, without storage."""
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    return train(EXPERIMENT, path, compute=ONE_THREAD, show=False).path


def failing_after(monkeypatch: pytest.MonkeyPatch, operations: int) -> None:
    """Let storage that a training opens fail from one operation on."""
    monkeypatch.setattr(place, "open_store", lambda address: Failing(open_store(address), operations))


def test_a_lost_machine(
    tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Storage fails from some operation on, the training ends all the same, and then its directory is lost."""
    monkeypatch.setattr(mirror.Mirror, "notify", lambda self: self._pushed())  # in order, whatever the machine's speed
    went_on = set()
    for operations in OPERATIONS:
        run, address = tmp_path / f"run-{operations}", f"file://{tmp_path}/stored-{operations}"
        with monkeypatch.context() as context:
            failing_after(context, operations)
            with pytest.raises(NotMirroredError, match="is gone"):
                training.train(EXPERIMENT, run, compute=ONE_THREAD, show=False, storage=address)
        assert_same(run, undisturbed)
        shutil.rmtree(run)
        elsewhere = opening.up_to_date(tmp_path / f"elsewhere-{operations}", address)
        went_on.add(Run(elsewhere).kept[-1])
        training.resume(elsewhere, show=False)
        assert_same(elsewhere, undisturbed)
        assert objects_of(Address.read(address)) == content_of_run(elsewhere)
    assert len(went_on) == len(OPERATIONS)
    assert capsys.readouterr().err.count("does not answer (it is gone); the training goes on") == len(OPERATIONS)
    failing_after(monkeypatch, 0)
    with pytest.raises(RunError, match="is gone"):
        training.train(
            EXPERIMENT, tmp_path / "run", compute=ONE_THREAD, show=False, storage=f"file://{tmp_path}/stored"
        )
    assert "does not answer (it is gone); trying again" in capsys.readouterr().err


def test_a_job_that_is_begun_again_on_another_machine(tmp_path: Path, undisturbed: Path) -> None:
    """What a worker does: it begins, or goes on where any worker before it has stopped; its own folder may be older."""
    address = f"file://{tmp_path}/stored"
    for step, machine in ((10, "a"), (20, "b"), (None, "a")):
        job = EXPERIMENT, ONE_THREAD, None, None, None, Progress
        begin_or_resume(tmp_path / machine, *job, until=step, storage=address)
    assert Run(tmp_path / "b").kept[-1] == 20
    assert_same(tmp_path / "a", undisturbed)
    assert objects_of(Address.read(address)) == content_of_run(tmp_path / "a")


def test_a_job_on_a_machine_that_is_ahead_of_storage_keeps_what_it_had_and_goes_on(
    tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Storage did not answer while the first machine trained to step 20; the second one began again meanwhile."""
    address = f"file://{tmp_path}/stored"
    job = EXPERIMENT, ONE_THREAD, None, None, None, Progress
    with monkeypatch.context() as context:
        failing_after(context, 13)
        with pytest.raises(NotMirroredError):
            begin_or_resume(tmp_path / "a", *job, until=20, storage=address)
    begin_or_resume(tmp_path / "b", *job, until=15, storage=address)
    with pytest.raises(RunError, match=r"has the checkpoint of step 20, and .* that of step 15"):
        resume(tmp_path / "a", show=False)
    begin_or_resume(tmp_path / "a", *job, storage=address)
    assert_same(tmp_path / "a", undisturbed)
    assert Run(tmp_path / "a-aside-1").kept[-1] == 20
    assert f"what was here is kept in {tmp_path}/a-aside-1" in capsys.readouterr().err


def content_of_run(run: Path) -> dict[str, bytes]:
    """What is mirrored of a run."""
    return {name: content for name, content in content_of(run).items() if not name.startswith("tensorboard/")}


def test_on_s3_from_its_address_alone(tmp_path: Path, undisturbed: Path, served: Bucket) -> None:
    address = served.address("runs/points")
    train(EXPERIMENT, tmp_path / "run", compute=ONE_THREAD, show=False, storage=address, until=15)
    shutil.rmtree(tmp_path / "run")
    assert resume(address, show=False).kept[-1] == 30
    assert_same(copies.copy_of(address), undisturbed)
    assert "SECRET" not in "".join(path.read_text() for path in copies.copy_of(address).glob("*.json"))
    assert (copies.copy_of(address) / "report.html").read_bytes() == objects_of(Address.read(address))["report.html"]
    with pytest.raises(RunError, match=r"holds a run already; agon resume .s3://"):
        train(EXPERIMENT, tmp_path / "run", compute=ONE_THREAD, show=False, storage=address)


def test_what_is_not_mirrored_is_a_status_and_is_mirrored_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, address = tmp_path / "run", f"file://{tmp_path}/stored"
    (tmp_path / "points.json").write_text(EXPERIMENT.to_json())
    with monkeypatch.context() as context:
        failing_after(context, 30)
        words = ["train", tmp_path / "points.json", "--out", run, "--storage", address, "--threads", "1"]
        assert main([str(word) for word in words]) == 4
    told = capsys.readouterr().err
    assert told.count("does not answer (it is gone); the training goes on, and tries again") == 1
    assert f"here is that of step 30; agon resume {run} mirrors it" in told
    here("resume", run)
    assert objects_of(Address.read(address)) == content_of_run(run)
    capsys.readouterr()
    for place_, out in ((run, "a.csv"), (Path(address), "b.csv")):  # a path has one slash
        here("sample", place_, "--n", "5", "--out", tmp_path / out)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "first/ring", "--out", str(tmp_path / "run"), "--storage"]
    assert main([*words, "s3://ID:PASS@bucket/run"]) == 2
    assert main([*words, "runs/there"]) == 2
    assert main(["resume", f"file://{tmp_path}/none"]) == 2
    told = capsys.readouterr().err
    assert "without credentials" in told
    assert "PASS" not in told
    assert "expected s3://BUCKET/NAME" in told
    assert "got none; agon train ... --storage" in told
    with pytest.raises(SettingError, match="expected 'processes' with a storage, got 'batched'"):
        replicate(EXPERIMENT, tmp_path / "seeds", 2, strategy="batched", storage=f"file://{tmp_path}/stored")
    assert not (tmp_path / "run").exists()


def test_a_run_that_was_not_mirrored_is_from_now_on(tmp_path: Path) -> None:
    address = f"file://{tmp_path}/stored"
    train(EXPERIMENT, tmp_path / "run", compute=ONE_THREAD, show=False, until=5)
    resume(tmp_path / "run", show=False, storage=address)
    assert json.loads((tmp_path / "run/storage.json").read_text())["address"] == address
    assert objects_of(Address.read(address)) == content_of_run(tmp_path / "run")
    other = train(replace(EXPERIMENT, seed=1), tmp_path / "other", compute=ONE_THREAD, show=False, until=5)
    with pytest.raises(RunError, match="holds another run than"):
        resume(other.path, show=False, storage=address)


def test_scores_are_mirrored_also_of_a_run_without_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, address = tmp_path / "run", f"file://{tmp_path}/stored"
    training.train(EXPERIMENT, run, compute=ONE_THREAD, show=False, storage=address)
    assert not (run / "report.html").exists()
    here("evaluate", run, "--metrics", "modes", "--n", "100")
    assert (scores := objects_of(Address.read(address))["metrics.jsonl"]) == (run / "metrics.jsonl").read_bytes()
    assert "copy" not in capsys.readouterr().err
    here("evaluate", address, "--metrics", "modes", "--n", "50")
    assert f"which is a copy of {address}" in capsys.readouterr().err
    assert objects_of(Address.read(address))["metrics.jsonl"] == scores

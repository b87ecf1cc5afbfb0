"""A sweep whose folder is lost goes on from its storage, and ends with the table of one that nothing disturbed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agon.cli import main
from agon.errors import NotMirroredError, RunError
from agon.runs import Run
from agon.runs.mirrors import copies, mirror, opening, place, pushing
from agon.storage import Address
from agon.sweeps import Halving, SweepResult, resume
from tests.runs.stored import content_of, objects_of
from tests.storage.buckets import Bucket
from tests.sweeps.inline import Inline, Killed
from tests.sweeps.test_sweeping import inline, tiny
from tests.training.compare import assert_same

__all__ = ["inline"]


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, and a cache of its own."""
    monkeypatch.setattr(mirror, "ENDING", 0.0)
    monkeypatch.setattr(place, "PATIENCE", 0.1)
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))


def table(result: SweepResult) -> list[object]:
    """The rows of a sweep, wherever it was made."""
    return list(result.plain()["table"])


def test_a_folder_that_is_lost_in_the_middle(tmp_path: Path, inline: type[Inline], served: Bucket) -> None:
    """Killed between two trainings, with an empty disk, and gone on from S3: nothing is trained twice."""
    expected, address = tiny(tmp_path / "whole", seeds=1), served.address("sweep")
    inline.done.clear()
    inline.kills_after = 1
    with pytest.raises(Killed):
        tiny(tmp_path / "sweep", storage=address, seeds=1)
    shutil.rmtree(tmp_path / "sweep")
    inline.kills_after = None
    elsewhere = tmp_path / "elsewhere"
    result = resume(elsewhere, storage=address, show=False)
    assert sorted(inline.done) == ["lr=0.001/seed-0", "lr=0.01/seed-0"]
    assert table(result) == table(expected)
    for run in (tmp_path / "whole").glob("*/seed-*"):
        name = str(run.relative_to(tmp_path / "whole"))
        assert_same(elsewhere / name, run)
        assert content_of_run(elsewhere / name) == objects_of(Address.read(opening.inside(address, name)))
    assert json.loads((elsewhere / "sweep.json").read_text())["result"]["table"] == table(result)
    shutil.rmtree(elsewhere)
    assert main(["resume", address]) == 0  # in the copy in the cache
    assert len(inline.done) == 2
    assert {"sweep.json", "report.html"} < objects_of(Address.read(address)).keys()
    with pytest.raises(RunError, match=r"holds a run already; agon resume 's3://"):
        tiny(tmp_path / "other", storage=address)


def content_of_run(run: Path) -> dict[str, bytes]:
    """What is mirrored of a run."""
    others = ("tensorboard/", "metrics.lock")
    return {name: content for name, content in content_of(run).items() if not name.startswith(others)}


@pytest.mark.evidence
def test_rungs_go_on_elsewhere(tmp_path: Path, inline: type[Inline]) -> None:
    """Each rung on another machine: what is fetched are the checkpoints at which the trials paused."""
    options = {"over": {"optimisers.lr": [1e-3, 1e-2, 3e-2, 1e-4]}, "halving": Halving(2), "seeds": 1}
    expected, address = tiny(tmp_path / "whole", **options), f"file://{tmp_path}/stored"
    inline.done.clear()
    inline.kills_after = 5
    with pytest.raises(Killed):
        tiny(tmp_path / "sweep", storage=address, **options)
    inline.kills_after = None
    shutil.rmtree(tmp_path / "sweep")
    assert table(resume(tmp_path / "elsewhere", storage=address, show=False)) == table(expected)
    assert len(inline.done) == 6
    best = f"{expected.best.name}/seed-0"
    assert_same(tmp_path / "elsewhere" / best, tmp_path / "whole" / best)


def test_what_is_not_mirrored_is_a_status_and_is_mirrored_later(
    tmp_path: Path, inline: type[Inline], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage stays away from some moment on: everything is trained, and pushed when it is back."""
    address, options = f"file://{tmp_path}/stored", {"seeds": 1}

    def gone(self: pushing.Push) -> None:
        raise mirror.StorageError(self.store.address, "it is gone")

    with monkeypatch.context() as context:
        context.setattr(pushing.Push, "_upload", lambda self, *_: gone(self))
        context.setattr(mirror, "FIRST", 0.02)
        with pytest.raises(NotMirroredError, match=r"not all mirrored .*it is gone.*agon resume"):
            tiny(tmp_path / "sweep", storage=address, **options)
    result = resume(tmp_path / "sweep", show=False)
    assert len(result.best.values) == 1
    shutil.rmtree(tmp_path / "sweep")
    again = resume(tmp_path / "sweep", storage=address, show=False)
    assert replace(again, comparison=None) == replace(result, comparison=None)


def test_one_that_was_not_mirrored_is_from_now_on(tmp_path: Path, inline: type[Inline]) -> None:
    result, address = tiny(tmp_path / "sweep", seeds=1), f"file://{tmp_path}/stored"
    resume(tmp_path / "sweep", storage=address, show=False)
    shutil.rmtree(tmp_path / "sweep")
    assert table(resume(address, show=False)) == table(result)
    assert len(inline.done) == 2
    assert Run(copies.copy_of(address) / "lr=0.01/seed-0").kept[-1] == 20

"""Folders of many runs in storage: which of their files are mirrored, and a directory and its storage made alike."""

import json
from pathlib import Path

import pytest

from agon.errors import RunError
from agon.papers.storing import begin
from agon.runs.directory import Directory
from agon.runs.mirrors import (
    begin_folder,
    fetched,
    fetched_afterwards,
    inside,
    mirror_now,
    place,
    stored_at,
    sync,
    sync_all,
    up_to_date,
)
from agon.storage import Address
from tests.runs.stored import Written, content_of, objects_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and little patience."""
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(place, "PATIENCE", 0.1)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"file://{tmp_path}/stored"


def swept(path: Path, address: str) -> list[Written]:
    """A sweep of two trials, mirrored with its runs."""
    runs = [Written(path / trial / "seed-0") for trial in ("lr=1e-3", "lr=1e-4,2")]
    for run in runs:
        run.begin()
        run.train(0)
        (run.path.parent / "replicates.json").write_text('{"seeds": [0]}')
    plan = {"seeds": [0], "trials": {"lr=1e-3": {}, "lr=1e-4,2": {}, "../run": {}}}
    (path / "sweep.json").write_text(json.dumps(plan))
    (path / "letter.txt").write_text("of a person")
    (path / "report.html").write_text("page")
    begin_folder(Directory(path), address)
    mirror_now(path)
    sync_all({run.path: inside(address, f"{run.path.parent.name}/seed-0") for run in runs})
    return runs


def test_a_sweep_is_fetched_with_its_plans_and_runs(tmp_path: Path, address: str) -> None:
    runs = swept(tmp_path / "sweep", address)
    copy = fetched(address)
    assert {name for name in content_of(copy) if name.count("/") < 2} == {
        "sweep.json",
        "report.html",
        "lr=1e-3/replicates.json",
        "lr=1e-4,2/replicates.json",
    }
    for run in runs:
        assert content_of(copy / run.path.relative_to(tmp_path / "sweep")) == content_of(run.path)


def test_a_directory_and_its_storage_are_made_alike(tmp_path: Path, address: str) -> None:
    """Whichever is newer; where neither has a run, nothing happens."""
    sync(tmp_path / "here", address)
    sync(tmp_path / "here", "")
    assert not (tmp_path / "here").exists()
    here = Written(tmp_path / "here")
    here.begin()
    here.train(0)
    for step in (100, 200):
        sync(here.path, address)
        assert objects_of(Address.read(address)) == content_of(here.path)
        here.train(step)
    sync(here.path, address)
    there = Written(tmp_path / "there")
    with fetched_afterwards({here.path: address}, "agon resume"):
        sync(there.path, address)
        there.train(300)
        sync(there.path, address)
    assert content_of(here.path) == content_of(there.path) == objects_of(Address.read(address))
    before = (tmp_path / "stored/mirror.json").read_bytes()
    sync(here.path, address)  # nothing is new
    assert (tmp_path / "stored/mirror.json").read_bytes() == before


def test_what_cannot_be_fetched_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stored").write_text("")
    with fetched_afterwards({tmp_path / "here": f"file://{tmp_path}/stored"}, "agon resume seeds"):
        pass
    assert "what was trained elsewhere is not here yet" in (told := capsys.readouterr().err)
    assert "agon resume seeds fetches it" in told


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, address: str) -> None:
    """Nothing outside a sweep's trials, and none of the files that a directory has beside what is mirrored."""
    swept(tmp_path / "sweep", address)
    manifest = json.loads((tmp_path / "stored/mirror.json").read_text())
    for name in ("../replicates.json", "a/b/replicates.json", ".hidden/replicates.json", "storage.json", "run.lock"):
        changed = {**manifest, "files": {**manifest["files"], name: [[1, "0"]]}}
        (tmp_path / "stored/mirror.json").write_text(json.dumps(changed))
        with pytest.raises(RunError, match=r"mirror\.json is not what agon writes"):
            up_to_date(tmp_path / "elsewhere", address)


def test_the_pages_of_a_paper(tmp_path: Path, address: str) -> None:
    """Pages of earlier items are fetched; another paper, scale or run is refused, and nothing of it is taken."""
    folder = tmp_path / "paper"
    assert begin(folder, "metz2017", "smoke", "") == ""
    assert begin(folder, "metz2017", "smoke", address) == address
    for name in ("figure1.md", "section4a.json", "figureC.1.png", "appendixC.gif", "notes.md"):
        (folder / name).write_text(name)
    assert begin(folder, "metz2017", "smoke", "") == address == stored_at(folder)
    names = {"paper.json", "figure1.md", "section4a.json", "figureC.1.png", "appendixC.gif"}
    assert objects_of(Address.read(address)).keys() == names
    begin(tmp_path / "elsewhere", "metz2017", "smoke", address)
    assert content_of(tmp_path / "elsewhere").keys() == names
    with pytest.raises(RunError, match=r"expected metz2017 at scale quick in .*, got .*smoke.*; choose another place"):
        begin(tmp_path / "other", "metz2017", "quick", address)
    with pytest.raises(RunError, match="expected im2016 at scale smoke"):
        begin(folder, "im2016", "smoke", f"{address}-2")
    swept(tmp_path / "sweep", f"{address}-3")
    with pytest.raises(RunError, match=r"expected metz2017 at scale smoke in .*, got something else"):
        begin(tmp_path / "other", "metz2017", "smoke", f"{address}-3")
    assert not (tmp_path / "other").exists()

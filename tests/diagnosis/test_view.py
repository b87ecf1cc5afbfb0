"""A view of a run says what is missing, and nothing of a run is changed by a diagnosis."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import agon
from agon.cli import main
from agon.diagnosis import SICKNESSES, Log, view_of
from agon.diagnosis.geometry import energy, spread, travel
from agon.experiment import Experiment
from tests.training.programs import points


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> agon.Run:
    """A short training of points."""
    return agon.train(points(30), tmp_path_factory.mktemp("view") / "run", compute=agon.Compute(threads=1), show=False)


@pytest.fixture
def copied(run: agon.Run, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(run.path, tmp_path / "copy"))


def digest(folder: Path) -> str:
    """A checksum of all names, bytes and times of a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        total.update(f"{path.relative_to(folder)} {path.stat().st_mtime_ns}".encode())
        total.update(path.read_bytes() if path.is_file() else b"")
    return total.hexdigest()


def test_diagnosing_changes_no_byte(run: agon.Run) -> None:
    before = digest(run.path)
    diagnosis = agon.diagnose(run)
    assert set(diagnosis.looked_at) | set(diagnosis.unseen) == set(SICKNESSES), "each look is accounted for"
    assert digest(run.path) == before


def test_the_view_of_a_whole_run(run: agon.Run) -> None:
    view = view_of(run)
    assert (view.budget, view.reached, view.missing) == (30, 30, {})
    assert view.log.steps.tolist() == [5, 10, 15, 20, 25, 30]
    assert list(view.samples) == [0, 10, 20, 30]
    assert view.real is not None
    assert view.state == "finished, 30 steps"


@pytest.mark.parametrize("damage", ["log", "sample", "samples", "checkpoints", "experiment", "real"])
def test_damage_is_said_and_the_rest_is_looked_at(copied: Path, damage: str) -> None:
    """One thing broken at a time: what needs it is not looked at, what does not is."""
    if damage == "log":
        (copied / "log.jsonl").write_text("{nonsense\n")
    elif damage == "sample":
        (copied / "samples/00000030.npy").write_bytes(b"nothing")
    elif damage == "experiment":
        (copied / "experiment.json").write_text("{}")
    elif damage == "real":
        (copied / "samples/real.npy").unlink()
    else:
        shutil.rmtree(copied / damage)
    diagnosis = agon.diagnose(copied)
    assert diagnosis.unseen
    assert set(diagnosis.looked_at) | set(diagnosis.unseen) == set(SICKNESSES)
    assert ("collapse" in diagnosis.looked_at) == (damage in ("log", "checkpoints", "experiment"))
    assert ("ignored-latent" in diagnosis.looked_at) == (damage in ("log", "sample"))


def test_the_command(run: agon.Run, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["diagnose", str(run.path), "--json"])
    (told,) = json.loads(capsys.readouterr().out)
    assert status == (0 if told["healthy"] else 3)
    assert main(["diagnose", str(run.path)]) == status
    assert capsys.readouterr().out.startswith(f"{run.path} (finished, 30 steps): ")


def test_columns_of_a_log() -> None:
    """A later record of a step counts; what is missing or no number is NaN."""
    records = [{"step": 5, "a": 1.0}, {"step": 10, "a": 2.0, "b": None}, {"step": 5, "a": 3.0}, {"step": None}]
    log = Log.of(records)
    assert log.steps.tolist() == [5, 10]
    assert log.get("a").tolist() == [3.0, 2.0]
    assert np.isnan(log.get("b")).all()
    assert np.isnan(log.get("c")).all()
    assert log.since(lambda value: value < 2.8, np.array([3.0, 2.0])) == 5  # medians of the neighbours: 2.5, 2.5
    assert log.since(lambda value: value < 1, np.array([3.0, 2.0])) is None


def test_distances_have_their_closed_forms() -> None:
    """E|x - x'| = 2 σ / √π on the line; energy distance 0 of equal sets, of order n^-1 of equal laws."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(256, 1)), rng.normal(size=(256, 1))
    assert spread(x) == pytest.approx(2 / np.sqrt(np.pi), rel=0.1)
    assert abs(energy(x, y)) < 0.03
    assert energy(x + 5.0, y) > 1.0
    circle = [np.array([np.cos(a), np.sin(a)]) for a in np.linspace(0, 4 * np.pi, 201)]
    assert travel(circle) == (pytest.approx(2.0, rel=1e-3), pytest.approx(4 * np.pi, rel=1e-3))
    line = travel([np.array([float(i), 0.0]) for i in range(5)])
    assert line == (4.0, 4.0)


def test_an_experiment_of_unknown_classes_is_said(copied: Path) -> None:
    """Without trust a user's class is not imported: its looks say so, and the others are made."""
    described = json.loads((copied / "experiment.json").read_text())
    described["game"]["generator"] = {"import": "nowhere:Generator", "hash": "0"}
    (copied / "experiment.json").write_text(json.dumps(described))
    with pytest.raises(agon.AgonError):
        Experiment.from_json((copied / "experiment.json").read_text())
    diagnosis = agon.diagnose(copied)
    assert "collapse" in diagnosis.looked_at
    assert "nowhere" in diagnosis.unseen["settings"]
    assert all("nowhere" in diagnosis.unseen[name] for name in ("overpowering-critic", "undecided-critic"))

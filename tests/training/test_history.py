"""Light checkpoints: a run keeps as many as it was asked for, a resumed one the same, and old runs none."""

import json
from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.errors import CheckpointError, RunError, SettingError
from agon.runs import Run, checkpoints
from agon.runs.history import steps_of_history
from agon.samples.making import load, sample
from agon.training import replicates
from tests.training.compare import assert_same, history_of
from tests.training.programs import points, small

ONE_THREAD = agon.Compute(threads=1, device="cpu")


def trained(path: Path, experiment: agon.Experiment) -> Run:
    return agon.train(experiment, path, compute=ONE_THREAD, show=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve steps with averaged weights, six of which stay; not to be written."""
    return trained(tmp_path_factory.mktemp("history") / "run", small(12, snapshots=6)).path


def test_a_run_keeps_the_steps_that_it_was_asked_for(whole: Path) -> None:
    """They are independent of the full checkpoints, of which three stay, and hold weights alone."""
    run = Run.open(whole)
    assert run.past == steps_of_history(12, 6)
    assert run.kept == [5, 10, 12]
    names = run.checkpoint(2).tensors.keys()
    assert {name.partition("/")[0] for name in names} == {"game", "average"}
    assert {path.name for path in (whole / "history").rglob("*.*")} == {"tensors.safetensors", "state.json"}


@pytest.mark.parametrize("weights", ["average", "live"])
def test_a_light_checkpoint_generates_as_the_whole_one(whole: Path, tmp_path: Path, weights: str) -> None:
    """At every step that stays: what the training had then, live or averaged, and no other's."""
    short = trained(tmp_path / "short", small(3, checkpoint_every=1, keep=9))
    for step in (1, 2, 3):
        ours, theirs = (load(run, step=step, weights=weights) for run in (whole, short))  # type: ignore[arg-type]
        assert ours.step == step
        assert torch.equal(sample(ours, 3), sample(theirs, 3))
        assert all(map(torch.equal, ours.game.state_dict().values(), theirs.game.state_dict().values()))


def test_the_command_line_keeps_them_and_samples_from_them(tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "x.npz"
    words = ["train", "first/ring", "--out", run, "--steps", 30, "--scale", "smoke", "--snapshots", 4]
    assert main([*map(str, words), "--threads", "1"]) == 0
    assert Run.open(run).past == steps_of_history(30, 4) == [1, 3, 9, 30]
    assert main(["sample", str(run), "--step", "3", "--n", "5", "--out", str(file)]) == 0
    assert file.exists()


def test_a_resumed_run_makes_the_same_ones(whole: Path, tmp_path: Path) -> None:
    """Of the steps after the checkpoint it makes them again, even where a killed process had written other bytes."""
    run = trained(tmp_path / "run", small(12, snapshots=6))
    for path in (run.checkpoints / "00000010", run.checkpoints / "00000012"):
        checkpoints.remove(path)
    (run.history / "00000008" / "tensors.safetensors").write_bytes(b"damaged")
    (run.history / ".writing-00000012-1").mkdir()
    agon.resume(run.path, show=False)
    assert_same(run.path, whole)
    assert len(history_of(whole)) == 12


def test_a_longer_budget_keeps_the_old_ones_and_adds_those_ahead(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", points(10, snapshots=3))
    agon.resume(run.path, steps=100, show=False)
    assert run.past == [1, 3, 10, 100] == sorted({*steps_of_history(10, 3), *steps_of_history(100, 3)})


def test_seeds_trained_together_keep_what_each_keeps_alone(tmp_path: Path) -> None:
    experiment = points(9, snapshots=4, checkpoint_every=100, log_every=100, sample_every=100)
    replicates.replicate(experiment, tmp_path / "seeds", 2, strategy="batched", compute=ONE_THREAD, show=False)
    alone = trained(tmp_path / "alone", points(9, seed=1, snapshots=4))
    together = Run.open(tmp_path / "seeds" / "seed-1")
    assert together.past == alone.past == [1, 2, 4, 9]
    for step in alone.past:
        ours, theirs = (run.checkpoint(step).tensors for run in (together, alone))
        assert all(torch.allclose(ours[name], theirs[name], atol=1e-5) for name in theirs)


def test_a_damaged_one_is_refused_with_a_sentence(whole: Path, tmp_path: Path) -> None:
    run = trained(tmp_path / "run", points(4, snapshots=2, keep=1))
    file = run.history / "00000001" / "tensors.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(CheckpointError, match="does not have the checksum"):
        load(run, step=1)
    with pytest.raises(RunError, match="it has kept those of 1, 4"):
        load(run, step=3)


def test_a_run_of_an_earlier_version_has_none(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", small(4))
    described = json.loads((run.path / "experiment.json").read_text())
    del described["snapshots"]
    (run.path / "experiment.json").write_text(json.dumps(described))
    assert agon.Experiment.from_json(run.experiment).snapshots == 0
    agon.resume(run.path, steps=6, experiment=small(4), show=False)
    assert run.past == []


def test_a_number_out_of_range_is_refused() -> None:
    for count in (-1, 10_001):
        with pytest.raises(SettingError, match=r"snapshots: expected from 0 to 10,000"):
            points(4, snapshots=count)

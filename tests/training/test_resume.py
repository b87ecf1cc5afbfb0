"""A training that was killed at any moment and resumed is the training that was never killed."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

import agon
from agon.errors import CheckpointError, RunError, SettingError
from agon.runs import Run, checkpoints
from agon.runs.snapshots import snapshot
from agon.samples.making import load
from tests.training.compare import assert_same, log_of, samples_of
from tests.training.programs import finished, module, small

ONE_THREAD = agon.Compute(threads=1, device="cpu")


def train(run: Path, steps: int = 20, **changes: object) -> Path:
    agon.train(small(steps, **changes), run, compute=ONE_THREAD, show=False)
    return run


@pytest.mark.parametrize(("many", "steps"), [(3, 700), pytest.param(20, 2_500, marks=pytest.mark.evidence)])
def test_killed_at_many_moments_equals_uninterrupted(tmp_path: Path, many: int, steps: int) -> None:
    """SIGKILL at random moments, at least a quarter of them while a checkpoint is being written."""
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    status, out, err = finished(module("tests.training.killing", killed, whole, steps, many))
    assert status == 0, err
    kills, writing = map(int, out.split())
    assert kills >= many
    assert writing >= many / 4
    assert_same(killed, whole)


def test_a_longer_budget_is_the_longer_training(tmp_path: Path) -> None:
    """The last record and look of the shorter budget fall where none is due, and are dropped again."""
    short, long = train(tmp_path / "short", steps=13), train(tmp_path / "long", steps=30)
    assert "00000013.png" in samples_of(short)
    assert log_of(short)[-1]["step"] == 13
    agon.resume(short, steps=30, show=False)
    assert_same(short, long)


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    run = train(tmp_path / "run", steps=7)
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    agon.resume(run, show=False)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_looking_does_not_disturb(tmp_path: Path) -> None:
    """Ten times as many looks, records and checkpoints: the same weights and random streams."""
    rare = train(tmp_path / "rare", sample_every=20, checkpoint_every=20, log_every=20)
    often = train(tmp_path / "often", sample_every=1, checkpoint_every=1, log_every=1)
    a, b = Run.open(rare).last_good()[0], Run.open(often).last_good()[0]
    assert a is not None
    assert b is not None
    assert all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)


def test_another_seed_is_another_training(tmp_path: Path) -> None:
    """The negative control of every comparison above."""
    one, other = train(tmp_path / "one"), train(tmp_path / "other", seed=1)
    with pytest.raises(AssertionError):
        assert_same(one, other)


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "state"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run, whole = train(tmp_path / "run"), train(tmp_path / "whole")
    newest = run / "checkpoints" / "00000020"
    tensors = newest / "tensors.safetensors"
    content = tensors.read_bytes()
    if damage == "flip":
        tensors.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif damage == "truncate":
        tensors.write_bytes(content[: len(content) // 2])
    elif damage == "remove":
        tensors.unlink()
    else:
        state = newest / "state.json"
        state.write_text(state.read_text().replace('"step": 20', '"step": 21', 1))
    agon.resume(run)
    told = capsys.readouterr().err
    assert "00000020" in told
    assert "goes on from step 15" in told
    assert_same(run, whole)


def test_no_intact_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    run = train(tmp_path / "run", steps=5)
    for tensors in (run / "checkpoints").glob("*/tensors.safetensors"):
        tensors.write_bytes(b"")
    with pytest.raises(RunError, match="no checkpoint is intact"):
        agon.resume(run, show=False)


def test_a_changed_setting_is_refused_and_printed(tmp_path: Path) -> None:
    run = train(tmp_path / "run", steps=5)
    with pytest.raises(RunError, match="batch: 16 -> 8"):
        agon.resume(run, experiment=small(5, batch=8), show=False)
    with pytest.raises(RunError, match="budget of 5 steps"):
        agon.resume(run, steps=4, show=False)


def test_changed_data_are_refused(tmp_path: Path) -> None:
    run = train(tmp_path / "run", steps=5)
    for state in (run / "checkpoints").glob("*/state.json"):
        content = json.loads(state.read_text())
        del content["sha256"]
        content["state"]["fingerprint"] = "0" * 64
        state.write_text(json.dumps({**content, "sha256": checkpoints._digest(checkpoints._canonical(content))}))
    with pytest.raises(CheckpointError, match="data are not those"):
        agon.resume(run, steps=6, show=False)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    """A pickle that would run code, offered in the place of every file of a checkpoint."""
    run, mark = train(tmp_path / "run", steps=5), tmp_path / "executed"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(mark),)

    for file in [p for p in (run / "checkpoints").rglob("*") if p.is_file()]:
        file.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(RunError, match="no checkpoint is intact"):
        agon.resume(run, steps=6, show=False)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb()))
    assert mark.exists()  # the negative control: whoever unpickles it does run it


def test_a_ready_instance_starts_from_its_own_weights(tmp_path: Path) -> None:
    built = small(5).build()
    weights = {name: value.clone() for name, value in built.state_dict().items()}
    experiment = small(5, game=built)
    agon.train(experiment, tmp_path / "run", compute=ONE_THREAD, show=False)
    first = checkpoints.load(tmp_path / "run" / "checkpoints" / "00000000")
    assert all(torch.equal(first.tensors[f"game/{name}"], value) for name, value in weights.items())
    with pytest.raises(SettingError, match="ready instance"):
        agon.resume(tmp_path / "run", steps=6, show=False)
    agon.resume(tmp_path / "run", steps=6, experiment=small(5, game=small(5).build()), show=False)


def test_grids_show_the_same_latents(tmp_path: Path) -> None:
    """The last grid is what the last checkpoint's averaged weights make of the fixed latents."""
    run = Run.open(train(tmp_path / "run"))
    training = load(run)
    name, content = snapshot(training.samples(training.fixed_latents(9)), training.experiment.data, training.step)
    assert (run.samples / name).read_bytes() == content

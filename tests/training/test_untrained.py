"""A run at step 0: first weights, statistics of what the networks see, averages equal to the weights."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agon.errors import RunError
from agon.experiment import Experiment
from agon.recipes import find
from agon.runs import read
from agon.samples.making import load, sample
from agon.training import Compute, Training, resume
from agon.training.untrained import PASSES, untrained_run

ONE_THREAD = Compute(threads=1)


def digits() -> Experiment:
    """A GRAN's experiment: batch normalisation in both networks, averaged weights."""
    return find("im2016/mnist-gran3").experiment(None, "smoke")


def test_weights_are_the_first_ones_and_statistics_are_settled(tmp_path: Path) -> None:
    run = untrained_run(digits(), tmp_path / "run", compute=ONE_THREAD)
    fresh = Training(digits(), ONE_THREAD.resolved(), torch.device("cpu"))
    tensors = run.checkpoint(0).tensors
    for name, first in fresh.game.named_parameters():
        assert torch.equal(tensors[f"game/{name}"], first), name
    moved = [name for name, first in fresh.game.named_buffers() if not torch.equal(tensors[f"game/{name}"], first)]
    assert any("running_mean" in name and name.startswith("generator") for name in moved)
    assert any("running_mean" in name and name.startswith("critic") for name in moved)
    for name, tensor in tensors.items():
        player = name.removeprefix("average/")
        if player != name and not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.equal(tensor, tensors[f"game/{player}"]), name


def test_it_is_a_run_like_any_other(tmp_path: Path) -> None:
    """It samples, has a log of the passes and a snapshot of step 0, and is not made twice."""
    run = untrained_run(digits(), tmp_path / "run", compute=ONE_THREAD)
    assert sample(load(run), 20).shape == (20, 1, 28, 28)
    assert [record["step"] for record in read(run.log)] == [0] * PASSES
    assert {"loss/generator", "loss/critic", "logit/fake"} <= read(run.log)[0].keys()
    assert [step for step, _ in run.snapshots()] == [0]
    before = (run.checkpoints / "00000000" / "state.json").stat().st_mtime_ns
    assert untrained_run(digits(), tmp_path / "run", compute=ONE_THREAD).kept == [0]
    assert (run.checkpoints / "00000000" / "state.json").stat().st_mtime_ns == before


def test_another_seed_has_other_weights(tmp_path: Path) -> None:
    one, other = (
        untrained_run(replace(digits(), seed=seed), tmp_path / str(seed), compute=ONE_THREAD).checkpoint(0).tensors
        for seed in (0, 1)
    )
    assert any(not torch.equal(tensor, other[name]) for name, tensor in one.items() if name.endswith("weight"))


def test_a_run_that_was_trained_since_is_refused(tmp_path: Path) -> None:
    experiment = find("metz2017/ring-k0").experiment(None, "smoke")
    run = untrained_run(experiment, tmp_path / "run", compute=ONE_THREAD)
    resume(run.path, show=False)
    with pytest.raises(RunError, match="expected a run at step 0, got one at step 20"):
        untrained_run(experiment, tmp_path / "run", compute=ONE_THREAD)
    with pytest.raises(RunError, match="begun with other settings"):
        untrained_run(replace(experiment, batch=8), tmp_path / "run", compute=ONE_THREAD)

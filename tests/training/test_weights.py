"""Which weights: the average of a short training is not noise, and the weights of any kept step can be had."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import agon
from agon.cli import main
from agon.errors import RunError
from agon.runs import Run
from agon.samples.making import load, sample
from tests.training.programs import points, small

ONE_THREAD = agon.Compute(threads=1, device="cpu")


def trained(run: Path, experiment: agon.Experiment) -> Path:
    agon.train(experiment, run, compute=ONE_THREAD, show=False)
    return run


def test_the_average_of_400_steps_is_a_trained_generator(tmp_path: Path) -> None:
    """With decay 0.999 and no ramp, 67 % of the average are the first weights: points near 0, not on a ring."""
    radii = {}
    for name, ramp in (("ramp", True), ("none", False)):
        averaging = agon.Averaging(decay=0.999, ramp=ramp)
        fast = agon.part(torch.optim.Adam, lr=2e-3, betas=(0.5, 0.999))
        rare = {"log_every": 400, "sample_every": 400, "checkpoint_every": 400}
        run = trained(tmp_path / name, points(400, width=32, batch=64, averaging=averaging, optimisers=fast, **rare))
        for weights in ("average", "live"):
            drawn = sample(load(run, weights=weights), 500)  # type: ignore[arg-type]
            radii[name, weights] = float(drawn.norm(dim=1).median())
    assert radii["ramp", "live"] == radii["none", "live"]
    assert radii["ramp", "average"] == pytest.approx(radii["ramp", "live"], rel=0.25)
    assert radii["none", "average"] < 0.5 * radii["none", "live"]


def test_the_weights_of_a_kept_step_are_those_of_the_shorter_training(tmp_path: Path) -> None:
    long = trained(tmp_path / "long", small(20, checkpoint_every=5, keep=10))
    assert Run.open(long).kept == [0, 5, 10, 15, 20]
    for step in (5, 15, 20):
        short = trained(tmp_path / f"{step}", small(step, checkpoint_every=5))
        for weights in ("average", "live"):
            assert torch.equal(
                sample(load(long, step=step, weights=weights), 4),  # type: ignore[arg-type]
                sample(load(short, weights=weights), 4),  # type: ignore[arg-type]
            )
    assert load(long, step=5).step == 5


def test_a_step_that_was_not_kept_is_refused_with_those_that_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path / "run", small(20, checkpoint_every=5))
    with pytest.raises(RunError, match="got 5; it has kept those of 10, 15, 20, and keep=20 makes the next run"):
        load(run, step=5)
    assert main(["sample", str(run), "--step", "5", "--out", str(tmp_path / "x.npz")]) == 2
    assert "--set keep=20" in capsys.readouterr().err


def test_the_command_line_takes_the_step_and_the_weights(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", small(20, checkpoint_every=5))
    drawn = {}
    for step in (10, 20):
        for weights in ("average", "live"):
            out = tmp_path / f"{step}{weights}.npz"
            words = ["sample", run, "--n", 4, "--step", step, "--weights", weights, "--out", out]
            assert main([str(word) for word in words]) == 0
            drawn[step, weights] = np.load(out)["samples"]
    assert len({array.tobytes() for array in drawn.values()}) == 4


def test_a_run_of_an_earlier_version_keeps_three(tmp_path: Path) -> None:
    """It says nothing of `keep`, resumes, and is not taken for one that was begun with other settings."""
    run = trained(tmp_path / "run", small(4))
    described = json.loads((run / "experiment.json").read_text())
    del described["keep"]
    (run / "experiment.json").write_text(json.dumps(described))
    agon.resume(run, steps=6, experiment=small(4), show=False)
    assert Run.open(run).described["keep"] == 3

"""Metrics while a training goes on: at every so many steps, and the training is as if nobody had looked."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from agon import train
from agon.cli import main
from agon.data import Ring
from agon.evaluate import measured
from agon.recipes import find
from agon.runs import Run, read
from agon.training import Watch

pytestmark = pytest.mark.usefixtures("one_core")


def tensors(run: Run) -> dict[str, torch.Tensor]:
    checkpoint, _ = run.last_good()
    assert checkpoint is not None
    return checkpoint.tensors


def test_watching_does_not_disturb(tmp_path: Path) -> None:
    experiment = replace(find("first/ring").experiment(Ring(), "smoke"), steps=12)
    alone = train(experiment, tmp_path / "alone", show=False)
    watch = Watch(4, partial(measured, metrics=["pairwise"], n=64))
    watched = train(experiment, tmp_path / "watched", show=False, watch=watch)
    assert [record["step"] for record in read(watched.metrics)] == [4, 8, 12]
    mine, theirs = tensors(watched), tensors(alone)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_watching_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The latents are the same at every look, so that a change of the score is the generator's."""
    out = str(tmp_path / "run")
    asked = ["--steps", "8", "--watch", "pairwise,paths", "--watch-every", "4", "--watch-n", "32"]
    assert main(["train", "first/ring", "--scale", "smoke", "--out", out, *asked]) == 0
    records = read(Run.open(out).metrics)
    assert {record["step"] for record in records} == {4, 8}
    assert {record["seed"] for record in records} == {0}
    assert main(["train", "first/ring", "--scale", "smoke", "--out", out + "2", "--watch", "fdi"]) == 2
    assert "did you mean" in capsys.readouterr().err

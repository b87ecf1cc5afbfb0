"""Metrics while a training goes on: at every so many steps, and the training is as if nobody had looked."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agon import train
from agon.cli import main
from agon.data import Ring
from agon.errors import DataError
from agon.evaluation import EvaluationCallback
from agon.recipes import find
from agon.runs import Run, read
from agon.training import Callback, Training

pytestmark = pytest.mark.usefixtures("one_core")


def tensors(run: Run) -> dict[str, torch.Tensor]:
    checkpoint, _ = run.last_good()
    assert checkpoint is not None
    return checkpoint.tensors


def test_watching_does_not_disturb(tmp_path: Path) -> None:
    experiment = replace(find("first/ring").experiment(Ring(), "smoke"), steps=12)
    alone = train(experiment, tmp_path / "alone", show=False)
    watch = Callback(4, EvaluationCallback(["pairwise", "paths"], 64))
    watched = train(experiment, tmp_path / "watched", show=False, callback=watch)
    assert [record["step"] for record in read(watched.metrics) if record["name"] == "pairwise"] == [0, 4, 8, 12]
    mine, theirs = tensors(watched), tensors(alone)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_watching_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The latents are the same at every look, so that a change of the score is the generator's."""
    out = str(tmp_path / "run")
    asked = ["--steps", "8", "--evaluate", "pairwise,paths", "--evaluate-every", "4", "--evaluate-n", "32"]
    assert main(["train", "first/ring", "--scale", "smoke", "--out", out, *asked]) == 0
    records = read(Run.open(out).metrics)
    assert {record["step"] for record in records} == {0, 4, 8}
    assert {record["seed"] for record in records} == {0}
    assert main(["train", "first/ring", "--scale", "smoke", "--out", out + "2", "--evaluate", "fdi"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_resumed_training_is_watched_on(tmp_path: Path) -> None:
    out, asked = str(tmp_path / "run"), ["--evaluate", "pairwise", "--evaluate-every", "4", "--evaluate-n", "32"]
    assert main(["train", "first/ring", "--scale", "smoke", "--out", out, "--steps", "4"]) == 0
    assert main(["resume", out, "--steps", "8", *asked]) == 0
    assert [record["step"] for record in read(Run.open(out).metrics)] == [8]


def test_what_a_metric_cannot_watch_is_refused_before_there_is_a_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "first/ring", "--scale", "smoke", "--steps", "4", "--out", str(tmp_path / "run"), "--evaluate"]
    assert main([*words, "pairwise,neighbours"]) == 2
    assert "--metrics neighbours: expected a finite set" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main([*words, "pairwise"]) == 0
    records = (tmp_path / "run/log.jsonl").read_bytes()
    assert main(["resume", str(tmp_path / "run"), "--steps", "8", "--evaluate", "neighbours"]) == 2
    assert (tmp_path / "run/log.jsonl").read_bytes() == records


def test_what_cannot_be_watched_ends_the_training_at_once_or_never(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At step 0 it is the settings' fault; later a generator that has collapsed, say, goes on training."""
    experiment = replace(find("first/ring").experiment(Ring(), "smoke"), steps=4)

    def look(training: Training, run: Run) -> None:
        if training.step >= first:
            raise DataError("nothing to see")

    first = 0
    with pytest.raises(DataError, match="nothing to see"):
        train(experiment, tmp_path / "first", show=False, callback=Callback(2, look))
    first = 2
    assert train(experiment, tmp_path / "second", show=False, callback=Callback(2, look)).last_good()[0] is not None
    assert "at step 2: nothing to see" in capsys.readouterr().err

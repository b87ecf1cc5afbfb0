"""Runs of class-conditional games: grids, one class, truncation, resuming, several processes, what they record."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from agon import Compute, evaluate, load, part, resume, train
from agon.averaging import Averaging
from agon.cli import main
from agon.data import Images
from agon.data.source import as_bytes
from agon.diagnosis import painting, view_of
from agon.errors import RunError, SettingError
from agon.evaluation import ExtractorSpec
from agon.experiment import Experiment
from agon.games import Adversarial
from agon.networks import conditional, dcgan
from agon.runs import Run
from agon.runs.snapshots import image_snapshots
from agon.samples import draw, interpolate, sample
from agon.samples.making import latents
from agon.training import Training
from agon.training.labels import class_rows
from tests.training.compare import assert_same
from tests.training.programs import small
from tests.training.test_processes import largest_difference
from tests.training.test_processes import train as train_by_words

CLASSES = 10
DATA = Images(path="digits")
ONE = Compute(threads=1, device="cpu")


def described(steps: int = 10, **changes: object) -> Experiment:
    """`programs.small` with labels in both networks."""
    generator = part(dcgan.Generator, shape=DATA.shape, latent=8, width=8)
    critic = part(dcgan.Critic, shape=DATA.shape, width=8)
    game = part(
        Adversarial,
        generator=part(conditional.NormalisedGenerator, generator=generator, classes=CLASSES),
        critic=part(conditional.ProjectionCritic, critic=critic, classes=CLASSES),
    )
    return small(steps, game=game, grid=40, **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(described(), tmp_path_factory.mktemp("conditional") / "run", compute=ONE, show=False)


def test_each_row_of_a_grid_shows_one_class(run: Run) -> None:
    """The last grid has the fixed latents with the labels of its rows, and the layout of its file says so."""
    training = load(run)
    labels, columns = class_rows(40, CLASSES)
    assert (columns, labels.tolist()) == (4, [row for row in range(10) for _ in range(4)])
    expected = as_bytes(training.samples(training.fixed_latents(40), labels), DATA)
    shown = image_snapshots(run)
    assert torch.equal(shown[10], expected)
    assert not torch.equal(as_bytes(training.samples(training.fixed_latents(40), labels.flip(0)), DATA), expected)


@pytest.mark.parametrize(("n", "classes"), [(64, 10), (64, 2), (64, 5), (64, 100), (3, 10), (1, 1), (60, 7)])
def test_rows_of_classes_fill_a_grid_that_is_nearly_square(n: int, classes: int) -> None:
    labels, columns = class_rows(n, classes)
    rows = labels.view(-1, columns) if len(labels) % columns == 0 else labels[: len(labels) // columns * columns]
    assert (rows.view(-1, columns) == rows.view(-1, columns)[:, :1]).all()
    assert n / 2 < len(labels) <= n
    if n >= classes:
        assert labels.bincount(minlength=classes).unique().numel() == 1


def test_one_class_by_name_or_number(run: Run) -> None:
    training = load(run)
    assert torch.equal(sample(training, 5, label="3"), sample(training, 5, label=3))
    assert not torch.equal(sample(training, 5, label="3"), sample(training, 5, label="4"))
    assert draw(training, 5, label=7).labels.tolist() == [7] * 5
    walk = interpolate(training, 2, 3, label=1)
    torch.testing.assert_close(walk[:1], training.samples(latents(training, 4, 0)[:1], torch.tensor([1])))
    for wrong in ("cat", 10, "-1"):
        with pytest.raises(SettingError, match=r"--class: there is no class .*a number from 0 to 9"):
            sample(training, 5, label=wrong)


def test_drawn_labels_have_the_recorded_frequencies(run: Run) -> None:
    """Those of the data, without the data; the same for a seed, and for any number of samples at a time."""
    training = load(run)
    assert training.class_counts.tolist() == DATA.take(1_617).label.bincount().tolist()
    training.class_counts = torch.tensor([0.0, 3, 1, 0, 0, 0, 0, 0, 0, 0])
    labels = draw(training, 2_000).labels
    assert labels.unique().tolist() == [1, 2]
    assert float((labels == 1).float().mean()) == pytest.approx(0.75, abs=0.03)
    assert torch.equal(draw(training, 50, seed=4).labels, draw(training, 50, seed=4).labels)


def test_samples_of_a_diagnosis_have_the_data_s_frequencies(run: Run) -> None:
    """As many of each class, where the data have more of one, would be far from the data however good they are."""
    view = view_of(run)
    assert isinstance(view.live, Training)
    view.live.class_counts = torch.tensor([0.0, 9, 1, 0, 0, 0, 0, 0, 0, 0])
    labels = painting.latents(view.live, 1_000)[1]
    assert labels.unique().tolist() == [1, 2]
    assert float((labels == 1).float().mean()) == pytest.approx(0.9, abs=0.03)


def test_paths_are_written_with_their_labels(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "paths.npz"
    assert main(["sample", str(run.path), "--n", "2", "--interpolate", "3", "--out", str(out)]) == 0
    labels = np.load(out)["labels"]
    assert len(labels) == 6
    assert (labels.reshape(2, 3) == labels.reshape(2, 3)[:, :1]).all()


def test_a_record_that_was_changed_is_refused(tmp_path: Path) -> None:
    run = train(described(1), tmp_path / "run", compute=ONE, show=False)
    file = run.path / "arithmetic.json"
    record = json.loads(file.read_text())
    record["source"]["counts"] = [1, 2]
    file.write_text(json.dumps(record))
    with pytest.raises(RunError, match="expected 10 counts of its source's classes"):
        load(run)
    del record["source"]["counts"]
    file.write_text(json.dumps(record))
    assert draw(load(run), 1_000).labels.unique().numel() == CLASSES


def test_truncation_keeps_every_coordinate_within_the_bound(run: Run) -> None:
    training = load(run)
    assert latents(training, 500, 0, 0.5).abs().max() <= 0.5 < latents(training, 500, 0).abs().max()
    assert not torch.equal(sample(training, 5, truncation=0.5), sample(training, 5))
    assert torch.equal(sample(training, 5, truncation=0.5), sample(training, 5, truncation=0.5))


def test_resumed_is_uninterrupted(tmp_path: Path) -> None:
    train(described(10), tmp_path / "whole", compute=ONE, show=False)
    train(described(5), tmp_path / "parts", compute=ONE, show=False)
    resume(tmp_path / "parts", steps=10, show=False)
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """Every process gets the labels of its part; float64, with averaging and batch normalisation."""
    words = ("--precision", "fp64", "--set", "game=adversarial", *CONDITIONAL)
    alone = train_by_words(tmp_path / "alone", 4, *words)
    two = train_by_words(tmp_path / "two", 4, *words, "--devices", 2)
    assert largest_difference(alone, two) < 1e-9


NORMALISED = json.dumps(
    {
        "type": "class-normalised",
        "classes": 10,
        "generator": {"type": "dcgan.generator", "shape": [1, 8, 8], "width": 8},
    }
)
PROJECTION = json.dumps(
    {"type": "projection", "classes": 10, "critic": {"type": "dcgan.critic", "shape": [1, 8, 8], "width": 8}}
)
CONDITIONAL = ("--set", f"game.generator={NORMALISED}", "--set", f"game.critic={PROJECTION}")


def test_the_command_line_samples_one_class(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run.path), "--out", str(tmp_path / "three.npz"), "--class", "3", "--n", "5"]) == 0
    written = np.load(tmp_path / "three.npz")
    assert written["labels"].tolist() == [3] * 5
    assert main(["sample", str(run.path), "--out", str(tmp_path / "all.png"), "--n", "40"]) == 0
    capsys.readouterr()
    for words, sentence in {
        ("--class", "cat"): "there is no class 'cat'",
        ("--truncation", "0"): "expected a number over 0, got 0",
    }.items():
        assert main(["sample", str(run.path), "--out", str(tmp_path / "no.png"), *words]) != 0
        assert re.search(sentence, capsys.readouterr().err)


def test_a_run_without_labels_has_no_class_to_ask_for(tmp_path: Path) -> None:
    run = train(small(1), tmp_path / "run", compute=ONE, show=False)
    with pytest.raises(SettingError, match="expected a run whose generator takes labels"):
        sample(load(run), 5, label=3)
    with pytest.raises(SettingError, match="expected a run whose generator takes labels"):
        evaluate(run, metrics=["class-accuracy"], n=20)


def test_metrics_of_each_class_are_recorded(run: Run) -> None:
    """Where nothing is named, the class that was asked for is looked at as well."""
    names = [score.name for score in evaluate(run, n=200)]
    assert names[0].endswith("kernel-distance")
    assert names[1:] == ["classes", "confidence", "class-divergence", "class-accuracy"]
    assert evaluate(run, metrics=["intra-kid"], extractor=ExtractorSpec("pixels"))[0].value > 0, "of few real ones, too"
    scores = evaluate(run, metrics=["intra-kid"], n=200, extractor=ExtractorSpec("pixels"))
    assert scores[0].name == "pixels-intra-kernel-distance"
    assert set(scores[0].detail["by_class"]) == set(DATA.classes)


def test_an_average_draws_the_class_too(tmp_path: Path) -> None:
    """Its statistics are estimated again from samples of all classes; the live weights stay."""
    run = train(described(5, averaging=Averaging(decay=0.5)), tmp_path / "run", compute=ONE, show=False)
    averaged, live = load(run), load(run, weights="live")
    assert not torch.equal(sample(averaged, 4, label=2), sample(live, 4, label=2))

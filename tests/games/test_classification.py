"""The one-player game: its loss and accuracy, its labels, and a run without a single sample."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import agon
from agon import Experiment, Images, Turns, part, train
from agon.classifiers import accuracy_of
from agon.cli import main
from agon.data import Ring
from agon.errors import DataError, SettingError
from agon.evaluation import evaluate
from agon.games import Batch, Classification
from agon.metrics import accuracy
from agon.networks.classifier import Classifier
from agon.reports.page import render
from agon.reports.reading import read
from agon.runs import read as records
from agon.training import state
from tests.training.compare import assert_same, samples_of

pytestmark = pytest.mark.usefixtures("one_core")
DIGITS = Images(path="digits")


def small(steps: int = 20, **settings: object) -> Experiment:
    """A narrow classifier of the bundled digits."""
    sizes = {"shape": DIGITS.shape, "widths": (8,), "kernel": 3, "hidden": 32, **settings}
    return Experiment(
        game=part(Classification, classifier=part(Classifier, **sizes)),
        data=DIGITS,
        dynamics=Turns((("classifier",),)),
        optimisers=part(torch.optim.Adam, lr=5e-3),
        steps=steps,
        batch=32,
        log_every=5,
        sample_every=5,
        checkpoint_every=5,
    )


class Fixed(nn.Module):
    """The classifier whose logits are the sample, times a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


def test_the_loss_is_the_cross_entropy_and_what_has_no_label_takes_no_part() -> None:
    torch.manual_seed(0)
    game, x = Classification(classifier=Fixed()), torch.randn(6, 3)
    label = torch.tensor([0, 1, -1, 2, -1, 0])
    told = game(Batch(x, torch.zeros(6), {}, label), of=("classifier",))
    known = label >= 0
    torch.testing.assert_close(told.players["classifier"], cross_entropy(x[known], label[known]))
    assert told.seen["accuracy"] == (x[known].argmax(1) == label[known]).float().mean()
    nothing = game(Batch(x, torch.zeros(6), {}, torch.full((6,), -1)), of=("classifier",))
    assert nothing.players["classifier"] == nothing.seen["accuracy"] == 0
    assert (game.realness(x), game.latent_shape, tuple(game.generating_players)) == (None, (), ())


def test_without_labels_it_is_refused() -> None:
    game = Classification(classifier=Fixed())
    with pytest.raises(DataError, match="expected samples with class labels, got none"):
        game(Batch(torch.zeros(2, 3), torch.zeros(2), {}), of=("classifier",))
    with pytest.raises(SettingError, match="generates no samples"):
        game.generate(torch.zeros(2))


@pytest.mark.parametrize("classes", [9, 11])
def test_another_number_of_classes_is_refused_before_anything_is_written(classes: int, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=f"the data's 10 classes, got {classes}; use classes=10"):
        train(small(classes=classes), tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()


def test_a_set_without_labels_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bare.npy"
    np.save(file, np.zeros((40, 8, 8), np.uint8))
    out = ["--out", str(tmp_path / "run"), "--scale", "smoke"]
    assert main(["train", "yamazaki2017/mnist-classifier", "--data", str(file), *out]) == 2
    assert "expected samples with class labels, got none" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_what_is_no_classifier_is_refused() -> None:
    with pytest.raises(SettingError, match=r"expected logits of shape \(n, classes\), got \('n', 2, 2\)"):
        Classification(classifier=Fixed()).check((2, 2))
    with pytest.raises(DataError, match="class labels"):
        Classification(classifier=Fixed()).check_source(Ring())


def test_it_learns_the_digits(tmp_path: Path) -> None:
    """From chance to nine in ten on images that it has not seen, in a hundred steps."""
    run = train(small(steps=100), tmp_path / "run", show=False)
    log, (score,) = records(run.log), evaluate(run)
    assert log[0]["accuracy"] < 0.6 < 0.85 < score.value
    assert score.error == pytest.approx((score.value * (1 - score.value) / score.n) ** 0.5)
    assert log[-1]["images"] == 100 * 32
    assert log[-1]["loss/classifier"] < log[0]["loss/classifier"] / 2


def test_a_run_has_no_samples_and_everything_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(small(), tmp_path / "run", show=False)
    assert list(samples_of(run.path)) == ["real.png"]
    page = render(read([run.path]))
    assert "This game generates no samples." in page
    assert "No samples have been drawn yet" not in page
    for more in ([], ["--interpolate", "3"]):
        assert main(["sample", str(run.path), "--out", str(tmp_path / "x.png"), *more]) == 2
        assert "got a classification, which generates none; agon evaluate scores it" in capsys.readouterr().err
    assert main(["evaluate", str(run.path)]) == 0
    assert capsys.readouterr().out.startswith("accuracy ")


def test_a_run_is_scored_once_on_the_whole_test_split(tmp_path: Path) -> None:
    """Whatever n and seed are: the test split is all there is."""
    run = train(small(), tmp_path / "run", show=False)
    scores = evaluate(run, n=7, seed=3)
    assert [(score.name, score.n) for score in scores] == [("accuracy", DIGITS.count("test"))]
    assert evaluate(run) == scores
    assert [(r["name"], r["step"]) for r in records(run.metrics)] == [("accuracy", 20)]


def test_the_accuracy_does_not_depend_on_the_batch_nor_the_mode() -> None:
    """And is what one gets by hand; dropout left on is another number."""
    torch.manual_seed(0)
    game = Classification(classifier=Classifier(shape=(1, 8, 8), widths=(8,), hidden=64, dropout=0.9))
    test = DIGITS.take(DIGITS.count("test") or 0, split="test")
    assert test.label is not None
    with torch.no_grad():
        noisy = (game.logits(test.real).argmax(1) == test.label).double().mean()
        right = (game.eval().logits(test.real).argmax(1) == test.label).double().mean()
    game.train()
    assert {accuracy_of(game, DIGITS, chunk).value for chunk in (1000, 100, 7)} == {float(right)}
    assert game.classifier.training
    assert noisy != right


def test_a_score_of_nothing_is_refused() -> None:
    assert accuracy(torch.tensor([True, True, False, True]), "").value == 0.75
    with pytest.raises(DataError, match="at least 1 labelled sample"):
        accuracy(torch.zeros(0, dtype=torch.bool), "")


def test_resumed_equals_uninterrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout's stream included: where it is not restored, the weights are others."""
    for name, steps in (("whole", 20), ("stopped", 10), ("forgetful", 10)):
        train(small(steps), tmp_path / name, show=False)
    agon.resume(tmp_path / "stopped", steps=20, show=False)
    assert_same(tmp_path / "stopped", tmp_path / "whole")
    monkeypatch.setattr(state.torch, "set_rng_state", lambda _: None)
    agon.resume(tmp_path / "forgetful", steps=20, show=False)
    with pytest.raises(AssertionError):
        assert_same(tmp_path / "forgetful", tmp_path / "whole")


def test_it_is_written_down_and_read_back() -> None:
    experiment = small()
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert json.loads(experiment.to_json())["game"]["type"] == "classification"

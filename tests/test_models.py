"""A trained run as one object: its samples, walks and scores are those of the functions, of any step and weights."""

from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.errors import RunError, SettingError
from agon.runs import Run, read
from agon.samples.making import interpolate, load, sample
from agon.training import Training
from tests.training.programs import points, small

ONE_THREAD = agon.Compute(threads=1, device="cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ring of two tiny perceptrons, with averaged weights and every checkpoint."""
    path = tmp_path_factory.mktemp("models") / "run"
    experiment = points(20, averaging=agon.Averaging(decay=0.9), keep=10, checkpoint_every=5)
    agon.train(experiment, path, compute=ONE_THREAD, show=False)
    return path


@pytest.mark.parametrize("step", [5, None])
@pytest.mark.parametrize("weights", ["average", "live"])
def test_it_samples_and_walks_as_the_functions_do(run: Path, weights: str, step: int | None) -> None:
    model = agon.load(run, weights=weights, step=step)  # type: ignore[arg-type]
    known = load(run, weights=weights, step=step)  # type: ignore[arg-type]
    assert model.step == known.step == (step or 20)
    assert model.weights == weights
    assert torch.equal(model.sample(8, seed=3), sample(known, 8, seed=3))
    assert torch.equal(model.sample(8, seed=3), model.samples(model.latents(8, seed=3)))
    walk = model.walk(paths=2, steps=5, seed=3)
    assert walk.shape == (2, 5, 2)
    assert torch.equal(walk.flatten(0, 1), interpolate(known, 2, 5, seed=3))


def test_a_walk_leads_from_latent_to_latent(run: Path) -> None:
    model = agon.load(run)
    walk, ends = model.walk(paths=2, steps=4), model.samples(model.latents(4))
    torch.testing.assert_close(walk[:, 0], ends[[0, 2]])
    torch.testing.assert_close(walk[:, -1], ends[[1, 3]])


def test_its_networks_are_modules_and_its_critic_judges(run: Path) -> None:
    model = agon.load(run)
    assert isinstance(model, Training)
    x = model.sample(8)
    expected = model.game.eval().critic(x)  # type: ignore[operator]
    assert torch.equal(model.realness(x), expected.detach())
    assert not model.realness(x).requires_grad


def test_a_run_without_an_average_has_live_weights(tmp_path: Path) -> None:
    agon.train(points(2), tmp_path / "run", compute=ONE_THREAD, show=False)
    assert agon.load(tmp_path / "run").weights == "live"


def test_its_scores_are_those_of_evaluate_and_recorded(run: Path) -> None:
    scores = agon.load(run).score(["pairwise", "modes"], n=100)
    assert [score.value for score in agon.evaluate(run, metrics=["pairwise", "modes"], n=100)] == [
        score.value for score in scores
    ]
    before = len(read(Run.open(run).metrics))
    earlier = agon.load(run, step=5).score(["pairwise"], n=100)
    assert earlier == agon.evaluate(run, metrics=["pairwise"], n=100, step=5)
    assert earlier[0].value != scores[0].value
    assert {record["step"] for record in read(Run.open(run).metrics)[before:]} == {5}


def test_scores_of_live_weights_are_not_taken_for_those_of_averaged_ones(run: Path) -> None:
    averaged = agon.load(run).score(["pairwise"], n=100)
    before = (run / "metrics.jsonl").read_bytes()
    live = agon.load(run, weights="live").score(["pairwise"], n=100)
    assert live[0].value != averaged[0].value
    assert (run / "metrics.jsonl").read_bytes() == before
    assert agon.load(run).score(["pairwise"], n=100) == averaged


def test_the_command_line_scores_a_step(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(run), "--metrics", "pairwise", "--n", "100", "--step"]
    assert main([*words, "10"]) == 0
    expected = agon.load(run, step=10).score(["pairwise"], n=100)
    assert str(expected[0]) in capsys.readouterr().out
    assert main([*words, "11"]) == 2
    assert "it has kept those of 0, 5, 10, 15, 20" in capsys.readouterr().err


def test_what_it_cannot_do_is_a_sentence(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a run directory"):
        agon.load(tmp_path / "none")
    with pytest.raises(SettingError, match="expected at least 1 sample"):
        agon.load(run).sample(0)
    classifier = agon.recipe("yamazaki2017/mnist-classifier").experiment(agon.Images(path="digits"), scale="smoke")
    agon.train(classifier.with_steps(2), tmp_path / "classifier", compute=ONE_THREAD, show=False)
    model = agon.load(tmp_path / "classifier")
    with pytest.raises(SettingError, match="whose game generates samples"):
        model.sample(2)
    with pytest.raises(SettingError, match="which scores nothing"):
        model.realness(torch.zeros(1, *model.shape))


def test_the_report_says_which_weights_its_samples_are_of(run: Path, tmp_path: Path) -> None:
    assert "samples by averaged weights (decay 0.9)" in agon.report(run, tmp_path / "a.html").read_text()
    agon.train(small(2, averaging=None), tmp_path / "live", compute=ONE_THREAD, show=False)
    assert "samples by the live weights" in agon.report(tmp_path / "live").read_text()


def test_it_exports_its_own_weights(run: Path, tmp_path: Path) -> None:
    """The file of live weights is another than that of averaged ones; both are checked against the model."""
    files = [agon.load(run, weights=weights).export(tmp_path / f"{weights}.pt2") for weights in ("average", "live")]  # type: ignore[arg-type]
    for file in files:
        assert file.difference <= 1e-4
    latents = agon.load(run).latents(4)
    made = [torch.export.load(file.path).module()(latents) for file in files]
    torch.testing.assert_close(made[0], agon.load(run).samples(latents), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(*made)

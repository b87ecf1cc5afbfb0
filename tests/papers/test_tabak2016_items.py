"""What the items of tabak2016 compare, and that their measures tell what they say."""

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch

from agon import Compute, train
from agon.data import Gaussian, Images
from agon.data.source import as_bytes
from agon.evaluation import EvaluationCallback, ExtractorSpec
from agon.experiment import Experiment, Part
from agon.latents import Uniform
from agon.metrics import Score
from agon.papers import tabak2016
from agon.papers.item import Item
from agon.papers.tabak2016 import drawing, measuring
from agon.recipes.tabak2016 import RECIPES
from agon.runs import Run
from agon.runs import image_snapshots as kept_images
from agon.runs import point_snapshots as kept
from agon.samples.making import load
from agon.training import Callback, Training

ITEMS = {item.name.removeprefix("tabak2016/"): item for item in tabak2016.ITEMS}
ALONE = Compute(device="cpu", threads=1)


def made(item: Item) -> dict[str, Experiment]:
    return {label: recipe.experiment(scale="paper") for label, recipe in item.trainings.items()}


def settings(experiment: Experiment, player: str) -> dict[str, object]:
    assert isinstance(experiment.game, Part)
    found = experiment.game.settings[player]
    assert isinstance(found, Part)
    return dict(found.settings)


def trained(name: str, folder: Path, look: bool = False) -> Run:
    """At smoke scale; with the looks that it gives."""
    recipe = next(recipe for recipe in RECIPES if recipe.name == f"tabak2016/{name}")
    schedule = recipe.evaluations.get("smoke")
    watch = (
        Callback(schedule.every, EvaluationCallback(schedule.metrics, schedule.n, ExtractorSpec("pixels")))
        if look and schedule
        else None
    )
    return train(recipe.experiment(scale="smoke"), folder / name, compute=ALONE, show=False, callback=watch)


def test_the_gaussians_are_those_of_figure_2_and_differ_in_nothing_else() -> None:
    item = ITEMS["figure2"]
    experiments = made(item)
    assert list(experiments) == ["(a) N(3, 0.5)", "(b) N(3, 0.2)", "(c) N(-2, 0.5)"]
    expected = ((3.0, 0.5, 8.0), (3.0, 0.2, 10.0), (-2.0, 0.5, 10.0))
    first = experiments["(a) N(3, 0.5)"]
    for each, (mean, std, noise) in zip(experiments.values(), expected, strict=True):
        assert each.data == Gaussian(mean=mean, std=std)
        assert each.latent == Uniform(low=-noise, high=noise)
        assert replace(each, data=first.data, latent=first.latent, recipe=first.recipe) == first
        assert (each.steps, each.batch) == (4_000, 120)


def test_figure_3_varies_one_thing_at_a_time() -> None:
    """(a) and (b) differ in the output, (b) and (c) in the critic's depth, the digits of (a) in the digit."""
    experiments = made(ITEMS["figure3"])
    assert len(experiments) == 12
    a, b, c = (experiments[f"({panel}) 2"] for panel in "abc")
    assert settings(a, "generator") == {**settings(b, "generator"), "range": (-1.0, 1.0)}
    assert settings(b, "generator")["range"] is None
    assert settings(a, "critic") == settings(b, "critic")
    assert settings(b, "generator") == settings(c, "generator")
    assert (settings(b, "critic")["widths"], settings(c, "critic")["widths"]) == ((50, 50), (50, 50, 50))
    for digit in range(10):
        each = experiments[f"(a) {digit}"]
        assert isinstance(each.data, Images)
        assert each.data.only == digit
        assert replace(each, data=a.data, recipe=a.recipe) == a


def test_figure_4_sets_the_same_ten_digits_beside_two_epochs_of_a_dcgan() -> None:
    item = ITEMS["figure4"]
    convolutional, *vectors = item.trainings.values()
    assert all(recipe is ITEMS["figure3"].trainings[f"(a) {digit}"] for digit, recipe in enumerate(vectors))
    for scale in ("quick", "paper"):
        experiment = convolutional.experiment(scale=scale)  # type: ignore[arg-type]
        epoch = experiment.checkpoint_every
        assert experiment.steps == 2 * epoch
        assert experiment.sample_every == epoch
        assert 0 <= 60_000 - epoch * experiment.batch < experiment.batch
    assert item.published["vectors"] == {"paper: time of an epoch": "3 sec"}
    assert item.published["DCGAN, 2 epochs"]["paper: time of an epoch"] == "55 mins"


@pytest.mark.parametrize(("bias", "away"), [(0.0, 0.0), (math.log(3.0), 0.25), (50.0, 0.5)])
def test_the_distance_from_half_is_that_of_the_critics_probability(bias: float, away: float) -> None:
    """A critic that says the same logit everywhere."""
    experiment = ITEMS["figure2"].trainings["(a) N(3, 0.5)"].experiment(scale="smoke")
    training = Training(experiment, ALONE.resolved(), torch.device("cpu"))
    weight, shift = list(training.game.critic.parameters())[-2:]
    with torch.no_grad():
        weight.zero_()
        shift.fill_(bias)
    real, fake = experiment.data.take(50).real, torch.zeros(50, 1)
    assert measuring._from_half(training, real, fake).value == pytest.approx(away, abs=1e-6)


@pytest.mark.usefixtures("one_core")
def test_the_animation_shows_the_critic_where_it_was_looked_at(tmp_path: Path) -> None:
    """A frame for every step at which points were kept; the last critic in it is the trained one."""
    from PIL import Image

    seen, unseen = trained("gaussian-a", tmp_path, look=True), trained("gaussian-b", tmp_path)
    curves = drawing.recorded_critics(seen)
    assert list(curves) == list(kept(seen)) == [0, 10, 20]
    assert drawing.recorded_critics(unseen) == {}
    x = torch.tensor(curves[20].x, dtype=torch.float64)[:, None]
    assert len(x) > 20
    learned = measuring.probabilities(load(seen), x)
    assert torch.tensor(curves[20].y, dtype=torch.float64) == pytest.approx(learned, abs=1e-6)
    assert torch.tensor(curves[0].y, dtype=torch.float64) != pytest.approx(learned, abs=1e-6)
    moving = Image.open(BytesIO(drawing.animation({"(a)": seen, "(b)": unseen})))
    assert getattr(moving, "n_frames", 1) == 3


def test_recognised_is_the_share_of_the_digit_that_was_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of the most frequent one."""
    histogram = [0, 60, 30, *[0] * 6, 10]
    score = Score(name="classes", value=3, n=100, protocol="one; of 10", detail={"histogram": histogram})
    monkeypatch.setattr(measuring, "measured", lambda *_, **__: [score])
    recipe = ITEMS["figure3"].trainings["(a) 2"]
    training = Training(recipe.experiment(scale="smoke"), ALONE.resolved(), torch.device("cpu"))
    found = measuring._recognised(training, Run(Path("none")), "smoke")
    assert (found.value, found.n) == (0.3, 100)
    assert found.error == pytest.approx(math.sqrt(0.3 * 0.7 / 100))


@pytest.mark.usefixtures("one_core")
def test_each_epoch_of_the_dcgan_can_be_asked(tmp_path: Path) -> None:
    """What is measured of the first epoch is the generator whose images were kept then."""
    run = trained("mnist-dcgan", tmp_path)
    images = kept_images(run)
    for epochs, step in ((1, 10), (2, 20)):
        training = measuring.after_epochs(run, epochs)
        assert training.step == step
        shown = as_bytes(training.samples(training.fixed_latents(64)), training.experiment.data)
        assert torch.equal(shown, images[step])
    assert not torch.equal(images[10], images[20])

"""The recipe for one's own images: what it chooses, that it says so, and that a budget of minutes becomes steps."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from agon import Compute, resume, train
from agon.cli import main
from agon.data import Images, Ring
from agon.errors import RunError, SettingError
from agon.experiment import Experiment, augmented
from agon.recipes import RECIPES
from agon.recipes.own import AIM, DEFAULT, FAMILIES, MODERATE, WIDTHS, family_of, planned, seconds_of, width_for
from agon.runs import Run
from agon.training import Training, within

OWN = RECIPES["own"]
ONE = Compute(threads=1, device="cpu")
FACES, SPRITES, PHOTOS = (1, 28, 20), (3, 32, 32), (3, 64, 64)


def digits(shape: tuple[int, int, int]) -> Images:
    """The bundled digits in another shape."""
    return Images(path="digits", size=shape[1:], channels=shape[0], range=(-1.0, 1.0))  # type: ignore[arg-type]


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much whenever it is read."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += seconds
        return now

    return clock


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [FACES, SPRITES, PHOTOS, (1, 8, 8), (3, 24, 40)])
def test_every_family_takes_steps_at_every_shape(family: str, shape: tuple[int, int, int]) -> None:
    """At odd shapes, too; all losses and samples are finite."""
    experiment = replace(planned(digits(shape), 0.01, family), batch=4)
    training = Training(experiment, ONE.resolved(), torch.device("cpu"))
    record = training.record(training.advance())
    assert all(math.isfinite(value) for value in record.values())
    assert training.samples(training.fixed_latents(2)).shape == (2, *shape)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_width_is_the_widest_that_the_minutes_allow(family: str) -> None:
    """More minutes, smaller images and cheaper families never make it narrower."""
    for shape in (FACES, SPRITES, PHOTOS):
        widths = [width_for(shape, 64, minutes, family) for minutes in (1, 5, 20, 240)]
        assert widths == sorted(widths)
        for width, minutes in zip(widths, (1, 5, 20, 240), strict=True):
            assert width in WIDTHS
            assert width == WIDTHS[0] or AIM * seconds_of(shape, 64, width, family) <= 60 * minutes
            wider = WIDTHS[WIDTHS.index(width) + 1 :]
            assert all(AIM * seconds_of(shape, 64, other, family) > 60 * minutes for other in wider)
    assert width_for(FACES, 64, 20, family) >= width_for(PHOTOS, 64, 20, family)


def test_networks_have_the_size_of_the_data() -> None:
    """On 28x20, first/digits built 5.7 million weights; neither recipe does."""
    numbers = {
        name: sum(weights.numel() for weights in RECIPES[name].experiment(digits(FACES)).build().parameters())
        for name in ("first/digits", "own")
    }
    assert numbers["first/digits"] < 500_000
    assert numbers["own"] < 4_000_000
    assert RECIPES["first/digits"].experiment() == replace(
        RECIPES["first/digits"].experiment(Images(path="digits")), recipe="first/digits --scale quick"
    )


def test_small_sets_have_smaller_batches() -> None:
    assert planned(Images(path="digits"), 20).batch == 64
    assert planned(Images(path="digits", only=3), 20).batch == 32  # 183 images


def test_it_is_for_images_alone() -> None:
    with pytest.raises(SettingError, match="own is for images, got points of shape"):
        OWN.experiment(Ring())


def test_minutes_become_steps() -> None:
    """A clock of 0.5 s a reading measures 0.5 s a step: 57 s of a minute are 114 steps, less the first reading."""
    experiment = OWN.experiment(Images(path="digits"), minutes=1.0)
    timed = within(replace(experiment, batch=4), 1.0, ONE, clock=ticking(0.5))
    steps = timed.steps
    assert 90 <= steps <= 114
    assert (timed.log_every, timed.sample_every, timed.checkpoint_every) == (1, steps // 20, steps // 10)
    assert timed.notes[-1].startswith(f"{steps} steps: a step took 0.")
    assert within(replace(experiment, batch=4), 2.0, ONE, clock=ticking(0.5)).steps in (2 * steps, 2 * steps + 1)
    assert replace(timed, **{name: getattr(experiment, name) for name in ("steps", "batch", "notes")}).game == (
        experiment.game
    )


def test_measuring_disturbs_nothing() -> None:
    experiment = replace(OWN.experiment(Images(path="digits"), "smoke"), batch=4)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    within(experiment, 0.1, ONE, clock=ticking(1.0))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_said_stands_beside_a_budget_of_minutes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Steps in either way are refused beside it, and marks that are given are kept."""
    words = ["train", "first/ring", "--scale", "smoke", "--out", str(tmp_path / "run"), "--minutes", "0.01"]
    for steps in (["--steps", "7"], ["--set", "steps=7"]):
        assert main([*words, *steps]) == 2
        assert "--minutes: expected it or --steps, got both" in capsys.readouterr().err
    assert main([*words, "--set", "log_every=7", "--set", "sample_every=13"]) == 0
    described = Run(tmp_path / "run").described
    assert (described["log_every"], described["sample_every"]) == (7, 13)


@pytest.mark.parametrize("minutes", [0, -1.0, math.nan])
def test_a_budget_that_is_no_time(minutes: float) -> None:
    with pytest.raises(SettingError, match="minutes: expected a number above 0"):
        within(OWN.experiment(scale="smoke"), minutes, ONE)


@pytest.mark.usefixtures("one_core")
def test_the_choice_is_said_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "own", "--data", "digits", "--minutes", "0.01", "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().err
    text = (tmp_path / "run" / "experiment.json").read_text()
    written = json.loads(text)
    assert written["recipe"] == "own --minutes 0.01"
    assert [note.partition(" ")[0] for note in written["notes"][:3]] == ["family", "width", "batch"]
    for note in written["notes"]:
        assert note in told
    assert f"family {DEFAULT}" in told
    assert "1,617 samples of 1x8x8; weights: generator " in told
    assert Experiment.from_json(text).to_json() == text


@pytest.mark.usefixtures("one_core")
def test_any_recipe_takes_minutes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "first/ring", "--minutes", "0.002", "--out", str(tmp_path / "run")]) == 0
    assert "the budget is 0.002 minutes" in capsys.readouterr().err


def test_minutes_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "own", "--out", str(tmp_path / "run")]
    for options, sentence in (
        (["--minutes", "0"], "expected a number of minutes above 0"),
        (["--minutes", "nan"], "expected a number of minutes above 0"),
        (["--minutes", "5", "--steps", "3"], "expected it or --steps, got both"),
    ):
        assert main([*words, *options]) == 2
        assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("one_core")
def test_notes_do_not_make_another_training(tmp_path: Path) -> None:
    """A script that measures again, with another sentence, resumes its run; one with another width does not."""
    experiment = replace(OWN.experiment(scale="smoke"), steps=1, notes=("1 step: a step took 0.1 s here",))
    train(experiment, tmp_path / "run", show=False)
    resume(tmp_path / "run", experiment=replace(experiment, steps=2, notes=("another",)), show=False)
    with pytest.raises(RunError, match="begun with other settings"):
        resume(tmp_path / "run", experiment=replace(experiment, batch=4), show=False)


def test_an_experiment_without_notes_is_read(tmp_path: Path) -> None:
    """As those are that were written before there were any."""
    described = json.loads(OWN.experiment(scale="smoke").to_json())
    del described["notes"]
    assert Experiment.from_json(json.dumps(described)).notes == ()


def test_steps_without_minutes_take_a_moderate_width() -> None:
    """40 steps of the width of 20 minutes took minutes; smoke stays the narrowest, and minutes still decide."""
    sprites = digits(SPRITES)
    chosen = OWN.experiment(sprites, steps=40)
    assert family_of(sprites, chosen) == (DEFAULT, MODERATE)
    assert (chosen.steps, chosen.checkpoint_every) == (40, 4)
    assert chosen.notes[1].startswith(f"width {MODERATE}: a moderate one, as a number of steps is given and no time")
    assert width_for(SPRITES, 64, 20) > MODERATE
    assert family_of(sprites, OWN.experiment(sprites, "smoke", steps=40)) == (DEFAULT, WIDTHS[0])
    assert family_of(sprites, OWN.experiment(sprites, minutes=20)) == (DEFAULT, 64)
    ring = RECIPES["first/ring"]
    assert ring.experiment(steps=7) == replace(ring.experiment(), steps=7)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_from_a_run_takes_its_family_and_width(family: str) -> None:
    """Also of a run with ADA, which is no network; not at another shape or range, nor of another recipe."""
    earlier = augmented(planned(digits(FACES), 1, family), ["ada"])
    width = width_for(FACES, 64, 1, family)
    assert family_of(digits(FACES), earlier) == (family, width)
    taken = OWN.experiment(digits(FACES), minutes=20, earlier=earlier)
    assert (taken.game, taken.optimisers) == (FAMILIES[family](digits(FACES), width)["game"], earlier.optimisers)
    assert taken.notes[0] == f"family {family} and width {width}: those of the run that it begins from"
    assert [note.partition(" ")[0] for note in taken.notes[1:]] == ["batch", "classes:"]
    others_range = [replace(digits(FACES), range=(0.0, 1.0))] if family != "r3gan" else []  # its networks have none
    for others in [digits(SPRITES), *others_range]:
        assert OWN.experiment(others, minutes=20, earlier=earlier) == OWN.experiment(others, minutes=20)
    other = RECIPES["first/digits"].experiment(digits(FACES))
    assert OWN.experiment(digits(FACES), minutes=20, earlier=other) == OWN.experiment(digits(FACES), minutes=20)


@pytest.mark.usefixtures("one_core")
def test_the_command_takes_the_networks_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run of the narrowest width, trained on with a number of steps: every tensor fits."""
    common = ["train", "own", "--data", "digits", "--threads", "1", "--steps", "1"]
    assert main([*common, "--scale", "smoke", "--out", str(tmp_path / "a")]) == 0
    capsys.readouterr()
    assert main([*common, "--init", str(tmp_path / "a"), "--out", str(tmp_path / "b")]) == 0
    told = capsys.readouterr().err
    written = json.loads((tmp_path / "b" / "init.json").read_text())
    assert written["missing"] == written["reshaped"] == []
    assert "family standard and width 16: those of the run that it begins from" in told
    assert "classes: the 10 of the set are not used; for a generator by class: agon train miyato2018b/proj" in told
    assert "warning" not in told


def test_one_image_is_one_image(tmp_path: Path) -> None:
    lone = tmp_path / "lone"
    lone.mkdir()
    Image.new("L", (8, 8)).save(lone / "a.png")
    assert planned(Images(path=str(lone), holdout=0.0), 1).notes[2] == "batch 1: the set has 1 image"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_width_that_minutes_can_choose_makes_networks(family: str) -> None:
    """At 24, half of the width is no multiple of R3GAN's 16 channels a group."""
    for width in WIDTHS:
        game = FAMILIES[family](digits(FACES), width)["game"]
        with torch.device("meta"):
            generator, critic = game.settings["generator"].build(), game.settings["critic"].build()
        assert sum(each.numel() for player in (generator, critic) for each in player.parameters()) > width**2

"""Every recipe that is listed trains, can be written down, and tells what it is."""

import math
from pathlib import Path
from typing import get_args

import pytest

from agon import Experiment, train
from agon.cli import main
from agon.data import Grid, Images
from agon.evaluate import evaluate
from agon.recipes import RECIPES, Recipe, Scale
from agon.runs import read

EVERY = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


@EVERY
@pytest.mark.usefixtures("one_core")
def test_smoke_scale_trains(recipe: Recipe, tmp_path: Path) -> None:
    """On its own data, to the end, with finite losses of every player and samples to look at."""
    experiment = recipe.experiment(scale="smoke")
    run = train(experiment, tmp_path / "run", show=False)
    last = read(run.log)[-1]
    assert last["step"] == experiment.steps
    assert all(math.isfinite(value) for value in last.values())
    assert {name for name in last if name.startswith("loss/")} >= {"loss/generator", "loss/critic"}
    assert list(run.samples.glob(f"{experiment.steps:08d}.*"))


@EVERY
def test_is_written_down_and_read_back(recipe: Recipe) -> None:
    """At every scale, and on other data than its own."""
    for scale in get_args(Scale):
        other = Images(path="digits", size=28) if len(recipe.data().shape) == 3 else Grid()
        experiment = recipe.experiment(other, scale)
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert experiment.recipe == f"{recipe.name} --scale {scale}"


def test_the_list_tells_name_paper_claim_and_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    told = capsys.readouterr().out
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        for part in (name, recipe.paper, recipe.claim, *recipe.minutes):
            assert part in told
        assert set(recipe.minutes) == set(get_args(Scale))


@pytest.mark.evidence
def test_the_first_recipe_finds_every_digit(tmp_path: Path) -> None:
    """All 10 classes in 500 samples, with a mean confidence of at least 0.9: what `make demo` claims."""
    run = train(RECIPES["first/digits"].experiment(), tmp_path / "run")
    classes, confidence = evaluate(run)
    assert classes.value == 10
    assert confidence.value >= 0.9

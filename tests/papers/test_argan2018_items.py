"""What the items of argan2018 compare, and that the paper's numbers are the paper's."""

import json
from pathlib import Path
from typing import get_args

import pytest

from agon.dynamics import Turns
from agon.experiment import Experiment, Part
from agon.papers import argan2018, reproduce
from agon.papers.second_judge import DISTANCE
from agon.recipes.scales import Scale
from tests.papers.test_items import trained_here  # noqa: F401

ITEMS = {item.name.removeprefix("argan2018/"): item for item in argan2018.ITEMS}
MODELS = ("S-ARGAN", "C-ARGAN", "PARGAN", "DCGAN", "WGAN-GP", "EBGAN", "BEGAN")
EVERY = pytest.mark.parametrize("images", ["CIFAR-10", "STL-10"])
SCALES = get_args(Scale)


def experiments(images: str, scale: Scale) -> dict[str, Experiment]:
    """Model -> its training of table 1 on a set of images."""
    trainings = ITEMS["table1"].trainings
    return {model: trainings[f"{images}: {model}"].experiment(scale=scale) for model in MODELS}


def player(experiment: Experiment, name: str) -> Part:
    assert isinstance(experiment.game, Part)
    found = experiment.game.settings[name]
    assert isinstance(found, Part)
    return found


@EVERY
@pytest.mark.parametrize("scale", SCALES)
def test_a_sets_models_share_data_generator_batch_and_rate(images: str, scale: Scale) -> None:
    made = experiments(images, scale)
    first = made["S-ARGAN"]
    for each in made.values():
        assert (each.data, each.batch, each.latent) == (first.data, first.batch, first.latent)
        assert player(each, "generator") == player(first, "generator")
        assert isinstance(each.optimisers, Part)
        assert each.optimisers.settings["lr"] == 1e-4


@EVERY
@pytest.mark.parametrize("scale", SCALES)
def test_budgets_are_equal_but_for_the_baseline_whose_rounds_cost_twice(images: str, scale: Scale) -> None:
    made = experiments(images, scale)
    steps = {model: each.steps for model, each in made.items()}
    assert len({steps[model] for model in MODELS if model != "WGAN-GP"}) == 1
    assert steps["WGAN-GP"] == steps["PARGAN"] // (2 if scale == "quick" else 1)
    assert steps["PARGAN"] >= 1_500 or scale == "smoke"
    for model in MODELS[:3]:
        dynamics = made[model].dynamics
        assert isinstance(dynamics, Turns)
        assert sum("generator" in group for group in dynamics.order) == 3  # the paper's t
        assert sum("encoder" in group for group in dynamics.order) == 1


@EVERY
def test_judges_have_the_papers_layers_at_its_own_scale(images: str) -> None:
    """512 channels at the end of E, 256 with C-ARGAN; baselines' critics are E with a linear judge, or its mirror."""
    made = experiments(images, "paper")
    layers = {model: player(made[model], "encoder").settings["layers"] for model in MODELS[:3]}
    assert layers["S-ARGAN"] == layers["PARGAN"] == tuple((4, 2, width) for width in (64, 128, 256, 512))
    assert layers["C-ARGAN"] == tuple((4, 2, width) for width in (64, 128, 256, 256))
    assert all(player(made[model], "critic").settings["layers"] == layers["PARGAN"] for model in MODELS[3:5])
    for model in MODELS[5:]:
        halves = [player(made[model], "critic").settings[half] for half in ("encoder", "decoder")]
        assert all(half.settings["layers"] == layers["PARGAN"] for half in halves)
    hidden = {model: player(made[model], "autoregressor").settings["hidden"] for model in MODELS[:3]}
    assert hidden == {"S-ARGAN": 512, "C-ARGAN": 128, "PARGAN": 512}


def test_autoencoders_judge_as_their_own_papers_say() -> None:
    """EBGAN: squares, a margin, pulling away; BEGAN: absolute errors, a balance, and no batch normalisation."""
    made = experiments("CIFAR-10", "paper")
    game = {model: made[model].describe()["game"] for model in ("EBGAN", "BEGAN")}
    assert (game["EBGAN"]["critic"]["error"], game["BEGAN"]["critic"]["error"]) == ("squared", "absolute")
    assert (game["EBGAN"]["objective"]["margin"], game["EBGAN"]["penalties"][0]["weight"]) == (0.1, 0.1)
    assert (game["BEGAN"]["gamma"], game["BEGAN"]["rate"]) == (0.5, 0.001)
    halves = ("encoder", "decoder")
    assert [game["EBGAN"]["critic"][half]["normalise"] for half in halves] == [True, True]
    assert [game["BEGAN"]["critic"][half]["normalise"] for half in halves] == [False, False]


@pytest.mark.usefixtures("one_core", "trained_here")
def test_two_judges_measure_the_rows_that_are_asked_for(tmp_path: Path) -> None:
    """On CIFAR-10 the second beside the classifier, on STL-10's stand-in the second alone; real data without a run."""
    words = ["CIFAR-10: PARGAN", "CIFAR-10: DCGAN", "STL-10: EBGAN"]
    page = reproduce("argan2018/table1", tmp_path, scale="smoke", seeds=1, rows=words, show=False)
    told = json.loads(page.with_suffix(".json").read_text())
    scores = {row["label"]: row["summary"].keys() for row in told["rows"]}
    assert set(scores) == {*words, "CIFAR-10: real data", "STL-10: real data"}
    assert all({DISTANCE, "efficientnet-score"} <= names for names in scores.values())
    assert {row for row, names in scores.items() if "classifier-score" in names} == {
        *words[:2],
        "CIFAR-10: real data",
    }
    (claim,) = told["expectations"]
    assert (claim["score"], claim["above"]) == ("classifier-score", "CIFAR-10: DCGAN")
    assert (claim["second"]["score"], claim["second"]["below"]) == (DISTANCE, "CIFAR-10: DCGAN")
    assert claim["controls"].keys() == claim["second"]["controls"].keys() == {"untrained"}
    assert "The same claims by a second judge:" in page.read_text()
    assert "the two judges " in page.read_text().lower()


def test_figures_show_trainings_of_the_table_where_it_has_them() -> None:
    """The very recipes: what the table trained, a figure does not train again."""
    table = ITEMS["table1"].trainings
    for figure, images in (("figure5", "CIFAR-10"), ("figure6", "STL-10")):
        shown = ITEMS[figure].trainings
        assert list(shown) == ["S-ARGAN", "C-ARGAN", "PARGAN"]  # left, middle, right
        assert all(recipe is table[f"{images}: {model}"] for model, recipe in shown.items())
    (large,) = ITEMS["figure7"].trainings.values()
    (faces,) = ITEMS["figure8"].trainings.values()
    assert large.experiment(scale="paper").data.shape == (3, 96, 96)
    assert faces.experiment(scale="paper").data.shape == (3, 64, 64)


def test_the_papers_numbers_are_those_of_table_1() -> None:
    printed = {row: columns["paper: Inception score"] for row, columns in ITEMS["table1"].published.items()}
    assert printed["CIFAR-10: real data"] == "11.24 ± 0.16"
    assert printed["STL-10: real data"] == "26.08 ± 0.26"
    assert (printed["CIFAR-10: S-ARGAN"], printed["STL-10: S-ARGAN"]) == ("6.50", "7.44")
    assert (printed["CIFAR-10: C-ARGAN"], printed["STL-10: C-ARGAN"]) == ("6.46", "7.60")
    assert (printed["CIFAR-10: PARGAN"], printed["STL-10: PARGAN"]) == ("6.86", "7.89")
    assert (printed["CIFAR-10: DCGAN"], printed["STL-10: DCGAN"]) == ("6.40 ± 0.05", "7.54")
    assert printed["CIFAR-10: WGAN-GP"] == "6.80"
    assert printed["CIFAR-10: EBGAN"] == "6.74 ± 0.09"
    assert {row for row in printed if row.endswith(("BEGAN", "EBGAN", "WGAN-GP", "ALI"))} == {
        "CIFAR-10: BEGAN",
        "CIFAR-10: EBGAN",
        "CIFAR-10: WGAN-GP",
        "CIFAR-10: ALI",
    }  # printed for one set only


def test_what_is_expected_of_ours_holds_of_the_papers_own_numbers() -> None:
    """Each comparison is of two of its rows, in their order; none holds the other way round."""
    item = ITEMS["table1"]

    def printed(row: object) -> float:
        return float(item.published[str(row)]["paper: Inception score"].partition(" ")[0])

    assert len(item.expects) == 9
    for expected in item.expects:
        assert (expected.below is None) == expected.row.startswith("CIFAR-10")  # where a distance is expected below
        assert printed(expected.row) > printed(expected.bound)
        told = expected.says.partition(":")[0]
        assert told == f"{printed(expected.row):.2f} against {printed(expected.bound):.2f}"

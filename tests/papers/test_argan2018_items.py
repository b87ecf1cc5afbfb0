"""What the items of argan2018 compare, and that the paper's numbers are the paper's."""

from typing import get_args

import pytest

from agon.dynamics import Turns
from agon.experiment import Experiment, Part
from agon.papers import argan2018
from agon.recipes.scales import Scale

ITEMS = {item.name.removeprefix("argan2018/"): item for item in argan2018.ITEMS}
MODELS = ("S-ARGAN", "C-ARGAN", "PARGAN", "DCGAN", "WGAN-GP")
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
    assert len({steps[model] for model in MODELS[:4]}) == 1
    assert steps["WGAN-GP"] == steps["PARGAN"] // (2 if scale == "quick" else 1)
    assert steps["PARGAN"] >= 1_500 or scale == "smoke"
    for model in MODELS[:3]:
        dynamics = made[model].dynamics
        assert isinstance(dynamics, Turns)
        assert sum("generator" in group for group in dynamics.order) == 3  # the paper's t
        assert sum("encoder" in group for group in dynamics.order) == 1


@EVERY
def test_judges_have_the_papers_layers_at_its_own_scale(images: str) -> None:
    """512 channels at the end of E, 256 with C-ARGAN; the DCGAN's critic is E with a linear judge."""
    made = experiments(images, "paper")
    layers = {model: player(made[model], "encoder").settings["layers"] for model in MODELS[:3]}
    assert layers["S-ARGAN"] == layers["PARGAN"] == tuple((4, 2, width) for width in (64, 128, 256, 512))
    assert layers["C-ARGAN"] == tuple((4, 2, width) for width in (64, 128, 256, 256))
    assert all(player(made[model], "critic").settings["layers"] == layers["PARGAN"] for model in MODELS[3:])
    hidden = {model: player(made[model], "autoregressor").settings["hidden"] for model in MODELS[:3]}
    assert hidden == {"S-ARGAN": 512, "C-ARGAN": 128, "PARGAN": 512}


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
    assert {row for row in printed if row.endswith(("BEGAN", "WGAN-GP", "ALI"))} == {
        "CIFAR-10: BEGAN",
        "CIFAR-10: WGAN-GP",
        "CIFAR-10: ALI",
    }  # printed for one set only


def test_what_is_expected_of_ours_holds_of_the_papers_own_numbers() -> None:
    """Each comparison is of two of its rows, in their order; none holds the other way round."""
    item = ITEMS["table1"]

    def printed(row: object) -> float:
        return float(item.published[str(row)]["paper: Inception score"].partition(" ")[0])

    assert len(item.expects) == 5
    for expected in item.expects:
        assert printed(expected.row) > printed(expected.above)
        told = expected.says.partition(":")[0]
        assert told == f"{printed(expected.row):.2f} against {printed(expected.above):.2f}"

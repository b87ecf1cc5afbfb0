"""Items of metz2017: one experiment under several K, and what the paper prints."""

from dataclasses import replace
from typing import get_args

import pytest

from agon.dynamics import Unrolled
from agon.recipes import Recipe, Scale, find_item

CIFAR = ("table1", "figure3", "figure4", "figure5", *(f"figure{k}" for k in range(6, 11)))


@pytest.mark.parametrize("name", ["figure1", "figure2", *CIFAR])
def test_the_rows_differ_in_the_look_ahead_alone(name: str) -> None:
    """Whatever differs between two rows is K: data, networks, budget and rates are the same."""
    trainings = find_item(f"metz2017/{name}").trainings
    for scale in get_args(Scale):
        made = {label: recipe.experiment(scale=scale) for label, recipe in trainings.items()}
        plain = made["K = 0"]
        for label, experiment in made.items():
            if label != "K = 0":
                assert isinstance(experiment.dynamics, Unrolled)
                assert experiment.dynamics.steps == int(label.removeprefix("K = "))
                assert experiment.dynamics.looks_ahead == {"generator": ("critic",)}
                assert experiment.dynamics.turns == plain.dynamics
            assert replace(experiment, dynamics=plain.dynamics, recipe=plain.recipe) == plain


def test_items_on_cifar10_share_their_trainings() -> None:
    first: dict[str, Recipe] = dict(find_item("metz2017/table1").trainings)
    assert list(first) == ["K = 0", "K = 1", "K = 5", "K = 10"]
    for name in CIFAR:
        assert dict(find_item(f"metz2017/{name}").trainings) == first
        assert find_item(f"metz2017/{name}").seeds == 5


def test_table_1_is_printed_as_in_the_paper() -> None:
    """Its percentages add up to more than a hundred: that is how they stand there."""
    theirs = find_item("metz2017/table1").theirs
    assert theirs["K = 5"]["paper: average MSE"] == "0.0200 ± 0.0023"
    shares = [float(row["paper: percent best rank"].rstrip("%")) for row in theirs.values()]
    assert sum(shares) == pytest.approx(105.67)


def test_the_rings_claim_is_about_both_rows() -> None:
    expected = find_item("metz2017/figure1").expects
    assert {each.score for each in expected} == {"modes", "mode-divergence", "modes-held"}

"""What items would cost at the papers' own scale: the arithmetic, and that every estimate is of today's recipe."""

import json

import pytest

from agon.papers import ITEMS, own_scale
from agon.papers.catalogue import find_item
from agon.recipes import costs, find
from tools import pages

NAME = "metz2017/figure1"


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Minutes at the paper's scale by recipe, in place of the measured ones."""
    known = {"metz2017/ring-k0": 2.0, "metz2017/ring-k10": 5.0}
    monkeypatch.setattr(own_scale, "at_paper_scale", known.get)
    return known


def test_a_seed_costs_what_its_trainings_cost(timed: dict[str, float]) -> None:
    item = find_item(NAME)
    assert own_scale.minutes(item) == 7.0
    assert own_scale.minutes(item, ["metz2017/ring-k10"]) == 2.0
    assert f"`agon reproduce {NAME} --scale paper`" in own_scale.sentence(item)
    assert "the other trainings were not run. One seed would take about 2 core-minutes" in own_scale.sentence(
        item, ["metz2017/ring-k10"]
    )
    assert own_scale.sentence(item, timed) == ""


def test_what_no_cpu_can_do_in_a_day_is_for_a_gpu(timed: dict[str, float]) -> None:
    timed["metz2017/ring-k10"] = 3 * own_scale.DAY
    told = own_scale.sentence(find_item(NAME))
    assert "3 days of two cores" in told
    assert f"with a GPU: `agon reproduce {NAME} --scale paper --device cuda`" in told


def test_quick_trainings_of_full_size_are_told_apart(timed: dict[str, float]) -> None:
    """Looks do not count; half of the steps do, and a narrower network."""
    sizes = {name: own_scale.full_size(find_item(name)) for name in (NAME, "yamazaki2017/figure5.1", "im2016/figure26")}
    assert sizes == {NAME: False, "yamazaki2017/figure5.1": True, "im2016/figure26": False}
    assert "already" not in own_scale.sentence(find_item(NAME))


def test_what_was_never_timed_has_no_cost(timed: dict[str, float]) -> None:
    del timed["metz2017/ring-k10"]
    assert own_scale.minutes(find_item(NAME)) is None
    assert own_scale.sentence(find_item(NAME)) == ""


def test_a_measured_training_needs_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "measured", lambda: {"a/b": {"quick": 1.0, "paper": 7.0}, "a/c": {"quick": 1.0}})
    monkeypatch.setattr(costs, "estimates", lambda: {"a/b": {"minutes": 9.0}, "a/c": {"minutes": 9.0}})
    assert [costs.at_paper_scale(name) for name in ("a/b", "a/c", "a/d")] == [7.0, 9.0, None]


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_was_run_at_the_papers_scale_or_says_what_that_costs(name: str) -> None:
    at_scale = [told for told in pages.known(name) if told["scale"] == "paper" and not told.get("left out")]
    assert at_scale or "At the paper's own scale" in pages.page_of(name).read_text()


@pytest.mark.parametrize("name", costs.estimates())
def test_estimates_are_of_the_recipes_steps(name: str) -> None:
    """Where a recipe's steps change, its estimate is to be measured again (tools/estimates.py)."""
    each = json.loads(costs.ESTIMATES.read_text())[name]
    assert find(name).experiment(None, "paper").steps == each["steps"]
    assert (
        each["minutes"] == float(f"{each['steps'] * each['seconds'] / 60:.2g}")
        or abs(each["minutes"] / (each["steps"] * each["seconds"] / 60) - 1) < 0.06
    )

"""Which trials a sweep has, what they are called, and at which steps halving compares them."""

import math

import pytest

from agon.errors import SettingError
from agon.figures.parallel import Coordinate, parallel_png
from agon.sweeps import Halving
from agon.sweeps.trials import Interval, draws, grid, names_of


def test_a_grid_has_every_combination_once() -> None:
    trials = grid({"optimisers.lr": ["1", "2", "3"], "dynamics.steps": ["0", "5"], "batch": ["8"]})
    assert len(trials) == len({tuple(trial.items()) for trial in trials}) == 6
    assert [tuple(trial.values()) for trial in trials[:3]] == [("1", "0", "8"), ("1", "5", "8"), ("2", "0", "8")]


def test_names_say_settings_and_differ() -> None:
    values = ["[[1, 2]]", "[[1], 2]", "../../etc", "-1", "a" * 300, "a" * 301]
    names = names_of([{"dynamics.order": value} for value in values])
    assert len(set(names)) == len(names)
    assert not any("/" in name for name in names)
    assert names[3] == "order=-1"
    assert max(map(len, names)) < 100


def test_draws_are_log_uniform_and_more_of_them_begin_with_the_same() -> None:
    """Half of 1e-5..1e-1 is below 1e-3 on a logarithmic scale, and a hundredth of it on a linear one."""
    trials = draws({"lr": ["1e-5..1e-1"], "steps": ["0..10"], "loss": ["hinge", "minimax"]}, 400, seed=3)
    rates = [float(trial["lr"]) for trial in trials]
    assert all(1e-5 <= rate <= 1e-1 for rate in rates)
    assert 0.4 < sum(rate < 1e-3 for rate in rates) / 400 < 0.6
    assert {trial["steps"] for trial in trials} == set(map(str, range(11)))
    assert {trial["loss"] for trial in trials} == {"hinge", "minimax"}
    assert draws({"lr": ["1e-5..1e-1"], "steps": ["0..10"], "loss": ["hinge", "minimax"]}, 7, seed=3) == trials[:7]
    assert draws({"lr": ["1e-5..1e-1"], "steps": ["0..10"], "loss": ["hinge", "minimax"]}, 7, seed=4) != trials[:7]
    assert not Interval(-1.0, 1.0, False).logarithmic


@pytest.mark.parametrize(
    ("over", "random", "told"),
    [
        ({}, None, "expected settings to vary, such as optimisers.lr, got none"),
        ({"lr": []}, None, "expected one value or more"),
        ({"lr": ["1", "1"]}, None, "expected values that differ, got 1, 1"),
        ({"seed": ["1", "2"]}, None, "--seeds N trains each trial N times"),
        ({"lr": ["1e-5..1e-3"]}, None, "--search random --trials N draws"),
        ({"lr": ["1e-3..1e-5"]}, 3, r"expected a range LOW..HIGH, such as 1e-5..1e-3, got 1e-3..1e-5"),
        ({name: list(map(str, range(50))) for name in "abc"}, None, "at most 1,000 combinations, got 125,000"),
    ],
)
def test_what_cannot_be_varied(over: dict[str, list[str]], random: int | None, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        grid(over) if random is None else draws(over, random, 0)


@pytest.mark.parametrize(("steps", "trials", "factor"), [(1_000, 20, 3), (81, 100, 3), (64, 16, 2), (5, 50, 3)])
def test_halving_ends_at_the_budget_with_two_or_more(steps: int, trials: int, factor: int) -> None:
    halving = Halving(factor)
    rungs = halving.rungs(steps, trials)
    assert rungs[-1] == steps
    assert rungs[0] >= 1
    assert rungs == sorted(set(rungs))
    for _ in rungs[:-1]:
        trials = halving.kept(trials)
    assert trials >= 2
    assert Halving(factor, first=steps).rungs(steps, trials) == [steps]


def test_halving_refuses_what_never_ends() -> None:
    with pytest.raises(SettingError, match="a factor from 2"):
        Halving(1)


def test_places_are_in_order_and_a_line_without_a_score_ends_early() -> None:
    rates, ticks = Coordinate("lr", [f"1e-{k}" for k in range(1, 12)]).places()
    assert rates == pytest.approx([1 - k / 10 for k in range(11)])
    assert len(ticks) == 5
    assert Coordinate("n", ["1", "2", "4"]).places()[0] == pytest.approx([0, 1 / 3, 1])
    assert Coordinate("score", [0.5, None, math.nan]).places()[0] == [0.5, None, None]
    axes = [Coordinate("lr", ["1", "2"]), Coordinate("score", [1.0, None])]
    with_best, without = parallel_png(axes, best=0), parallel_png(axes)
    assert with_best.startswith(b"\x89PNG")
    assert with_best != without
    with pytest.raises(SettingError, match="two axes or more with a value for each line"):
        parallel_png([axes[0], Coordinate("score", [1.0])])

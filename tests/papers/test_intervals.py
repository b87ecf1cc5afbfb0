"""Student's interval over seeds, and what it makes of an expectation."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agon.metrics.intervals import interval
from agon.papers.expectation import Expectation
from agon.papers.intervals import judge

NUMBERS = st.integers(-1_000, 1_000).map(lambda number: number / 8)


def row(label: str, *values: float, error: float | None = None) -> dict[str, Any]:
    seeds = [{"seed": seed, "scores": {"s": {"value": value, "error": error}}} for seed, value in enumerate(values)]
    return {"label": label, "seeds": seeds}


def above(bound: str | float) -> Expectation:
    return Expectation(says="a is more", score="s", row="a", above=bound)


@given(st.lists(NUMBERS, min_size=2, max_size=9))
def test_the_interval_is_students(values: list[float]) -> None:
    mean, _, half = interval(values)
    if len(set(values)) == 1:
        assert half == pytest.approx(0, abs=1e-6)
        return
    low, high = stats.t.interval(0.95, len(values) - 1, loc=sum(values) / len(values), scale=stats.sem(values))
    assert mean - half == pytest.approx(low, rel=1e-6, abs=1e-6)
    assert mean + half == pytest.approx(high, rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6))
def test_held_one_way_is_contradicted_the_other_way(pairs: list[tuple[float, float]]) -> None:
    """Exchanging the rows, or asking for below, turns the verdict round; undecided stays."""
    rows = [row("a", *(a for a, _ in pairs), error=0.1), row("b", *(b for _, b in pairs), error=0.2)]
    turned = {"held": "contradicted", "contradicted": "held", "undecided": "undecided"}
    found = judge(above("b"), rows)["verdict"]
    assert judge(Expectation(says="", score="s", row="b", above="a"), rows)["verdict"] == turned[found]
    assert judge(Expectation(says="", score="s", row="a", below="b"), rows)["verdict"] == turned[found]


def test_seeds_are_compared_pair_by_pair() -> None:
    """A small difference that every seed has is held, though the rows overlap widely."""
    rows = [row("a", 1.1, 5.1, 9.11), row("b", 1.0, 5.0, 9.0)]
    assert judge(above("b"), rows)["verdict"] == "held"
    assert judge(above("b"), [row("a", 5.1, 9.11, 1.1), rows[1]])["verdict"] == "undecided"


def test_a_number_is_a_bound() -> None:
    found = judge(above(0.5), [row("a", 0.6, 0.61, 0.62)])
    assert (found["above"], found["verdict"]) == (0.5, "held")
    assert found["mean"] == pytest.approx(0.11)


def test_one_seed_has_the_interval_of_its_measurement() -> None:
    rows = [row("a", 1.0, error=0.3), row("b", 0.0, error=0.4)]
    found = judge(above("b"), rows)
    assert found["half"] == pytest.approx(1.96 * 0.5)
    assert found["verdict"] == "held"
    assert judge(above("b"), [row("a", 1.0), row("b", 0.0)])["verdict"] == "undecided"


@pytest.mark.parametrize("lost", [math.nan, math.inf])
def test_what_is_no_number_decides_nothing(lost: float) -> None:
    assert judge(above(0.0), [row("a", 1.0, lost)])["verdict"] == "undecided"


def test_an_expectation_has_one_bound() -> None:
    with pytest.raises(ValueError, match="either above or below"):
        Expectation(says="both", score="s", row="a", above=1.0, below=2.0)
    with pytest.raises(ValueError, match="either above or below"):
        Expectation(says="none", score="s", row="a")

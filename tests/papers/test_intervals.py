"""Student's interval over seeds, and what it makes of an expectation."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agon.metrics.differences import Measured, contrast
from agon.metrics.directions import is_ratio
from agon.metrics.intervals import interval
from agon.papers import find_item
from agon.papers.expectation import Expectation
from agon.papers.intervals import judge
from agon.papers.verdicts import explained, seeds_text
from tools.pages import numbers_of

MIRRORED = {"held": "contradicted", "contradicted": "held", "undecided": "undecided", "one seed": "one seed"}
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
    """Exchanging the rows, or asking for below, turns the verdict round; undecided and one seed stay."""
    rows = [row("a", *(a for a, _ in pairs), error=0.1), row("b", *(b for _, b in pairs), error=0.2)]
    found = judge(above("b"), rows)["verdict"]
    assert judge(Expectation(says="", score="s", row="b", above="a"), rows)["verdict"] == MIRRORED[found]
    assert judge(Expectation(says="", score="s", row="a", below="b"), rows)["verdict"] == MIRRORED[found]
    assert (found == "one seed") == (len(pairs) == 1)


def test_seeds_are_compared_pair_by_pair() -> None:
    """A small difference that every seed has is held, though the rows overlap widely."""
    rows = [row("a", 1.1, 5.1, 9.11), row("b", 1.0, 5.0, 9.0)]
    assert judge(above("b"), rows)["verdict"] == "held"
    assert judge(above("b"), [row("a", 5.1, 9.11, 1.1), rows[1]])["verdict"] == "undecided"


def test_a_number_is_a_bound() -> None:
    found = judge(above(0.5), [row("a", 0.6, 0.61, 0.62)])
    assert (found["above"], found["verdict"]) == (0.5, "held")
    assert found["mean"] == pytest.approx(0.11)


def test_seeds_that_agree_are_no_surer_than_their_measurement() -> None:
    """Three values that happen to be equal, each with an error of 1, do not hold to be above 0.5."""
    assert judge(above(0.5), [row("a", 1.0, 1.0, 1.0, error=1.0)])["verdict"] == "undecided"
    assert judge(above(0.5), [row("a", 1.0, 1.0, 1.0, error=0.1)])["verdict"] == "held"


def test_one_seed_has_the_interval_of_its_measurement_and_no_verdict() -> None:
    rows = [row("a", 1.0, error=0.3), row("b", 0.0, error=0.4)]
    found = judge(above("b"), rows)
    assert found["half"] == pytest.approx(1.96 * 0.5, rel=1e-4)
    assert found["verdict"] == "one seed"
    assert judge(above("b"), [row("a", 1.0), row("b", 0.0)])["verdict"] == "one seed"


@pytest.mark.parametrize("lost", [math.nan, math.inf])
def test_what_is_no_number_decides_nothing(lost: float) -> None:
    found = judge(above(0.0), [row("a", 1.0, lost)])
    assert (found["verdict"], found["needed"]) == ("undecided", None)


def test_what_was_not_measured_has_no_verdict() -> None:
    """Numbers of an earlier version may lack a row or a score."""
    for rows in ([], [row("b", 1.0, 2.0)], [row("a", 1.0, 2.0)]):
        assert judge(above("b"), rows)["verdict"] == "not measured"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((2100.0, 2000.0, 1900.0), "held"),
        ((20.0, 21.0, 19.0), "partly"),
        ((0.6, 0.61, 0.59), "contradicted"),
        ((0.1, 1.0, 10.0), "contradicted"),
        ((10.0, 1000.0, 100_000.0), "undecided"),
    ],
)
def test_a_claim_of_a_size_holds_partly_if_only_its_direction_does(values: tuple[float, ...], verdict: str) -> None:
    """More than 1,000 times; its direction: more than 1 time. Without a direction, a size can be excluded."""
    claim = Expectation(says="", score="ratio", row="a", above=1000.0, direction=1.0)
    rows = [{"label": "a", "seeds": [{"scores": {"ratio": {"value": value, "error": None}}} for value in values]}]
    assert judge(claim, rows)["verdict"] == verdict


def test_what_a_control_meets_is_no_evidence() -> None:
    """Untrained networks that reach the bound, too, take the verdict; those that do not leave it."""
    rows, fools, fails = ([row("a", *values)] for values in ([0.6, 0.61, 0.62], [0.9, 0.91, 0.92], [0.1, 0.11, 0.12]))
    assert judge(above(0.5), rows, {"untrained": fails})["verdict"] == "held"
    assert judge(above(0.5), rows, {"untrained": fools})["verdict"] == "no evidence"
    assert judge(above(0.5), rows, {"real": fails, "untrained": fools})["verdict"] == "no evidence"
    assert judge(above(0.5), [row("a", 0.2, 0.5, 0.8)], {"untrained": fools})["verdict"] == "no evidence"
    assert judge(above(0.5), fails, {"untrained": fools})["verdict"] == "contradicted", "which training has brought"
    other = replace(above(0.5), controls=("real",))
    assert judge(other, rows, {"untrained": fools})["verdict"] == "held"
    assert judge(above(0.5), [row("a", 0.6)], {"untrained": [row("a", 0.9)]})["verdict"] == "no evidence"
    assert judge(above(0.5), rows, {"untrained": [row("b", 0.9)]})["controls"]["untrained"]["verdict"] == "not measured"


def test_a_control_of_one_network_in_both_rows_is_no_trial() -> None:
    """Whatever its scores' errors, what lies between the item's rows comes from training."""
    claim, item = (
        Expectation(says="", score="s", row="a", above="b"),
        [row("a", 2.0, 2.1, 2.2), row("b", 1.0, 1.2, 1.1)],
    )
    alike, apart = ([row("a", 5.0, 9.0, 7.0), row("b", 5.0, 9.0 - by, 7.0)] for by in (1e-5, 1.0))
    for each in (seed["scores"]["s"] for rows in (alike, apart) for of_row in rows for seed in of_row["seeds"]):
        each["error"] = 3.0
    found = judge(claim, item, {"untrained": alike})
    assert (found["verdict"], found["controls"]["untrained"]["verdict"]) == ("held", "alike")
    assert judge(claim, item, {"untrained": apart})["controls"]["untrained"]["verdict"] == "as far"
    assert judge(above(5.0), alike, {"untrained": alike})["controls"]["untrained"]["verdict"] != "alike"


def test_the_item_must_surpass_its_control_and_not_only_be_surer() -> None:
    """Untrained networks that go twice as far, but less surely, leave nothing to training; far behind, they do."""
    item, noisy = [row("a", 0.60, 0.70, 0.65)], [row("a", 0.6, 1.2, 0.9)]
    assert judge(above(0.5), noisy)["verdict"] == "undecided"
    found = judge(above(0.5), item, {"untrained": noisy})
    assert (found["verdict"], found["controls"]["untrained"]["verdict"]) == ("no evidence", "as far")
    assert explained(found) == "no evidence: not surely more than untrained networks: 0.4 ± 0.75"
    behind = [row("a", 0.25, 0.35, 0.3)]
    assert judge(above(0.5), item, {"untrained": behind})["verdict"] == "held"
    sized = Expectation(says="", score="s", row="a", above=2.0, direction=0.5)
    assert judge(sized, item, {"untrained": behind})["verdict"] == "partly"
    assert judge(sized, item, {"untrained": noisy})["verdict"] == "no evidence"


def test_an_effect_of_the_control_is_rarely_taken_for_one_of_training() -> None:
    """Of one true effect of both: one time in forty, where "held" against "undecided" would be one in four."""
    drawn = np.random.default_rng(0).normal(2.0, 1.0, size=(300, 2, 3))
    verdicts = [
        judge(above(0.0), [row("a", *item)], {"untrained": [row("a", *other)]})["verdict"] for item, other in drawn
    ]
    assert verdicts.count("held") <= 300 * 0.025 + 3 * math.sqrt(300 * 0.025)
    alone = [judge(above(0.0), [row("a", *item)])["verdict"] for item, _ in drawn]
    assert alone.count("held") > 60


@pytest.mark.parametrize(("far", "verdict"), [(math.inf, "no evidence"), (0.0, "held")])
def test_a_control_that_is_infinitely_far_fools_and_one_infinitely_behind_does_not(far: float, verdict: str) -> None:
    rows, control = ([{**row("a"), "seeds": ratios(*values)}] for values in ((20.0, 21.0, 19.0), (far, far, far)))
    claim = Expectation(says="", score="ratio", row="a", above=10.0)
    assert judge(claim, rows, {"untrained": control})["verdict"] == verdict


def ratios(*values: float) -> list[dict[str, Any]]:
    return [{"scores": {"ratio": {"value": value, "error": None}}} for value in values]


@pytest.mark.parametrize("score", ["s", "ratio"])
def test_infinities_of_both_signs_are_undecided(score: str) -> None:
    """Two seeds that diverged, one on either side."""
    sides = ((math.inf, 1.0), (2.0, math.inf))
    rows = [
        {"label": label, "seeds": [{"scores": {score: {"value": value, "error": None}}} for value in values]}
        for label, values in zip("ab", sides, strict=True)
    ]
    assert judge(Expectation(says="", score=score, row="a", below="b"), rows)["verdict"] == "undecided"
    assert math.isnan(interval([math.inf, -math.inf]).mean)
    assert math.isnan(contrast([Measured(math.inf)], [Measured(math.inf)]).value)


def test_a_control_that_meets_the_direction_alone_leaves_the_size() -> None:
    claim = Expectation(says="", score="s", row="a", above=1.0, direction=0.5)
    large, small = [row("a", 2.0, 2.1)], [row("a", 0.7, 0.7)]
    assert judge(claim, large, {"untrained": small})["verdict"] == "held"
    assert judge(claim, small, {"untrained": small})["verdict"] == "no evidence"


def test_beyond_a_control_only_what_training_adds_counts() -> None:
    """A difference that first weights make already is none; twice that is one; without the control nothing is known."""
    claim = Expectation(says="", score="s", row="a", above="b", beyond="untrained")
    first = [row("a", 2.0, 2.1, 2.2), row("b", 1.0, 1.0, 1.0)]
    twice = [row("a", 4.0, 4.1, 4.2), row("b", 1.0, 1.0, 1.0)]
    same = judge(claim, first, {"untrained": first})
    assert (same["mean"], same["half"], same["verdict"]) == (0.0, 0.0, "undecided")
    found = judge(claim, twice, {"untrained": first})
    assert (found["mean"], found["verdict"]) == (pytest.approx(2.0), "held")
    assert judge(claim, first, {"untrained": twice})["verdict"] == "contradicted"
    assert judge(claim, twice)["verdict"] == "not measured"


def test_beyond_a_control_ratios_are_divided() -> None:
    claim = Expectation(says="", score="ratio", row="a", above=1.0, beyond="untrained")
    rows, control = (
        [{"label": "a", "seeds": [{"scores": {"ratio": {"value": value, "error": 0.1}}} for value in values]}]
        for values in ((4.0, 6.0), (2.0, 3.0))
    )
    assert judge(claim, rows, {"untrained": control})["mean"] == pytest.approx(math.log(2))


def test_rows_exchanged_fail_what_rows_hold() -> None:
    rows = [row("a", 2.0, 2.1), row("b", 1.0, 1.1)]
    assert judge(above("b"), rows, {"exchanged": rows})["controls"]["exchanged"]["verdict"] == "contradicted"
    ratios = [{"label": "a", "seeds": [{"scores": {"ratio": {"value": value, "error": 0.1}}} for value in (4.0, 5.0)]}]
    found = judge(Expectation(says="", score="ratio", row="a", above=1.0), ratios, {"exchanged": ratios})
    assert found["controls"]["exchanged"]["mean"] == pytest.approx(-found["mean"])


def test_what_is_contradicted_stays_so_though_the_rows_exchanged_hold() -> None:
    """They are its mirror image, and say nothing that the claim does not."""
    rows = [row("a", 1.0, 1.1), row("b", 2.0, 2.1)]
    found = judge(above("b"), rows, {"exchanged": rows})
    assert (found["verdict"], found["controls"]["exchanged"]["verdict"]) == ("contradicted", "held")
    sized = Expectation(says="", score="ratio", row="a", above=10.0, direction=1.0)
    few = [{**row("a"), "seeds": ratios(0.5, 0.51, 0.49)}]
    assert judge(sized, few, {"exchanged": few})["verdict"] == "contradicted"


def test_beyond_a_control_a_direction_counts_as_well() -> None:
    claim = Expectation(says="", score="s", row="a", above="b", direction="c", beyond="untrained")
    rows = [row("a", 10.0, 10.1, 9.9), row("b", 20.0, 20.1, 19.9), row("c", 5.0, 5.1, 4.9)]
    control = [row(label, 1.0, 1.1, 0.9) for label in "abc"]
    assert judge(claim, rows, {"untrained": control})["verdict"] == "partly"


def exchanged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of table 1 with the contenders of every battle named in the other order."""

    def turned(name: str, score: dict[str, Any]) -> dict[str, Any]:
        if name == "won":
            return {**score, "value": -score["value"]}
        value = 1 / score["value"] if score["value"] else math.inf
        return {**score, "value": value, "error": None if score["error"] is None else score["error"] * value**2}

    return [
        {**row, "seeds": [{"scores": {n: turned(n, s) for n, s in seed["scores"].items()}} for seed in row["seeds"]]}
        for row in rows
    ]


def test_the_order_of_two_contenders_mirrors_every_verdict() -> None:
    """Of every battle of im2016's table 1, as it was measured: ratios are compared as logarithms."""
    numbers = numbers_of("im2016/table1")
    assert numbers is not None
    compared = 0
    for each in find_item("im2016/table1").expects:
        if is_ratio(each.score) or each.score == "won":
            one, other = judge(each, numbers["rows"]), judge(each, exchanged(numbers["rows"]))
            assert other["verdict"] == MIRRORED[one["verdict"]], each
            assert other["mean"] == pytest.approx(-one["mean"], nan_ok=True)
            assert other["half"] == pytest.approx(one["half"])
            compared += 1
    assert compared >= 8


def test_a_ratio_compared_as_a_number_would_not_be_mirrored() -> None:
    """The negative control: one seed of 20 outweighs two of 1/10, until the contenders are exchanged."""
    values = [20.0, 0.1, 0.1]
    turned = [1 / value for value in values]
    assert sum(values) / 3 > 1
    assert sum(turned) / 3 > 1
    rows, other = (
        [{"label": "a", "seeds": [{"scores": {"ratio": {"value": v, "error": None}}} for v in each]}]
        for each in (values, turned)
    )
    claim = Expectation(says="", score="ratio", row="a", above=1.0)
    assert judge(claim, rows)["mean"] == pytest.approx(-judge(claim, other)["mean"])


def test_seeds_that_would_do_decide_as_often_as_not() -> None:
    """On simulated seeds with the mean and the deviation that were found, about half of the experiments decide."""
    found = judge(above(0.0), [row("a", -0.2, 0.5, 1.2)])
    assert found["verdict"] == "undecided"
    needed = found["needed"]
    simulated = np.random.default_rng(0).normal(0.5, 0.7, (300, needed))
    decided = np.mean([judge(above(0.0), [row("a", *values)])["verdict"] == "held" for values in simulated])
    assert 0.35 < decided < 0.75
    fewer = np.random.default_rng(0).normal(0.5, 0.7, (300, needed // 2))
    assert np.mean([judge(above(0.0), [row("a", *values)])["verdict"] == "held" for values in fewer]) < decided - 0.1


def test_no_difference_needs_more_seeds_than_anyone_has() -> None:
    found = judge(above(0.0), [row("a", -1.0, 1.01, 0.0)])
    assert found["needed"] is None
    assert seeds_text(found) == "over 300 seeds: no difference at this budget"


def test_an_expectation_has_one_bound() -> None:
    with pytest.raises(ValueError, match="either above or below"):
        Expectation(says="both", score="s", row="a", above=1.0, below=2.0)
    with pytest.raises(ValueError, match="either above or below"):
        Expectation(says="none", score="s", row="a")
    with pytest.raises(ValueError, match="expected a bound above 0"):
        Expectation(says="none", score="ratio", row="a", above=0.0)

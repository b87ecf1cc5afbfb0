"""Two judges of one claim: which side each is on, and what the page says where they disagree."""

import math
from dataclasses import replace
from typing import Any

import pytest

from agon.papers import ITEMS
from agon.papers.agreement import agreement, disagreements, on_agreement
from agon.papers.expectation import Expectation
from agon.papers.intervals import judge
from agon.papers.page import page
from tests.papers.test_page import told
from tools import index, pages

SCORE, DISTANCE = "classifier-score", "efficientnet-kernel-distance"
BETTER = Expectation(says="a is better", score=SCORE, row="a", above="b", second=DISTANCE)


def row(label: str, scores: list[float], distances: list[float]) -> dict[str, Any]:
    """A row of the numbers' file, with both judges' values for each seed."""
    pairs = zip(scores, distances, strict=True)
    by_seed = [{SCORE: score, DISTANCE: distance} for score, distance in pairs]
    records = [{name: {"value": value, "error": None} for name, value in seed.items()} for seed in by_seed]
    return {"label": label, "seeds": [{"scores": record} for record in records]}


def claim(first: list[float], second: list[float]) -> dict[str, Any]:
    """What is made of the claim when row b has scores of 2 and distances of 1 in each seed."""
    return judge(BETTER, [row("a", first, second), row("b", [2.0] * len(first), [1.0] * len(first))])


AGREED = claim([2.5, 2.6, 2.4], [0.5, 0.4, 0.6])  # higher scores, lower distances
CONTRADICTED = claim([2.5, 2.6, 2.4], [1.5, 1.4, 1.6])
OPPOSITE = claim([2.5, 2.6, 2.4], [1.5, 0.4, 1.6])
OPEN = claim([2.5, 1.6, 2.4], [1.5, 0.4, 1.6])  # neither is decided, and the signs differ
UNMEASURED = {**AGREED, "second": judge(replace(BETTER, score=DISTANCE, second=None), [])}


def test_a_second_judge_compares_the_same_rows_on_its_own_side() -> None:
    """A lower distance is what a higher score is; the verdict of the claim is the first judge's."""
    assert (AGREED["verdict"], AGREED["second"]["verdict"]) == ("held", "held")
    assert (AGREED["second"]["row"], AGREED["second"]["below"]) == ("a", "b")
    assert (CONTRADICTED["verdict"], CONTRADICTED["second"]["verdict"]) == ("held", "contradicted")
    assert "second" not in judge(replace(BETTER, second=None), [])
    same_side = replace(BETTER, score="score-oscillation", second="distance-oscillation").by_second
    assert same_side is not None
    assert (same_side.above, same_side.below) == ("b", None)


def test_judges_agree_if_their_differences_have_one_sign() -> None:
    assert agreement(AGREED, AGREED["second"]) == "agree"
    assert agreement(CONTRADICTED, CONTRADICTED["second"]) == "contradict"
    assert OPPOSITE["second"]["verdict"] == "undecided"
    assert agreement(OPPOSITE, OPPOSITE["second"]) == "opposite"
    assert (OPEN["verdict"], OPEN["second"]["verdict"]) == ("undecided", "undecided")
    assert agreement(OPEN, OPEN["second"]) == "open"
    assert agreement(UNMEASURED, UNMEASURED["second"]) is None
    assert agreement(AGREED, {**AGREED, "mean": math.nan}) is None
    assert disagreements([AGREED, CONTRADICTED, OPPOSITE, OPEN, UNMEASURED]) == [CONTRADICTED, OPPOSITE]


def test_the_judges_may_be_exchanged() -> None:
    for judged in (AGREED, CONTRADICTED, OPPOSITE, OPEN):
        assert agreement(judged["second"], judged) == agreement(judged, judged["second"])


def test_the_sentence_is_computed_from_the_numbers() -> None:
    assert on_agreement([AGREED, AGREED]).startswith("**The two judges agree on all 2 claims**")
    assert on_agreement([AGREED]).startswith("**The two judges agree on the claim**")
    assert on_agreement([OPPOSITE]).startswith("**The two judges disagree on the claim.**")
    neither = " On 1 the signs differ, and the seeds decide for neither."
    assert on_agreement([OPEN]) == f"**The seeds do not tell whether the two judges agree.**{neither}"
    same = "**The two judges agree on 1 of 2 claims**: the differences have the same sign."
    assert on_agreement([AGREED, OPEN]) == f"{same}{neither}"
    apart = on_agreement([AGREED, CONTRADICTED, OPPOSITE, UNMEASURED])
    head, _, *lines = apart.splitlines()
    assert head == "**The two judges disagree on 2 of 3 claims.** 1 more was not measured by both judges."
    assert lines == [
        "* a is better: classifier-score 0.5 ± 0.25 (held), efficientnet-kernel-distance -0.5 ± 0.25 (contradicted); "
        "the judges contradict each other.",
        "* a is better: classifier-score 0.5 ± 0.25 (held), efficientnet-kernel-distance -0.167 ± 1.7 (undecided); "
        "the signs differ, and the seeds decide for one of them alone.",
    ]
    assert on_agreement([UNMEASURED]) == f"A second judge ({DISTANCE}) has not scored these rows yet."
    assert on_agreement([judge(replace(BETTER, second=None), [])]) == ""


def test_the_page_shows_both_judges() -> None:
    """And no table of a judge that has measured nothing."""
    text = page(told(expectations=[AGREED, CONTRADICTED]))
    assert text.count("| a is better | ") == 4
    assert f"{DISTANCE} of a below b" in text
    assert "**The two judges disagree on 1 of 2 claims.**" in text
    assert "by a second judge" not in page(told(expectations=[UNMEASURED]))
    assert "has not scored these rows yet" in page(told(expectations=[UNMEASURED]))


def test_the_index_counts_on_how_many_claims_judges_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    (numbers,) = pages.known("argan2018/table1")

    def overview(*claims: dict[str, Any]) -> str:
        by_row = [{**claim, "row": f"row {k}"} for k, claim in enumerate(claims)]
        told = [{**numbers, "expectations": by_row}]
        monkeypatch.setattr(index, "known", lambda name: told if name == numbers["item"] else [])
        return index.overview()

    assert "| 2 held; two judges disagree on 1 |" in overview(AGREED, CONTRADICTED)
    assert "disagree" not in overview(AGREED, UNMEASURED)


def test_a_second_judge_cannot_be_asked_about_a_number() -> None:
    with pytest.raises(ValueError, match="other units; expected a row"):
        Expectation(says="more than 3", score=SCORE, row="a", above=3.0, second=DISTANCE)


def test_photographs_have_a_second_judge_and_digits_do_not() -> None:
    """Every claim of argan2018 and of yamazaki2017's CIFAR-10 that a classifier judges."""
    for name, item in ITEMS.items():
        if not name.startswith(("argan2018/", "yamazaki2017/")):
            continue
        for each in item.expects:
            by_classifier = each.score in (SCORE, "late-score", "score-oscillation")
            assert (each.second is not None) == (by_classifier and "_B" not in each.row), (name, each.says)

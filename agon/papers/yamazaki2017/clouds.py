"""Figures 5.1, 5.2, C.3 and C.4: generated points over training, from fixed latents, on the data."""

from collections.abc import Mapping, Sequence

from agon.metrics.clouds import TO_DATA
from agon.papers.expectation import Expectation
from agon.papers.item import Item, per_training
from agon.papers.yamazaki2017.drawing import clouds_of
from agon.papers.yamazaki2017.figure import figure
from agon.papers.yamazaki2017.measuring import point_scores, points_over_time
from agon.papers.yamazaki2017.models import balanced_on_both_sets, on_both_sets
from agon.recipes.recipe import Recipe
from agon.recipes.yamazaki2017 import points
from agon.recipes.yamazaki2017.settings import titled


def _figure(
    number: str,
    claim: str,
    shown: Mapping[str, Recipe],
    expects: Sequence[Expectation],
    beyond: Mapping[str, Recipe] | None = None,
    seeds: int = 3,
) -> Item:
    """A figure of points over training."""
    return figure(
        number,
        claim,
        shown,
        expects,
        measure=per_training(point_scores),
        draw=clouds_of(list(shown)),
        history=points_over_time,
        beyond=beyond,
        seeds=seeds,
    )


def _nearer(row: str, other: str, score: str = TO_DATA, what: str = "end") -> Expectation:
    return Expectation(
        says=f"the points of {row} {what} nearer to the data than those of {other}", score=score, row=row, below=other
    )


def _steadier(row: str, other: str) -> Expectation:
    return Expectation(
        says=f"the points of {row} move less than those of {other}", score="movement", row=row, below=other
    )


def _capacity(number: str, name: str) -> Item:
    shallow, deep, weak = "M0_A", "M1_A", titled("M1_A", False)
    shown = {shallow: points.OF[f"{name}-m0"], deep: points.OF[f"{name}-m1"], weak: points.OF[f"{name}-m1-nobn"]}
    claim = (
        f"{points.TITLES[name]}: shallow networks are steady and make points that are not in the data; deep ones come "
        "nearer but oscillate, less so and nearest without batch normalisation in the critic"
    )
    expects = (_nearer(deep, shallow), _steadier(shallow, deep), _nearer(weak, deep), _steadier(weak, deep))
    return _figure(number, claim, shown, expects)


def _unbalanced(number: str, pair: str) -> Item:
    shown, shallow, deep = on_both_sets(pair), balanced_on_both_sets("m0"), balanced_on_both_sets("m1")
    if pair == "g0d1":
        claim = "against a deep critic, the points of a shallow generator oscillate"
        expects = [_steadier(other, row) for row, other in zip(shown, shallow, strict=True)]
        return _figure(number, claim, shown, expects, beyond=shallow)
    claim = (
        "against a shallow critic, a deep generator is as steady as the baseline and converges faster, but does not "
        "end as near to the data as two deep networks"
    )
    expects = [
        expectation
        for row, plain, both in zip(shown, shallow, deep, strict=True)
        for expectation in (
            _steadier(row, both),
            _nearer(row, plain, "early-distance", "come"),
            _nearer(both, row),
        )
    ]
    return _figure(number, claim, shown, expects, beyond={**shallow, **deep}, seeds=2)  # of six trainings


CAPACITY = (_capacity("5.1", "swiss-roll"), _capacity("5.2", "ring"))
UNBALANCED = (_unbalanced("C.3", "g0d1"), _unbalanced("C.4", "g1d0"))

"""What the figures share: models that they draw, and models that are only measured, for comparison."""

from collections.abc import Mapping, Sequence

from agon.papers.expectation import Expectation
from agon.papers.item import History, Item, Measure, Renderer, each_alone
from agon.recipes.recipe import Recipe


def figure(
    number: str,
    claim: str,
    shown: Mapping[str, Recipe],
    expects: Sequence[Expectation],
    *,
    measure: Measure,
    draw: Renderer,
    history: History | None = None,
    beyond: Mapping[str, Recipe] | None = None,
    seeds: int = 3,
) -> Item:
    """A figure that draws the models `shown`; models `beyond` those are only measured, for comparison."""
    return Item(
        name=f"yamazaki2017/figure{number}",
        paper=f"Yamazaki 2017, figure {number}",
        claim=claim,
        trainings={**shown, **(beyond or {})},
        rows=each_alone(shown),
        measure=measure,
        draw=draw,
        history=history,
        expects=expects,
        seeds=seeds,
    )

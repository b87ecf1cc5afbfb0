"""What the figures share: models that are shown, and models of another figure that they are compared with."""

from collections.abc import Callable, Mapping, Sequence

from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, firsts, of_each
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale
from agon.runs import Run


def figure(
    number: str,
    claim: str,
    shown: Mapping[str, Recipe],
    expects: Sequence[Expectation],
    *,
    measure: Callable[[Run, Scale], Scores],
    draw: Callable[[Mapping[str, Run]], bytes],
    beyond: Mapping[str, Recipe] | None = None,
    history: Callable[[Run], Mapping[int, Scores]] | None = None,
    seeds: int = 3,
) -> Item:
    """A figure of the first seed's runs that are `shown`; those `beyond` are measured too."""

    def picture(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
        return {".png": draw({label: run for label, run in firsts(runs).items() if label in shown})}

    return Item(
        name=f"yamazaki2017/figure{number}",
        paper=f"Yamazaki 2017, figure {number}",
        claim=claim,
        trainings={**shown, **(beyond or {})},
        measure=of_each(measure),
        draw=picture,
        history=history,
        expects=expects,
        seeds=seeds,
    )

"""What an item is: a paper's table or figure, as the trainings, the measurements and the picture behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agon.metrics import Score
from agon.recipes.recipe import Recipe
from agon.runs import Run

Scores = Sequence[Score]


@dataclass(frozen=True, kw_only=True)
class Item:
    """A table or a figure with a name.

    Attributes:
        name: "paper/item".
        paper: where it stands.
        claim: what it shows there, in a sentence.
        trainings: a row's label -> its recipe, from top to bottom.
        updates: the paper's steps in one of ours.
        measure: scores of a finished run.
        history: step -> scores of a run, from what it kept while it trained.
        draw: the picture, of one run a row.
    """

    name: str
    paper: str
    claim: str
    trainings: Mapping[str, Recipe]
    updates: int = 1
    measure: Callable[[Run], Scores]
    history: Callable[[Run], Mapping[int, Scores]]
    draw: Callable[[Mapping[str, Run]], bytes]

    @property
    def minutes(self) -> Mapping[str, float | None]:
        """Cost of one seed of each training by scale, one after the other; None where not measured."""
        costs = [recipe.minutes for recipe in self.trainings.values()]
        told = {scale: [cost[scale] for cost in costs] for scale in costs[0]}
        return {scale: None if None in each else round(sum(filter(None, each)), 1) for scale, each in told.items()}

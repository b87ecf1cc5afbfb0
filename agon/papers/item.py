"""What an item is: a paper's table or figure, as the trainings, the measurements and the pictures behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agon.metrics import Score
from agon.papers.expectation import Expectation
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale
from agon.runs import Run

CORES = 2  # a training takes one
Scores = Sequence[Score]
Rows = Mapping[str, Scores]  # a row of the table -> its scores, the same names in every row that has them
Measure = Callable[[Mapping[str, Run], Scale], Rows]  # one seed's runs, by the labels of their trainings
Draw = Callable[[Mapping[str, Sequence[Run]], Scale], Mapping[str, bytes]]  # file ending -> content
History = Callable[[Run], Mapping[int, Scores]]  # step -> scores
Published = Mapping[str, Mapping[str, str]]  # row -> column -> what the paper prints


@dataclass(frozen=True, kw_only=True)
class Item:
    """A table or a figure with a name.

    Attributes:
        name: "paper/item", by the paper's own words: table1, figure5.3.
        paper: where it stands.
        claim: what it shows there, in a sentence.
        trainings: label -> recipe, in the order in which they are drawn.
        measure: the rows of one seed: of its run of every training, at a scale.
        draw: file ending -> content (".png" first, which the page shows; ".gif"), of the runs of every training,
            a run a seed, at a scale.
        history: step -> scores of a run, from what it kept while it trained; None where the item has none.
        published: row -> column -> what the paper prints there.
        expects: what the claim says of the numbers; the verdict is whether it holds.
        updates: the paper's steps in one of ours.
        seeds: trained of each by default: as many as the quick scale has time for.
    """

    name: str
    paper: str
    claim: str
    trainings: Mapping[str, Recipe]
    measure: Measure
    draw: Draw
    history: History | None = None
    published: Published = field(default_factory=dict)
    expects: Sequence[Expectation] = ()
    updates: int = 1
    seeds: int = 3

    @property
    def minutes(self) -> Mapping[Scale, float | None]:
        """Cost of all its trainings under `seeds` seeds on 2 cores, by scale; None where one was not measured."""
        costs = [recipe.minutes for recipe in self.trainings.values()]
        by_scale = {scale: [cost[scale] for cost in costs] for scale in costs[0]}
        return {scale: None if None in each else self._total(filter(None, each)) for scale, each in by_scale.items()}

    def _total(self, minutes: Iterable[float]) -> float:
        return round(sum(minutes) * self.seeds / CORES, 1)


def per_training(measure: Callable[[Run, Scale], Scores]) -> Measure:
    """A row for every training, by what measures one run."""
    return lambda runs, scale: {label: measure(run, scale) for label, run in runs.items()}


def first_seeds(runs: Mapping[str, Sequence[Run]]) -> Mapping[str, Run]:
    """The first seed's run of every training: the one that a picture shows."""
    return {label: seeds[0] for label, seeds in runs.items()}

"""An item: a paper's table or figure, with the trainings, measurements and pictures behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agon.metrics import Score
from agon.papers.expectation import ControlName, Expectation
from agon.papers.panel_row import PanelRow
from agon.recipes.recipe import Recipe
from agon.recipes.scales import Scale
from agon.runs import Run

CORES = 2  # each training uses one
Scores = Sequence[Score]
TrainedRuns = Mapping[str, Sequence[Run]]  # label of a training -> its runs, one for each seed
Rows = Mapping[str, Scores]  # label of a table's row -> its scores; a score has the same name in every row
Measure = Callable[[Mapping[str, Run], Scale], Rows]  # measures the runs of one seed, by training label
Renderer = Callable[[TrainedRuns, Scale], Mapping[str, bytes]]  # returns file ending -> content
History = Callable[[Run], Mapping[int, Scores]]  # step -> scores
Panels = Callable[[TrainedRuns, Scale], Sequence[PanelRow]]  # compares every seed's run with every other seed's
Published = Mapping[str, Mapping[str, str]]  # row -> column -> the value that the paper prints


@dataclass(frozen=True, kw_only=True)
class Item:
    """A named table or figure of a paper.

    Attributes:
        name: "paper/item", with the paper's own number: "metz2017/table1", "yamazaki2017/figure5.3".
        paper: where the paper prints it.
        claim: what the paper says it shows, in a sentence.
        trainings: label -> recipe, in drawing order.
        rows: row -> labels of the trainings that it needs, of each row that can be made without the others
            (`papers.rows`); empty if the item is one piece.
        measure: computes the table's rows from one seed's runs at a scale; of some of the trainings, those that they
            suffice for.
        draw: renders the pictures from the runs of all seeds at a scale: file ending -> content. The page shows
            the first, ".png"; others, such as ".gif", are files beside it.
        history: step -> scores of a run, from the snapshots it kept during training; None if the item has none.
        panels: compares all seeds of one training with all seeds of another, beside the rows of single seeds; None if
            the item has no such comparison.
        published: row -> column -> the value that the paper prints.
        expects: what the claim says about the numbers; each gets a verdict.
        controls: what must fail the expectations: networks that were never trained, real samples in the place of
            generated ones (`real` measures them), samples with copies (rows named by `copies`), or the rows exchanged.
            An item without expectations needs none.
        real: computes the table's rows with real samples in the place of generated ones, from runs of one seed, of
            which it uses the data alone.
        copies: row -> the row of the same samples with training images in the place of some, for the control "copies".
        updates: how many of the paper's steps one of ours is.
        seeds: seeds of each training by default, as many as the quick scale has time for.
    """

    name: str
    paper: str
    claim: str
    trainings: Mapping[str, Recipe]
    measure: Measure
    draw: Renderer
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    history: History | None = None
    panels: Panels | None = None
    published: Published = field(default_factory=dict)
    expects: Sequence[Expectation] = ()
    controls: Sequence[ControlName] = ("untrained",)
    real: Measure | None = None
    copies: Mapping[str, str] = field(default_factory=dict)
    updates: int = 1
    seeds: int = 3

    def __post_init__(self) -> None:
        if ("real" in self.controls) != (self.real is not None):
            raise ValueError(f"{self.name}: expected a measurement of real samples for its control, and only for it")
        if ("copies" in self.controls) != bool(self.copies):
            raise ValueError(f"{self.name}: expected rows with copies for their control, and only for it")
        named = {name for each in self.expects for name in (*(each.controls or ()), each.beyond) if name is not None}
        unknown = named - set(self.controls)
        if unknown:
            raise ValueError(f"{self.name}: expected an expectation's controls among the item's, got {sorted(unknown)}")

    @property
    def minutes(self) -> Mapping[Scale, float | None]:
        """Minutes for all trainings with `seeds` seeds on 2 cores, by scale; None if a training was not timed."""
        costs = [recipe.minutes for recipe in self.trainings.values()]
        by_scale = {scale: [cost[scale] for cost in costs] for scale in costs[0]}
        return {scale: None if None in cost else self._total(filter(None, cost)) for scale, cost in by_scale.items()}

    def _total(self, minutes: Iterable[float]) -> float:
        return round(sum(minutes) * self.seeds / CORES, 1)


def per_training(measure: Callable[[Run, Scale], Scores]) -> Measure:
    """Make a `Measure` with one row per training from a function that measures one run."""
    return lambda runs, scale: {label: measure(run, scale) for label, run in runs.items()}


def each_alone(trainings: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """`Item.rows` of an item with one row per training."""
    return {label: (label,) for label in trainings}


def first_seeds(runs: TrainedRuns) -> Mapping[str, Run]:
    """The first seed's run of every training, which the pictures show."""
    return {label: seeds[0] for label, seeds in runs.items()}

"""Recipes: named functions that make one experiment from a source, out of the library's own parts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, get_args

from agon.data import Source, of, settle
from agon.errors import SettingError, unknown
from agon.experiment import Experiment
from agon.recipes import costs
from agon.recipes.scales import Scale

KINDS = {1: "points", 2: "series", 3: "images"}  # dimensions of a sample -> what it is


class EvaluationSchedule(NamedTuple):
    """The metrics computed while a recipe trains for an item, as with `agon train --evaluate`.

    Attributes:
        metrics: names in `evaluation.METRICS`.
        every: steps between evaluations.
        n: samples in each evaluation, always from the same latents.
        extractor: extractor of their features.
    """

    metrics: tuple[str, ...]
    every: int
    n: int
    extractor: str = "classifier"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named training.

    Attributes:
        name: "paper/training".
        paper: the paper, with the place in it.
        claim: what the training shows, in a sentence.
        data: makes the default source for a scale.
        make: makes the experiment from a source and a scale; layers take their sizes from `source.shape`.
        also: numbers of dimensions of a sample that its networks take beside those of the default data.
        timed: makes the experiment from a source and a number of minutes, for a recipe that chooses by them.
        stepped: makes it from a source and a number of steps, for such a recipe.
        continued: changes it to the networks of an earlier one, from whose weights it begins, for such a recipe.
        budgets: scale -> the minutes that such a recipe takes by default.
        evaluations: scale -> the evaluations while it trains for an item; a plain training has none.
    """

    name: str
    paper: str
    claim: str
    data: Callable[[Scale], Source]
    make: Callable[[Source, Scale], Experiment]
    also: tuple[int, ...] = ()
    evaluations: Mapping[str, EvaluationSchedule] = field(default_factory=dict)
    timed: Callable[[Source, float], Experiment] | None = None
    stepped: Callable[[Source, int], Experiment] | None = None
    continued: Callable[[Experiment, Experiment], Experiment] | None = None
    budgets: Mapping[Scale, float] = field(default_factory=dict)

    @property
    def minutes(self) -> Mapping[Scale, float | None]:
        """Measured minutes by scale, with the default source; None for a scale that was not measured."""
        return costs.minutes(self.name)

    def experiment(
        self,
        data: Any = None,
        scale: Scale = "quick",
        minutes: float | None = None,
        *,
        steps: int | None = None,
        earlier: Experiment | None = None,
    ) -> Experiment:
        """Make the experiment, on the default data or on other data, which `settle` gives a size if they need one.

        Args:
            data: a source, or whatever `agon.data.of` makes one of, such as an array; None for the default data.
            scale: the size of the training.
            minutes: the budget that the recipe chooses its networks by, if it is one that does; the number of steps
                is then an estimate, which `agon.training.within` replaces by a measurement.
            steps: the number of steps in place of the recipe's own; a recipe that chooses its networks then does so
                without asking how long they take, except at smoke scale.
            earlier: the experiment of the run from whose weights the training will begin; a recipe that chooses its
                networks then takes that one's, if they fit the data.

        Raises:
            SettingError: the scale is unknown, or the data have the wrong kind of shape.
            DataError: the data cannot be read.
        """
        if scale not in get_args(Scale):
            raise SettingError(unknown("scale", scale, get_args(Scale)))
        default = self.data(scale)
        source, reasons = (default, ()) if data is None else settle(of(data))
        takes = (len(default.shape), *self.also)
        if len(source.shape) not in takes:
            kinds = " and ".join(KINDS[dimensions] for dimensions in takes)
            got = KINDS.get(len(source.shape), "data")
            raise SettingError(f"{self.name} is for {kinds}, got {got} of shape {source.shape}; see agon recipes")
        made = self._made(source, scale, minutes, steps)
        if earlier is not None and self.continued is not None:
            made = self.continued(made, earlier)
        name = f"{self.name} --scale {scale}" if minutes is None else f"{self.name} --minutes {minutes:g}"
        return replace(made, recipe=name, notes=(*reasons, *made.notes))

    def _made(self, source: Source, scale: Scale, minutes: float | None, steps: int | None) -> Experiment:
        if minutes is not None and self.timed is not None:
            made = self.timed(source, minutes)
        elif steps is not None and self.stepped is not None and scale != "smoke":
            return self.stepped(source, steps)
        else:
            made = self.make(source, scale)
        return made if steps is None else replace(made, steps=steps)


def by_name(recipes: Iterable[Recipe]) -> dict[str, Recipe]:
    """Index the recipes of one paper by their names without the paper: "ring-k0" for "metz2017/ring-k0"."""
    return {recipe.name.partition("/")[2]: recipe for recipe in recipes}

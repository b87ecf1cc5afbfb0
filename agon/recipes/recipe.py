"""What a recipe is: a named sentence in the library's own parts that makes one experiment of a source."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, get_args

from agon.data import Source
from agon.errors import SettingError, unknown
from agon.experiment import Experiment
from agon.recipes import costs
from agon.recipes.scales import Scale


class EvaluationSchedule(NamedTuple):
    """What is measured while a recipe trains for an item, as `agon train --watch` does.

    Attributes:
        metrics: names in `evaluate.METRICS`.
        every: steps from one evaluation to the next.
        n: samples of each, always of the same latents.
        extractor: of their features.
    """

    metrics: tuple[str, ...]
    every: int
    n: int
    extractor: str = "classifier"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training with a name.

    Attributes:
        name: "paper/training".
        paper: whose idea it is.
        claim: what it shows, in a sentence.
        data: makes the source that it uses at a scale if no other is given.
        make: the experiment of a source at a scale; layers take their sizes from `source.shape`.
        evaluations: by scale, what is measured while it trains for an item; nothing elsewhere.
    """

    name: str
    paper: str
    claim: str
    data: Callable[[Scale], Source]
    make: Callable[[Source, Scale], Experiment]
    evaluations: Mapping[str, EvaluationSchedule] = field(default_factory=dict)

    @property
    def minutes(self) -> Mapping[Scale, float | None]:
        """Measured cost by scale, with the default source; None where it was not measured."""
        return costs.minutes(self.name)

    def experiment(self, data: Source | None = None, scale: Scale = "quick") -> Experiment:
        """The experiment, on its own data or on another source.

        Raises:
            SettingError: an unknown scale.
        """
        if scale not in get_args(Scale):
            raise SettingError(unknown("scale", scale, get_args(Scale)))
        default = self.data(scale)
        source = default if data is None else data
        if len(source.shape) != len(default.shape):
            kind = "images" if len(default.shape) == 3 else "points"
            raise SettingError(f"{self.name} is for {kind}, got data of shape {source.shape}; see agon recipes")
        return replace(self.make(source, scale), recipe=f"{self.name} --scale {scale}")


def by_name(recipes: Iterable[Recipe]) -> dict[str, Recipe]:
    """The recipes of one paper by their names within it: "ring-k0" for "metz2017/ring-k0"."""
    return {recipe.name.partition("/")[2]: recipe for recipe in recipes}

"""What a recipe is: a named sentence in the library's own parts that makes one experiment of a source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from agon.data import Source
from agon.errors import SettingError, unknown
from agon.experiment import Experiment

Scale = Literal["smoke", "quick", "paper"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training with a name.

    Attributes:
        name: "paper/training".
        paper: whose idea it is.
        claim: what it shows, in a sentence.
        data: makes the source that it uses at a scale if no other is given.
        make: the experiment of a source at a scale; layers take their sizes from `source.shape`.
        minutes: measured cost by scale on 2 cores with the default source, or None where not measured.
    """

    name: str
    paper: str
    claim: str
    data: Callable[[Scale], Source]
    make: Callable[[Source, Scale], Experiment]
    minutes: Mapping[str, float | None]

    def experiment(self, data: Source | None = None, scale: Scale = "quick") -> Experiment:
        """The experiment, on its own data or on another source.

        Raises:
            SettingError: an unknown scale.
        """
        if scale not in get_args(Scale):
            raise SettingError(unknown("scale", scale, get_args(Scale)))
        own = self.data(scale)
        source = own if data is None else data
        if len(source.shape) != len(own.shape):
            kind = "images" if len(own.shape) == 3 else "points"
            raise SettingError(f"{self.name} is for {kind}, got data of shape {source.shape}; see agon recipes")
        made = self.make(source, scale)
        return replace(made, recipe=f"{self.name} --scale {scale}")

"""Sweeps with a name: the settings that a paper chose, over which values, and by which score."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NamedSweep:
    """A choice of settings; `agon sweep NAME` makes it.

    Attributes:
        name: "paper/choice".
        paper: the paper, with the place in it.
        claim: what is chosen, in a sentence.
        recipe: name of the recipe.
        over: path of a setting -> its values.
        metric: name of the metric that decides.
        extractor: of its features.
        n: number of samples in each score.
        seeds: number of seeds of each setting.
    """

    name: str
    paper: str
    claim: str
    recipe: str
    over: Mapping[str, tuple[str, ...]]
    metric: str
    extractor: str
    n: int
    seeds: int

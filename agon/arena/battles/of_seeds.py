"""A battle of two experiments: every seed of one against every seed of the other, and what that says of both."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from agon.arena.budgets import unequal_budgets
from agon.arena.comparisons.sides import Runs, Side, paths_of, sides
from agon.arena.ratings.cautions import all_recognised
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.panels import Panel, panel
from agon.arena.tournaments import TournamentSettings, tournament
from agon.arena.tournaments.crosstables import mean_areas
from agon.errors import DataError
from agon.figures.numbers import number


@dataclass(frozen=True, kw_only=True)
class SeedBattle:
    """The areas of all critics before all generators of two experiments, and the panel that they make.

    Attributes:
        panel: the effect with its interval, and how many seeds would decide it.
        matrix: the areas; its contestants are the two experiments.
        left_out: run's name -> why it did not take part.
        budgets: that the two were trained for different numbers of steps, as a sentence; else nothing.
    """

    panel: Panel
    matrix: AreaMatrix
    left_out: Mapping[str, str] = field(default_factory=dict)
    budgets: str = ""

    @property
    def lines(self) -> list[str]:
        """The mean areas with their ranges, who was left out, unequal budgets, and the panel's sentence."""
        pairs = [(self.panel.first, self.panel.second), (self.panel.second, self.panel.first)]
        return [
            "area: how often a critic finds a generated sample at least as real as a held-out real one; 0.5: it cannot "
            "tell",
            *(self._areas(*pair) for pair in pairs),
            *(f"left out: {name}: {reason}" for name, reason in self.left_out.items()),
            "",
            *([self.budgets] if self.budgets else []),
            self.panel.sentence(),
            *(self._recognised(*pair) for pair in pairs if all_recognised(self._cells(*pair).ravel().tolist())),
        ]

    def _recognised(self, generators: str, critics: str) -> str:
        return (
            f"Every critic of {critics} recognises nearly all samples of {generators}: that says as much of how good "
            "the critics are as of the generators; compare scores of the samples, too (agon compare)."
        )

    def _areas(self, generators: str, critics: str) -> str:
        mean, areas = mean_areas(self.matrix)[generators, critics], self._cells(generators, critics)
        size = f"{areas.shape[0]} x {areas.shape[1]}"
        low, high = number(float(areas.min()), 3), number(float(areas.max()), 3)
        return (
            f"generators of {generators} before critics of {critics}: {number(mean, 3)}, from {low} to {high} ({size})"
        )

    def _cells(self, generators: str, critics: str) -> Float64[np.ndarray, "s t"]:
        rows, columns = (
            [place for place, entrant in enumerate(entrants) if self.matrix.contestants[entrant] == contestant]
            for entrants, contestant in ((self.matrix.generators, generators), (self.matrix.critics, critics))
        )
        cells: Float64[np.ndarray, "s t"] = self.matrix.areas[np.ix_(rows, columns)]
        return cells

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def plain(self) -> dict[str, Any]:
        """The battle as JSON values."""
        rest = {"left_out": dict(self.left_out), "budgets": self.budgets}
        return {"panel": self.panel.plain(), "matrix": self.matrix.plain(), **rest}

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "SeedBattle":
        """The battle of `plain`, or of the JSON that was made of it."""
        panel, matrix = Panel.of_plain(values["panel"]), AreaMatrix.of_plain(values["matrix"])
        return cls(panel=panel, matrix=matrix, left_out=values["left_out"], budgets=values.get("budgets", ""))

    @property
    def json(self) -> str:
        """The text of `plain`."""
        return json.dumps(self.plain(), indent=1, allow_nan=False)


def battle_of_seeds(
    first: Runs,
    second: Runs,
    *,
    settings: TournamentSettings = TournamentSettings(),  # noqa: B008 - frozen
    trust: bool = False,
    show: bool = True,
) -> SeedBattle:
    """Fight two experiments: the critics of all seeds judge the samples of all seeds.

    A single battle says as much of its two seeds as of the two experiments. S seeds of each make S x S pairs, whose
    interval knows the seeds. Areas under the ROC curve need no threshold and no calibration.

    Args:
        first: a folder of seeds, or runs.
        second: the same of another experiment on the same data.
        settings: number of samples, seed and statistics.
        trust: whether classes from outside agon may be imported.
        show: whether to print the progress.

    Raises:
        RunError: a run is on both sides, or a side has no finished run.
        SettingError: the runs of a side differ in more than their seed.
        DataError: the two have different data, or one has no critics.
    """
    (one, two), left_out = sides(paths_of(first), paths_of(second))
    runs = [replicate.path for side in (one, two) for replicate in side.replicates]
    result = tournament(runs, settings=settings, references=False, trust=trust, show=show)
    matrix = replace(result.matrix, contestants=_contestants(result.places, result.matrix, one, two))
    absent = [each.name for each in (one, two) if each.name not in matrix.contestants.values()]
    if absent:
        raise DataError(f"a battle: expected seeds of both, {absent[0]} has none that can take part: {result.left_out}")
    return SeedBattle(
        panel=panel(matrix, one.name, two.name),
        matrix=matrix,
        left_out={**left_out, **result.left_out},
        budgets=unequal_budgets({side.name: side.steps for side in (one, two)}),
    )


def _contestants(places: Mapping[str, str], matrix: AreaMatrix, first: Side, second: Side) -> dict[str, str]:
    """Entrant's name -> the experiment that it is a seed of, by its path."""
    sides_of = {str(each.path.resolve()): side.name for side in (first, second) for each in side.replicates}
    return {entrant: sides_of[str(Path(places[entrant]).resolve())] for entrant in matrix.contestants}

"""The result of a comparison of two experiments: every score that they have in common, and what follows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agon.arena.comparisons.conclusions import lines
from agon.arena.comparisons.score import ComparedScore
from agon.arena.tabulating import data_frames

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True)
class ComparisonResult:
    """Replicates of two experiments, compared by every score that they have in common.

    Attributes:
        names: of the first and the second experiment.
        scores: the most telling first.
        sentence: what follows from them.
        left_out: run or score -> the sentence that says why it does not count.
        places: run's name -> its path.
    """

    names: tuple[str, str]
    scores: tuple[ComparedScore, ...]
    sentence: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def score(self, name: str) -> ComparedScore:
        """The score of that name."""
        return next(score for score in self.scores if score.name == name)

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The result as tables, each a list of rows by column: "scores", "values" of each run, "left out"."""
        sides = zip(self.names, ("first", "second"), strict=True)
        values = [
            {"score": score.name, "experiment": name, "run": run, "value": value}
            for name, side in sides
            for score in self.scores
            for run, value in getattr(score, side).items()
        ]
        left_out = [{"name": name, "reason": reason} for name, reason in self.left_out.items()]
        return {"scores": [score.row for score in self.scores], "values": values, "left out": left_out}

    def to_pandas(self) -> "dict[str, pandas.DataFrame]":
        """The `tables` as data frames.

        Raises:
            NotInstalledError: pandas is not installed.
        """
        return data_frames(self.tables)

    def plain(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "names": list(self.names),
            "scores": [score.plain() for score in self.scores],
            "sentence": self.sentence,
            "left_out": dict(self.left_out),
            "places": dict(self.places),
        }

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "ComparisonResult":
        """The result of `plain`, or of the JSON that was made of it."""
        first, second = values["names"]
        scores = tuple(ComparedScore.of_plain(score) for score in values["scores"])
        rest = {name: values[name] for name in ("sentence", "left_out", "places")}
        return cls(names=(first, second), scores=scores, **rest)

    @property
    def json(self) -> str:
        """The text of `plain`."""
        return json.dumps(self.plain(), indent=1, allow_nan=False)

    @property
    def lines(self) -> list[str]:
        """The table, what was left out, and the sentence, for a terminal."""
        return [*lines(self.names, self.scores, self.left_out), "", self.sentence]

    def __str__(self) -> str:
        return "\n".join(self.lines)

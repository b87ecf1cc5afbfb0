"""The result of a tournament: the matrix of areas, the ratings, and who was left out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agon.arena.budgets import unequal_budgets
from agon.arena.ratings.cautions import cautions
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import Ratings
from agon.arena.tabulating import data_frames
from agon.arena.tournaments.admission import UNTRAINED
from agon.arena.tournaments.crosstables import lines_of, tables_of
from agon.errors import RunError
from agon.runs import write_atomically
from agon.runs.files import AGAIN
from agon.untrusted import MALFORMED, parse_json

if TYPE_CHECKING:
    import pandas

FILE = "tournament.json"  # in the folder of a tournament


@dataclass(frozen=True, kw_only=True)
class TournamentResult:
    """Who fools whom, and how good that makes everybody.

    Attributes:
        matrix: every generator before every critic.
        ratings: of the contestants.
        left_out: entrant's name -> the sentence that says why it did not take part; "NAME (critic)" if only its critic
            did not, and "NAME before OTHER's critic" if only these two did not meet.
        protocol: n, seed, statistics of batch normalisation, versions; as plain values.
        places: entrant's name -> where it is, as a path; "" for real data.
        steps: entrant's name -> the steps of its training, for runs that take part as they ended.
    """

    matrix: AreaMatrix
    ratings: Ratings
    left_out: Mapping[str, str] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The result as tables, each a list of rows by column.

        * "areas": a row for each meeting: generator, critic, their contestants, area, error and whether at home.
        * "ratings": a row for each contestant and role: rating, interval, number of seeds and what the interval covers.
        * "cycles" and "left out".
        """
        return tables_of(self.matrix, self.ratings, self.left_out)

    def to_pandas(self) -> "dict[str, pandas.DataFrame]":
        """The `tables` as data frames.

        Raises:
            NotInstalledError: pandas is not installed.
        """
        return data_frames(self.tables)

    def write(self, folder: Path) -> Path:
        """Write tournament.json into a folder."""
        content = json.dumps(self.plain(), indent=1, allow_nan=False).encode()
        write_atomically(folder / FILE, content + b"\n", then=AGAIN)
        return folder / FILE

    @classmethod
    def read(cls, folder: Path) -> "TournamentResult":
        """Read the result that a tournament left in its folder.

        Raises:
            RunError: there is none, or it cannot be read.
        """
        try:
            return cls.of_plain(parse_json((folder / FILE).read_text()))
        except (OSError, *MALFORMED) as error:
            raise RunError(f"{folder / FILE}: expected the result of a tournament ({error!r:.80})") from error

    @property
    def ceiling(self) -> str | None:
        """The contestant that is held-out real data, if it takes part: the one without a path."""
        contestants = self.matrix.contestants
        return next(
            (contestants[name] for name, place in self.places.items() if not place and name in contestants), None
        )

    @property
    def cautions(self) -> list[str]:
        """What speaks against the order of the ratings, in sentences."""
        floor = UNTRAINED if self.ceiling and UNTRAINED in self.matrix.contestants.values() else None
        budgets = self._budgets
        return [*cautions(self.matrix, self.ratings, self.ceiling, floor), *([budgets] if budgets else [])]

    @property
    def _budgets(self) -> str:
        """Whether contestants were trained for other numbers of steps, as a caution; else nothing."""
        steps = dict[str, list[int]]()
        for name, contestant in self.matrix.contestants.items():
            if name in self.steps:
                steps.setdefault(contestant, []).append(self.steps[name])
        sentence = unequal_budgets(steps)
        return f"{sentence[0].lower()}{sentence[1:-1]}" if sentence else ""

    @property
    def lines(self) -> list[str]:
        """The tables for a terminal, after what speaks against them."""
        warned = [f"caution: {caution}" for caution in self.cautions]
        return [*warned, *([""] if warned else []), *lines_of(self.matrix, self.ratings, self.left_out)]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def plain(self) -> dict[str, Any]:
        """The result as JSON values: the content of tournament.json."""
        return {
            "matrix": self.matrix.plain(),
            "ratings": self.ratings.plain(),
            "left_out": dict(self.left_out),
            "protocol": dict(self.protocol),
            "places": dict(self.places),
            "steps": dict(self.steps),
        }

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "TournamentResult":
        """The result of `plain`."""
        return cls(
            matrix=AreaMatrix.of_plain(values["matrix"]),
            ratings=Ratings.of_plain(values["ratings"]),
            left_out=values["left_out"],
            protocol=values["protocol"],
            places=values["places"],
            steps=values.get("steps", {}),
        )

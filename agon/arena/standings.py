"""The result of a tournament: the matrix of areas, the ratings, and who was left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agon.arena.matrix import AreaMatrix
from agon.arena.ratings import Ratings

FILE = "tournament.json"  # in the folder of a tournament


@dataclass(frozen=True, kw_only=True)
class TournamentResult:
    """Who fools whom, and how good that makes everybody.

    Attributes:
        matrix: every generator before every critic.
        ratings: of the contestants.
        left_out: entrant's name -> the sentence that says why it did not take part.
        protocol: n, seed, statistics of batch normalisation, versions; as plain values.
        places: entrant's name -> where it is, as a path; "" for real data.
    """

    matrix: AreaMatrix
    ratings: Ratings
    left_out: Mapping[str, str] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The result as JSON values: the content of tournament.json."""
        return {
            "matrix": self.matrix.plain(),
            "ratings": self.ratings.plain(),
            "left_out": dict(self.left_out),
            "protocol": dict(self.protocol),
            "places": dict(self.places),
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
        )

"""A paper's claim as a statement about a table's numbers, and the verdicts over the seeds."""

from dataclasses import dataclass
from typing import Literal

ExpectationVerdict = Literal["held", "contradicted", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A score of a row is above or below a number, or the same score of another row.

    Attributes:
        says: the claim in words.
        score: name of the score to compare.
        row: label of the row that the claim is about.
        above: the row with the lower score (compared seed by seed), or a number.
        below: the row with the higher score, or a number. Give either `above` or `below`.
    """

    says: str
    score: str
    row: str
    above: str | float | None = None
    below: str | float | None = None

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"{self.says}: expected either above or below")

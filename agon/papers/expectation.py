"""What a paper's claim says of a table's numbers, and whether it holds over the seeds."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["held", "contradicted", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One score of one row lies above, or below, another row's or a number.

    Attributes:
        says: it in words.
        score: whose values are compared.
        row: the row that it speaks of.
        above: a row that has the lower score, seed by seed, or a number.
        below: a row that has the higher score, or a number; one of the two is given.
    """

    says: str
    score: str
    row: str
    above: str | float | None = None
    below: str | float | None = None

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"{self.says}: expected either above or below")

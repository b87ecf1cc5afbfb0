"""A paper's claim as a statement about a table's numbers, and what may be concluded from it."""

from dataclasses import dataclass, replace
from typing import Literal

from agon.metrics.directions import is_ratio, opposite

ExpectationVerdict = Literal["held", "partly", "contradicted", "undecided", "no evidence", "one seed", "not measured"]
ControlName = Literal["untrained", "real", "copies", "exchanged"]
Bound = str | float  # the row with which to compare seed by seed, or a number


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A score of a row is above or below a number, or the same score of another row.

    Positive ratios (`metrics.directions.is_ratio`) are compared as logarithms.

    Attributes:
        says: the claim in words.
        score: name of the score to compare.
        row: label of the row that the claim is about.
        above: the row with the lower score (compared seed by seed), or a number.
        below: the row with the higher score, or a number. Give either `above` or `below`.
        direction: a weaker bound on the same side, for a claim of a certain size: where only this one holds, the claim
            holds partly, in its direction and not in its size. None for a claim that has no size.
        controls: the item's controls that must fail it; None for all of them.
        beyond: a control whose scores are subtracted first, seed by seed (of ratios, divided by): the claim is that
            training makes the difference, where untrained networks differ, too.
        second: a score by which a second judge compares the same rows; None for one judge. The claim stays one claim,
            whose verdict is that of `score`.
    """

    says: str
    score: str
    row: str
    above: Bound | None = None
    below: Bound | None = None
    direction: Bound | None = None
    controls: tuple[ControlName, ...] | None = None
    beyond: ControlName | None = None
    second: str | None = None

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"{self.says}: expected either above or below")
        numbers = [bound for bound in (self.bound, self.direction) if isinstance(bound, float | int)]
        if is_ratio(self.score) and any(number <= 0 for number in numbers):
            raise ValueError(f"{self.says}: a ratio is compared as a logarithm; expected a bound above 0")
        if self.second is not None and numbers:
            raise ValueError(f"{self.says}: a second judge's score has other units; expected a row as the bound")

    @property
    def bound(self) -> Bound:
        """What the score is compared with."""
        bound = self.below if self.above is None else self.above
        assert bound is not None
        return bound

    @property
    def sign(self) -> float:
        """1 if the score is expected above the bound, -1 if below."""
        return 1.0 if self.above is not None else -1.0

    @property
    def by_second(self) -> "Expectation | None":
        """The same claim by the second judge's score; where lower is better for one score alone, on the other side."""
        if self.second is None:
            return None
        above, below = (self.below, self.above) if opposite(self.score, self.second) else (self.above, self.below)
        return replace(self, score=self.second, second=None, above=above, below=below)

"""One row of an item's panels: every seed of one training against every seed of another."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

PanelVerdict = Literal["held", "contradicted", "undecided"]


@dataclass(frozen=True, kw_only=True)
class PanelRow:
    """An effect over all pairs of seeds, above 0 if it is as the paper says.

    Attributes:
        row: label of the table's row.
        effect: in logits.
        interval: its 95 % interval for other seeds of both.
        seeds: number of seeds of each side.
        needed: the least number of seeds of each that would decide it; None if it is decided, or no number would.
    """

    row: str
    effect: float
    interval: tuple[float, float]
    seeds: tuple[int, int]
    needed: int | None

    @property
    def verdict(self) -> PanelVerdict:
        """Whether the interval lies above 0, below it, or contains it."""
        low, high = self.interval
        return "held" if low > 0 else "contradicted" if high < 0 else "undecided"

    def plain(self) -> dict[str, Any]:
        """The row as JSON values; ends of an interval that are not finite are None."""
        ends = [end if abs(end) < float("inf") else None for end in self.interval]
        return {**asdict(self), "interval": ends, "verdict": self.verdict}

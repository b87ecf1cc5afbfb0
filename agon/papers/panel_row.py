"""One row of an item's panels: every seed of one training against every seed of another."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agon.figures.numbers import number

ABOUT_PANELS = (
    "Every seed's samples before every seed's critic, by areas under the ROC curve, which need no threshold; positive "
    "as the paper claims:"
)
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


def panel_table(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """The head and the body of a table of rows as `PanelRow.plain` returns them."""
    head = ["panel", "logits", "95 % interval", "seeds", "verdict"]
    return head, [
        [row["row"], number(row["effect"], 2), _interval(row["interval"]), _seeds(row["seeds"]), _verdict(row)]
        for row in rows
    ]


def _interval(ends: Sequence[float | None]) -> str:
    return "of one seed, none" if None in ends else f"[{', '.join(number(end, 2) for end in ends)}]"


def _seeds(seeds: Sequence[int]) -> str:
    return " x ".join(map(str, seeds))


def _verdict(row: Mapping[str, Any]) -> str:
    if row["verdict"] != "undecided" or None in row["interval"]:
        return str(row["verdict"])
    return "undecided; " + (f"about {row['needed']:,} seeds would do" if row["needed"] else "over 1,000 seeds")

"""One recorded score of two experiments: its difference, intervals and verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agon.metrics.differences import Noise
from agon.metrics.directions import Direction

Scale = Literal["value", "logarithm", "distance"]
Better = Literal["first", "second", ""]
Ends = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ComparedScore:
    """One score of two experiments; every difference is the first experiment's less the second's.

    Attributes:
        name: the score, and the opponent of a battle.
        metric: the metric that measured it.
        best: infinity if higher is better, minus infinity if lower is, else the best value; None if none is.
        scale: what is subtracted: the values, their logarithms (positive ratios: the difference is that of logarithms,
            and e to it is the ratio), or their distances from a best value.
        first: run's name -> its value; paired runs are in one order in both.
        second: the same of the second experiment.
        means: of both, in the score's own units; of ratios the geometric means.
        difference: on the scale.
        interval: its 95 % interval, by itself; None if nothing is known of it.
        together: its 95 % interval, wide enough that the intervals of all scores hold together (Bonferroni).
        p: p-value of no difference, adjusted for the number of scores (Holm); None without an interval.
        p_alone: the same, not adjusted.
        effect: the difference, in standard deviations of that between one seed of each; None without seeds.
        pairs: number of pairs of seeds; 0 if the seeds are not paired.
        covers: "seeds" if the interval says what other seeds would give, "samples" if it holds for these runs only.
        needed_seeds: of each side (or pairs), which would decide it as often as not if the difference and the spread
            are what they seem; None if it is decided, or nothing is known, or it is above 1,000.
    """

    name: str
    metric: str
    best: float | None
    scale: Scale
    first: Mapping[str, float]
    second: Mapping[str, float]
    means: Ends
    difference: float
    interval: Ends | None
    together: Ends | None
    p: float | None
    p_alone: float | None
    effect: float | None
    pairs: int
    covers: Noise
    needed_seeds: int | None

    @property
    def direction(self) -> Direction | None:
        """Where its best values are; None if it only describes."""
        return None if self.best is None else Direction(self.best)

    @property
    def decided(self) -> bool:
        """Whether the two differ at 95 %, with all scores counted."""
        return self.p is not None and self.p <= 0.05

    @property
    def better(self) -> Better:
        """Which of the two has the better mean, decided or not; nothing if they are equal or it only describes."""
        if self.best is None or self.difference == 0:
            return ""
        lower_is_better = self.scale == "distance" or self.best < 0
        return "first" if (self.difference < 0) == lower_is_better else "second"

    @property
    def seeds(self) -> tuple[int, int]:
        """Number of seeds of both."""
        return len(self.first), len(self.second)

    def plain(self) -> dict[str, Any]:
        """The score as JSON values; an infinite `best` is "higher" or "lower"."""
        words = {float("inf"): "higher", float("-inf"): "lower"}
        found = {"decided": self.decided, "better": self.better}
        return {**asdict(self), "best": words.get(self.best, self.best) if self.best is not None else None, **found}

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "ComparedScore":
        """The score of `plain`, or of the JSON that was made of it."""
        words = {"higher": float("inf"), "lower": float("-inf")}
        ends = {name: _ends(values[name]) for name in ("means", "interval", "together")}
        known = {name: value for name, value in values.items() if name not in ("decided", "better")}
        return cls(**{**known, **ends, "best": words.get(values["best"], values["best"])})

    @property
    def row(self) -> dict[str, Any]:
        """One line of a table, without the values of the single runs."""
        values = self.plain()
        low, high = self.interval or (None, None)
        values |= {"first mean": self.means[0], "second mean": self.means[1], "low": low, "high": high}
        values |= {"first seeds": self.seeds[0], "second seeds": self.seeds[1]}
        return {name: value for name, value in values.items() if name not in ("first", "second", "means", "interval")}


def _ends(values: Sequence[float] | None) -> Ends | None:
    return None if values is None else (values[0], values[1])

"""Panels: two experiments with several seeds each, every training of one against every training of the other."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float64

from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.meetings import Meetings, meetings
from agon.arena.ratings.twoway import MOST, half_width, seeds_needed, spreads
from agon.errors import DataError
from agon.figures.numbers import number
from agon.metrics.differences import Noise
from agon.metrics.intervals import NORMAL


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What S x S battles of two contestants say.

    Attributes:
        first: a contestant.
        second: another.
        effect: mean over pairs of trainings of logit a(first's generator, second's critic) - logit a(second's
            generator, first's critic); above 0 if first's generators fool second's critics more than second's fool
            first's.
        interval: the effect's 95 % interval.
        seeds: number of trainings of the first and of the second.
        covers: "seeds" if the interval says what other seeds would give, "samples" if it holds for these two trainings.
        needed: the least number of seeds of each that would decide it, if effect and spreads stay as they are; None if
            it is decided, or if no number up to `MOST` or nothing is known of the spreads.
    """

    first: str
    second: str
    effect: float
    interval: tuple[float, float]
    seeds: tuple[int, int]
    covers: Noise
    needed: int | None = None

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return not self.interval[0] <= 0 <= self.interval[1]

    @property
    def better(self) -> str | None:
        """The contestant that wins; None if it is undecided."""
        return None if not self.decided else self.first if self.effect > 0 else self.second

    def mirrored(self) -> "Panel":
        """The same with the sides exchanged."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            effect=-self.effect,
            interval=(-self.interval[1], -self.interval[0]),
            seeds=(self.seeds[1], self.seeds[0]),
        )

    def sentence(self) -> str:
        """Say who is better and how surely, and how many seeds would decide it if nobody is."""
        panel = self.mirrored() if self.effect < 0 else self
        low, high = (number(end, 2) for end in panel.interval)
        size = f"{number(panel.effect, 2)} logits, 95 % interval [{low}, {high}]"
        if not panel.decided:
            ahead = f"{panel.first} is ahead by" if panel.effect else "the difference is"
            return (
                f"{self.first} and {self.second} cannot be told apart: {ahead} {size}, {panel._covered()}"
                f"{panel._advice()}."
            )
        return (
            f"{panel.first} is better than {panel.second}: its generators fool the other's critics more than the "
            f"other's fool its own, by {size}, {panel._covered()}."
        )

    def _covered(self) -> str:
        if self.covers == "samples":
            return "for these two trainings only, other seeds may say otherwise"
        borrowed = ", the spread of the one seed taken from the other side" if 1 in self.seeds else ""
        return f"over {self.seeds[0]} x {self.seeds[1]} trainings{borrowed}"

    def _advice(self) -> str:
        if self.covers == "samples":
            return "; train 3 seeds or more of each"
        if self.needed is None:
            return f"; {MOST:,} seeds of each would not decide it"
        return f"; about {self.needed:,} seeds of each would decide it if effect and spread stay so"

    def plain(self) -> dict[str, Any]:
        """The panel as JSON values."""
        return asdict(self)

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "Panel":
        """The panel of `plain`, or of the JSON that was made of it."""
        return cls(**{**values, **{name: tuple(values[name]) for name in ("interval", "seeds")}})


def panel(matrix: AreaMatrix, first: str, second: str) -> Panel:
    """Fight two contestants, each training of one against each of the other.

    With x_st = logit a(first's generator s, second's critic t) - logit a(second's generator t, first's critic s), the
    effect is the mean of x over S x T pairs of trainings, and its interval is that of `twoway.half_width`,
    never narrower than the samples' noise alone makes it. If one side has a single training, its spread is taken from
    the other.

    Exchanging first and second gives exactly the mirrored panel.

    Args:
        matrix: all meetings of the two; others are not looked at.
        first: a contestant with a generator and a critic in each training that is counted.
        second: another.

    Raises:
        DataError: a contestant has no training with both, or a meeting is missing.
    """
    return _panel(matrix, meetings(matrix), first, second)


def panels(matrix: AreaMatrix) -> list[Panel]:
    """The panels of all pairs of contestants that can fight, by name."""
    met, found = meetings(matrix), []
    for first, second in combinations(sorted(set(matrix.contestants.values())), 2):
        if _can_fight(matrix, met, first, second):
            found.append(_panel(matrix, met, first, second))
    return found


def _panel(matrix: AreaMatrix, met: Meetings, first: str, second: str) -> Panel:
    if first > second:
        return _panel(matrix, met, second, first).mirrored()
    _check(matrix, met, first, second)
    rows, columns = _trainings(matrix, first), _trainings(matrix, second)
    there, back = _cells(matrix, met.logits, rows, columns), _cells(matrix, met.logits, columns, rows)
    x = there - back.T
    effect, seeds = float(x.mean()), (len(rows), len(columns))
    errors = [_of_samples(_cells(matrix, met.errors, *of)) for of in ((rows, columns), (columns, rows))]
    half, needed = NORMAL * math.hypot(*errors), None
    if max(seeds) > 1:
        half = max(half, half_width(x))
    if max(seeds) > 1 and half >= abs(effect):
        samples = sum(size * error**2 for size, error in zip(seeds, errors, strict=True))
        needed = seeds_needed(effect, *spreads(x), samples=samples, more_than=min(seeds))
    return Panel(
        first=first,
        second=second,
        effect=effect,
        interval=(effect - half, effect + half),
        seeds=seeds,
        covers="seeds" if max(seeds) > 1 else "samples",
        needed=needed,
    )


def _of_samples(errors: Float64[np.ndarray, "s t"]) -> float:
    """Standard error of a mean by samples alone: those of one generator are the same for all critics."""
    return float(np.sqrt((errors.mean(1) ** 2).sum())) / len(errors)


def _trainings(matrix: AreaMatrix, contestant: str) -> list[str]:
    """The trainings of a contestant that have both a generator and a critic."""
    both = set(matrix.generators) & set(matrix.critics)
    return sorted(entrant for entrant in matrix.seeds_of(contestant) if entrant in both)


def _cells(
    matrix: AreaMatrix, values: Float64[np.ndarray, "g c"], generators: Sequence[str], critics: Sequence[str]
) -> Float64[np.ndarray, "s t"]:
    rows, columns = [matrix.generators.index(name) for name in generators], [matrix.critics.index(n) for n in critics]
    cells: Float64[np.ndarray, "s t"] = values[np.ix_(rows, columns)]
    return cells


def _can_fight(matrix: AreaMatrix, met: Meetings, first: str, second: str) -> bool:
    try:
        _check(matrix, met, first, second)
    except DataError:
        return False
    return True


def _check(matrix: AreaMatrix, met: Meetings, first: str, second: str) -> None:
    sides = [_trainings(matrix, name) for name in (first, second)]
    for name, side in zip((first, second), sides, strict=True):
        if not side:
            raise DataError(
                f"a panel of {first} and {second}: expected generators and critics of both, {name} lacks one"
            )
    if first == second:
        raise DataError(f"a panel of {first}: expected two contestants, got one twice")
    there, back = (_cells(matrix, met.logits, one, other) for one, other in (sides, sides[::-1]))
    missing = int(np.isnan(there).sum() + np.isnan(back).sum())
    if missing:
        raise DataError(
            f"a panel of {first} and {second}: expected all {2 * there.size} meetings, {missing} are missing"
        )

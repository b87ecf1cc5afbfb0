"""Values with intervals in rows: the scale that ratings and paired differences are drawn on."""

import math
from collections.abc import Sequence
from typing import NamedTuple

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)  # between two ticks, times a power of ten


class Whisker(NamedTuple):
    """A row: its name, a value, and its interval.

    Attributes:
        name: text on its left.
        value: where its dot is.
        low: lower end of the interval; None if nothing is known of it.
        high: upper end.
        seeds: whether the interval covers other trainings; if not, it holds for the samples of one training alone.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    seeds: bool = True


class Axis(NamedTuple):
    """The range that all rows share, and its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value is, from 0 to 1, held within the range.

        >>> Axis(-1.0, 1.0, ()).place(0.5)
        0.75
        """
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def axis(rows: Sequence[Whisker], most: int = 5) -> Axis:
    """Make an axis that holds 0, all values and all intervals, with a margin.

    Args:
        rows: values and intervals, all finite.
        most: most ticks, about.

    >>> axis([Whisker("a", 1.0, 0.5, 1.5), Whisker("b", -1.0)]).ticks
    (-1.0, 0.0, 1.0)
    """
    ends = [0.0, *(end for row in rows for end in (row.value, row.low, row.high) if end is not None)]
    low, high = min(ends), max(ends)
    margin = 0.06 * (high - low) or 1.0
    low, high = low - margin, high + margin
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in STEPS if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return Axis(low, high, tuple(round(index * step, 12) for index in range(first, last + 1)))

"""Timing that other work on the machine disturbs least: two sides in turns, and medians of ratios."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

SURE, TOLD = 0.99, 0.95  # of the interval that ends a comparison, which is looked at often, and of the one that is told
Timer = Callable[[int], float]  # the seconds of so many steps


class Compared(NamedTuple):
    """Two sides, measured in turns.

    Attributes:
        ours, theirs: median milliseconds a step.
        ratio: median of ours / theirs over the rounds.
        low, high: 95 % interval of that median, by the bootstrap.
        rounds: how many pairs were measured.
    """

    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    rounds: int

    @property
    def interval(self) -> str:
        """As tables write it."""
        return f"{self.low:.3f}-{self.high:.3f}"


@dataclass(frozen=True)
class Rounds:
    """How long two sides are compared: until it is clear on which side of its bound the ratio is.

    Attributes:
        most: rounds at most.
        steps: of each side in a round.
        bound: of ours / theirs; None if there is none.
        least: rounds that are made before the bound ends them.
        seconds: that the rounds may take together: none begins that would not end in time, but for the first.
    """

    most: int
    steps: int = 1
    bound: float | None = None
    least: int = 8
    seconds: float = float("inf")

    def enough(self, ratios: Sequence[float], spent: float) -> bool:
        """Whether no further round is needed, or none may be made.

        Args:
            ratios: of the rounds so far.
            spent: seconds that they took.
        """
        made = len(ratios)
        if made >= self.most or (made and spent * (made + 1) / made > self.seconds):
            return True
        if self.bound is None or made < self.least:
            return False
        low, high = interval(np.array(ratios), share=SURE)
        return high < self.bound or low > self.bound

    def __str__(self) -> str:
        rounds = f"{self.most} rounds" if self.most > 1 else "1 round"
        steps = f" of {self.steps} steps each" if self.steps > 1 else ""
        ends = [f"a {100 * SURE:.0f} % interval of the ratio lies on one side of the bound"] * (self.bound is not None)
        ends += [f"they have taken {self.seconds:.0f} s"] * (self.seconds < float("inf"))
        early = f", and fewer as soon as {' or '.join(ends)}" if ends and self.most > 1 else ""
        return f"at most {rounds}{steps}{early}" if early else f"{rounds}{steps}"


def compared(ours: Callable[[], object], theirs: Callable[[], object], rounds: Rounds, warm: int = 3) -> Compared:
    """Run both by turns in this process, in alternating order, and compare round by round."""
    for side in (ours, theirs):
        seconds(side, warm)
    return by_turns(partial(seconds, ours), partial(seconds, theirs), rounds)


def by_turns(ours: Timer, theirs: Timer, rounds: Rounds) -> Compared:
    """As `compared`, of sides that time themselves."""
    pairs: list[tuple[float, float]] = []
    ratios: list[float] = []
    began = time.perf_counter()
    while not rounds.enough(ratios, time.perf_counter() - began):
        first, second = (ours, theirs) if len(pairs) % 2 == 0 else (theirs, ours)
        one, other = first(rounds.steps), second(rounds.steps)
        pairs.append((one, other) if len(pairs) % 2 == 0 else (other, one))
        ratios.append(pairs[-1][0] / pairs[-1][1])
    mine, others = (1000 / rounds.steps * statistics.median(side) for side in zip(*pairs, strict=True))
    return Compared(mine, others, statistics.median(ratios), *interval(np.array(ratios)), len(pairs))


def seconds(call: Callable[[], object], times: int) -> float:
    """Wall time of `times` calls, a GPU's work included."""
    wait()
    began = time.perf_counter()
    for _ in range(times):
        call()
    wait()
    return time.perf_counter() - began


def interval(values: np.ndarray, resamples: int = 2_000, share: float = TOLD) -> tuple[float, float]:
    """Bootstrap interval of the median that holds this share."""
    drawn = np.random.default_rng(0).choice(values, (resamples, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def wait() -> None:
    """Return when a GPU has nothing left to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()

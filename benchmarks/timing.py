"""Timing that other work on the machine disturbs least: two sides in turns, and medians of ratios."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch


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


def compared(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int, steps: int, warm: int = 3
) -> Compared:
    """Run both by turns, `steps` at a time, in alternating order, and compare round by round."""
    for side in (ours, theirs):
        seconds(side, warm)
    pairs = []
    for each in range(rounds):
        first, second = (ours, theirs) if each % 2 == 0 else (theirs, ours)
        one, two = seconds(first, steps), seconds(second, steps)
        pairs.append((one, two) if each % 2 == 0 else (two, one))
    ratios = np.array([mine / others for mine, others in pairs])
    milliseconds = [1000 / steps * statistics.median(side) for side in zip(*pairs, strict=True)]
    return Compared(*milliseconds, float(np.median(ratios)), *interval(ratios), rounds)


def seconds(call: Callable[[], object], times: int) -> float:
    """Wall time of `times` calls, a GPU's work included."""
    wait()
    began = time.perf_counter()
    for _ in range(times):
        call()
    wait()
    return time.perf_counter() - began


def interval(values: np.ndarray, resamples: int = 2_000) -> tuple[float, float]:
    """95 % bootstrap interval of the median."""
    drawn = np.random.default_rng(0).choice(values, (resamples, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(low), float(high)


def wait() -> None:
    """Return when a GPU has nothing left to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()

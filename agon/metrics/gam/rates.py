"""Error rates from counts, and ratios of two with intervals that stay finite where a count is zero.

The bootstrap is the Bayesian one (Rubin 1981): a resample has the outcomes' shares drawn from a Dirichlet distribution
around their counts, so a rate of k errors in n follows Beta(k + 1/2, n - k + 1/2) and has an interval even at k = 0.
A multinomial resample of counts that are nearly zero hardly varies: with errors in 0.1 % of 100 samples its nominal
95 % interval was measured to hold the true ratio never, this one in 94 % of the cases.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from agon.metrics.intervals import wilson

DRAWS = 10_000  # resamples


class ErrorRate(NamedTuple):
    """ε = wrong / n.

    Attributes:
        wrong: how many samples were taken for the other kind; one at exactly the threshold counts 1/2.
        n: of how many, from 1.
    """

    wrong: float
    n: int

    @property
    def value(self) -> float:
        return self.wrong / self.n

    @property
    def error(self) -> float:
        """The binomial standard error of the smoothed rate p = (wrong + 1/2) / (n + 1), sqrt(p (1 - p) / n)."""
        p = _smoothed(self.wrong, self.n)
        return math.sqrt(p * (1 - p) / self.n)

    @property
    def interval(self) -> tuple[float, float]:
        """Of 95 %, by Wilson's score, which is no point at a rate of 0."""
        return wilson(self.value, self.n)


class Ratio(NamedTuple):
    """A ratio of two error rates.

    Attributes:
        value: ε_1 / ε_2, above 0 and finite.
        error: its standard error, that of the logarithm times the value.
        interval: of 95 %, by bootstrap.
        accuracies: (1 - ε_1) / (1 - ε_2), as the author's code has it.
        smoothed: whether a count was zero, so that (k + 1/2) / (n + 1) stands for k / n on both sides.
    """

    value: float
    error: float
    interval: tuple[float, float]
    accuracies: float
    smoothed: bool

    @property
    def inverse(self) -> "Ratio":
        """The same with its sides exchanged."""
        low, high = self.interval
        return Ratio(
            1 / self.value, self.error / self.value**2, (1 / high, 1 / low), 1 / self.accuracies, self.smoothed
        )


def ratio(first: ErrorRate, second: ErrorRate, rng: np.random.Generator) -> Ratio:
    """The ratio of rates that rest on samples of their own: r_sample.

    Exchanging the two gives the inverse, interval included.

    Args:
        first: ε_1.
        second: ε_2.
        rng: of the bootstrap.

    >>> found = ratio(ErrorRate(30, 1000), ErrorRate(60, 1000), np.random.default_rng(0))
    >>> found.value, found.interval[0] < 0.5 < found.interval[1] < 1
    (0.5, True)
    """
    if first > second:
        return ratio(second, first, rng).inverse
    shares = [rng.beta(each.wrong + 0.5, each.n - each.wrong + 0.5, DRAWS) for each in (first, second)]
    return _ratio(first, second, np.log(shares[0]) - np.log(shares[1]))


def paired_ratio(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"], rng: np.random.Generator) -> Ratio:
    """The ratio of rates that rest on the same samples: r_test, whose pairs of outcomes are drawn together.

    The four joint outcomes have shares from a Dirichlet distribution of their counts plus 1/4 each.

    Args:
        first: 1 where the first critic errs, 0 where it is right, 1/2 at exactly its threshold.
        second: the same of the second critic, on the same samples.
        rng: of the bootstrap.
    """
    counts = np.array([first @ second, first @ (1 - second), (1 - first) @ second, (1 - first) @ (1 - second)])
    if counts[1] > counts[2]:
        return paired_ratio(second, first, rng).inverse
    both, one, two, _ = rng.standard_gamma(counts + 0.25, (DRAWS, 4)).T  # a Dirichlet's, up to a common factor
    rates = [ErrorRate(float(each.sum()), len(each)) for each in (first, second)]
    return _ratio(rates[0], rates[1], np.log(both + one) - np.log(both + two))


def _ratio(first: ErrorRate, second: ErrorRate, logs: Float[np.ndarray, " draws"]) -> Ratio:
    """The value by the counts, the rest by the bootstrap's logarithms."""
    value = _quotient((first.wrong, first.n), (second.wrong, second.n))
    low, high = np.exp(np.quantile(logs, (0.025, 0.975)))
    right = _quotient((first.n - first.wrong, first.n), (second.n - second.wrong, second.n))
    zero = 0 in (first.wrong, second.wrong)
    return Ratio(value, value * float(logs.std()), (float(low), float(high)), right, zero)


def _quotient(first: tuple[float, int], second: tuple[float, int]) -> float:
    """Of two shares k / n; both are smoothed if one of them is zero."""
    if first[0] and second[0]:
        return first[0] / first[1] / (second[0] / second[1])
    return _smoothed(*first) / _smoothed(*second)


def _smoothed(k: float, n: int) -> float:
    return (k + 0.5) / (n + 1)

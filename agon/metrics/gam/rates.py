"""Error rates from counts, and ratios of two with intervals that stay finite where a count is zero.

The bootstrap is Bayesian (Rubin 1981): a resample draws the outcomes' shares from a Dirichlet distribution around their
counts. So a rate of k errors in n follows Beta(k + 1/2, n - k + 1/2), and has an interval even at k = 0. Multinomial
resamples of counts near zero hardly vary: with errors in 0.1 % of 100 samples their nominal 95 % interval never
contained the true ratio in our measurement, while this one did in 94 % of the cases.
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
        wrong: the number of misjudged samples; one exactly at the threshold counts 1/2.
        n: the number of samples, from 1.
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
        """Wilson's 95 % interval, which has a width even at a rate of 0."""
        return wilson(self.value, self.n)


class Ratio(NamedTuple):
    """A ratio of two error rates.

    Attributes:
        value: ε_1 / ε_2, above 0 and finite.
        error: its standard error: the logarithm's standard error times the value.
        interval: its 95 % interval, by bootstrap.
        accuracies: (1 - ε_1) / (1 - ε_2), which the author's code uses.
        smoothed: whether a count was zero, so that (k + 1/2) / (n + 1) replaces k / n on both sides.
    """

    value: float
    error: float
    interval: tuple[float, float]
    accuracies: float
    smoothed: bool

    @property
    def inverse(self) -> "Ratio":
        """The ratio with its sides exchanged."""
        low, high = self.interval
        return Ratio(
            1 / self.value, self.error / self.value**2, (1 / high, 1 / low), 1 / self.accuracies, self.smoothed
        )


def ratio(first: ErrorRate, second: ErrorRate, rng: np.random.Generator) -> Ratio:
    """The ratio of two rates on independent samples: r_sample.

    Exchanging the two rates gives the inverse, interval included.

    Args:
        first: ε_1.
        second: ε_2.
        rng: draws the bootstrap.

    >>> r = ratio(ErrorRate(30, 1000), ErrorRate(60, 1000), np.random.default_rng(0))
    >>> r.value, r.interval[0] < 0.5 < r.interval[1] < 1
    (0.5, True)
    """
    if first > second:
        return ratio(second, first, rng).inverse
    shares = [rng.beta(rate.wrong + 0.5, rate.n - rate.wrong + 0.5, DRAWS) for rate in (first, second)]
    return _ratio(first, second, np.log(shares[0]) - np.log(shares[1]))


def paired_ratio(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"], rng: np.random.Generator) -> Ratio:
    """The ratio of two rates on the same samples: r_test. Its bootstrap draws pairs of outcomes together.

    The shares of the four joint outcomes follow a Dirichlet distribution of their counts plus 1/4 each.

    Args:
        first: 1 for each sample that the first critic gets wrong, 0 for each it gets right, 1/2 at its threshold.
        second: the same for the second critic, on the same samples.
        rng: draws the bootstrap.
    """
    counts = np.array([first @ second, first @ (1 - second), (1 - first) @ second, (1 - first) @ (1 - second)])
    if counts[1] > counts[2]:
        return paired_ratio(second, first, rng).inverse
    both, only_first, only_second, _ = rng.standard_gamma(
        counts + 0.25, (DRAWS, 4)
    ).T  # a Dirichlet's, up to a common factor
    rates = [ErrorRate(float(outcomes.sum()), len(outcomes)) for outcomes in (first, second)]
    return _ratio(rates[0], rates[1], np.log(both + only_first) - np.log(both + only_second))


def _ratio(first: ErrorRate, second: ErrorRate, logs: Float[np.ndarray, " draws"]) -> Ratio:
    """The value from the counts, its error and interval from the bootstrap's log ratios.

    Of equal rates each draw counts on both sides, so that their ratio is its own inverse.
    """
    if first == second:
        logs = np.concatenate([logs, -logs])
    value = _quotient((first.wrong, first.n), (second.wrong, second.n))
    low, high = np.exp(np.quantile(logs, (0.025, 0.975)))
    right = _quotient((first.n - first.wrong, first.n), (second.n - second.wrong, second.n))
    zero = 0 in (first.wrong, second.wrong)
    return Ratio(value, value * float(logs.std()), (float(low), float(high)), right, zero)


def _quotient(first: tuple[float, int], second: tuple[float, int]) -> float:
    """The quotient of two shares k / n; both are smoothed if one of them is zero."""
    if first[0] and second[0]:
        return first[0] / first[1] / (second[0] / second[1])
    return _smoothed(*first) / _smoothed(*second)


def _smoothed(k: float, n: int) -> float:
    return (k + 0.5) / (n + 1)

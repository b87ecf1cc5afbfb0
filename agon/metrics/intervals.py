"""95 % intervals: of shares and means of samples, as Scores with standard errors, and of means over seeds."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor

from agon.errors import require
from agon.metrics.score import Score

LEVEL = 0.95
NORMAL = 1.959963984540054  # so many standard errors to either side of a mean hold 95 %


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of n independent samples, within [0, 1] and never empty.

    It holds every p with |share - p| <= z sqrt(p (1 - p) / n), where z is the normal quantile. Source: Wilson 1927.

    Args:
        share: 0 to 1.
        n: above 0; an effective number of samples need not be whole.

    Returns:
        The interval's lower and upper end.

    >>> tuple(round(end, 4) for end in wilson(1.0, 100))
    (0.963, 1.0)
    """
    z = NORMAL**2 / n
    middle = (share + z / 2) / (1 + z)
    half = math.sqrt(z * (share * (1 - share) + z / 4)) / (1 + z)
    return max(0.0, middle - half), min(1.0, middle + half)


def share_error(share: float, n: float) -> float:
    """The binomial standard error √(p (1 - p) / n) of a share of n independent samples.

    By it a share of 0 or 1 would be known exactly; there it is half of Wilson's interval over the normal quantile.

    Args:
        share: 0 to 1.
        n: above 0; an effective number of samples need not be whole.

    >>> round(share_error(0.5, 100), 3), round(share_error(1.0, 100), 3)
    (0.05, 0.009)
    """
    if 0 < share < 1:
        return math.sqrt(share * (1 - share) / n)
    low, high = wilson(share, n)
    return (high - low) / (2 * NORMAL)


def share_score(
    name: str,
    hits: Bool[Tensor, " n"],
    protocol: str,
    *,
    n: int,
    n_real: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Score:
    """The share of hits, with its standard error (`share_error`) and Wilson's interval.

    Args:
        name: of the score.
        hits: whether each sample counts; at least 1.
        protocol: what was counted, in words.
        n: the number of generated samples behind the score.
        n_real: the number of real samples; None if the score needs none.
        detail: further plain values.
    """
    share = float(hits.double().mean())
    return Score(
        name=name,
        value=share,
        error=share_error(share, len(hits)),
        interval=wilson(share, len(hits)),
        n=n,
        n_real=n_real,
        protocol=protocol,
        detail=detail or {},
    )


def mean_score(
    name: str,
    values: Float[Tensor, " n"],
    protocol: str,
    *,
    n: int,
    n_real: int | None = None,
    bounds: tuple[float, float] = (0.0, math.inf),
    detail: Mapping[str, Any] | None = None,
) -> Score:
    """The mean, with the standard error s / sqrt(n) and a normal interval clipped to the bounds.

    A single value has neither an error nor an interval.

    Args:
        name: of the score.
        values: one for each sample, within the bounds; at least 1.
        protocol: what was averaged, in words.
        n: the number of generated samples behind the score.
        n_real: the number of real samples; None if the score needs none.
        bounds: the least and the greatest possible mean.
        detail: further plain values.

    >>> import torch
    >>> mean_score("x", torch.tensor([1.0, 3.0]), "a mean", n=2, bounds=(1.0, 3.0)).interval
    (1.0, 3.0)
    """
    values, (low, high) = values.double(), bounds
    mean, error, interval = float(values.mean()), None, None
    if len(values) > 1:
        error = float(values.std()) / math.sqrt(len(values))
        interval = (max(low, mean - NORMAL * error), min(high, mean + NORMAL * error))
    return Score(
        name=name,
        value=mean,
        error=error,
        interval=interval,
        n=n,
        n_real=n_real,
        protocol=protocol,
        detail=detail or {},
    )


def mean_of_scores(scores: Sequence[Score]) -> Score:
    """The mean of independent scores of one name and of equal n, with the standard error √(Σ e_i²) / count.

    Args:
        scores: of one generator each, at least 1; one without an error counts as exact.

    >>> one, two = (Score(name="x", value=value, error=0.3, n=10, protocol="p") for value in (1.0, 2.0))
    >>> mean_of_scores([one, two]).value
    1.5
    """
    first, count = scores[0], len(scores)
    return Score(
        name=first.name,
        value=sum(score.value for score in scores) / count,
        error=math.sqrt(sum((score.error or 0.0) ** 2 for score in scores)) / count,
        n=sum(score.n for score in scores),
        protocol=f"{first.protocol}; mean over {count} generators",
    )


class Interval(NamedTuple):
    """A mean over seeds.

    Attributes:
        mean: mean of the values.
        deviation: their standard deviation; None for a single value.
        half: half the width of the mean's 95 % interval; None for a single value or if a value is not finite.
    """

    mean: float
    deviation: float | None
    half: float | None


def mean_value(values: Sequence[float]) -> float:
    """The mean of numbers that need not be finite; not a number where infinities of both signs are among them.

    >>> mean_value([1.0, 2.0]), mean_value([1.0, math.inf]), mean_value([math.inf, -math.inf])
    (1.5, inf, nan)
    """
    return fmean(values) if all(map(math.isfinite, values)) else sum(values) / len(values)


def interval(values: Sequence[float]) -> Interval:
    """Compute the mean, the standard deviation, and half the width of the mean's 95 % interval (Student's t).

    >>> mean, deviation, half = interval([1.0, 2.0, 3.0])
    >>> mean, deviation, round(half, 3)
    (2.0, 1.0, 2.484)
    """
    require("scipy")
    from scipy.special import stdtrit

    n = len(values)
    if n < 2 or not all(map(math.isfinite, values)):
        return Interval(mean_value(values), None, None)
    deviation = stdev(values)
    factor = float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return Interval(fmean(values), deviation, factor * deviation / math.sqrt(n))


def around(value: float, error: float | None) -> tuple[float, float] | None:
    """The 95 % interval of a value by its standard error; None if that is not known.

    >>> around(1.0, 0.0), around(1.0, None)
    ((1.0, 1.0), None)
    """
    return None if error is None else (value - NORMAL * error, value + NORMAL * error)


def over_seeds(
    values: Sequence[float],
    own: Sequence[tuple[float, float] | None],
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> tuple[float, float] | None:
    """The 95 % interval of a mean over seeds, never narrower than the measurements of the seeds make it.

    To each side it reaches as far as Student's interval of the values, or as far as the independent intervals of the
    seeds do together, √(Σ reach_i²) / n, whichever is further: three seeds that all measure a share of 1 with an
    interval from 0.4 know it no better than that. It ends at the score's bounds.

    Args:
        values: one for each seed.
        own: the interval of each seed's measurement; None counts as exact.
        bounds: the least and the greatest value that the score can have.

    Returns:
        The ends; None for a single value or if a value is not finite.

    >>> over_seeds([1.0, 1.0], [(0.4, 1.0), (0.4, 1.0)], (0.0, 1.0))
    (0.5757359312880714, 1.0)
    """
    mean, _, half = interval(values)
    if half is None:
        return None
    known = [ends if ends is not None else (value, value) for value, ends in zip(values, own, strict=True)]
    below, above = (
        math.sqrt(sum((value - ends[side]) ** 2 for value, ends in zip(values, known, strict=True))) / len(values)
        for side in (0, 1)
    )
    return max(bounds[0], mean - max(half, below)), min(bounds[1], mean + max(half, above))

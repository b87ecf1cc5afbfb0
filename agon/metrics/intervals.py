"""Shares and means of samples as Scores, with their errors and intervals."""

import math

from jaxtyping import Bool, Float
from torch import Tensor

from agon.metrics.score import Score

NORMAL = 1.959963984540054  # standard errors to either side of a mean hold 95 %


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of n independent samples, within [0, 1] and never empty.

    It is the p with |share - p| <= z sqrt(p (1 - p) / n), z the normal quantile. Source: Wilson 1927.

    Args:
        share: 0 to 1.
        n: above 0; not whole where samples depend on one another and count as fewer.

    >>> tuple(round(end, 4) for end in wilson(1.0, 100))
    (0.963, 1.0)
    """
    z = NORMAL**2 / n
    middle = (share + z / 2) / (1 + z)
    half = math.sqrt(z * (share * (1 - share) + z / 4)) / (1 + z)
    return max(0.0, middle - half), min(1.0, middle + half)


def share_score(name: str, hits: Bool[Tensor, " n"], protocol: str, *, n: int, n_real: int) -> Score:
    """The share of hits, with its binomial standard error sqrt(p (1 - p) / n) and Wilson's interval.

    Args:
        name: of the score.
        hits: whether each sample counts.
        protocol: what was counted, in words.
        n: how many generated samples it rests on.
        n_real: how many real ones.
    """
    share = float(hits.double().mean())
    error = math.sqrt(share * (1 - share) / len(hits))
    interval = wilson(share, len(hits))
    return Score(name=name, value=share, error=error, interval=interval, n=n, n_real=n_real, protocol=protocol)


def mean_score(name: str, values: Float[Tensor, " n"], protocol: str, *, n: int, n_real: int) -> Score:
    """The mean, with the standard error s / sqrt(n) and the normal interval, not below 0.

    Args:
        name: of the score.
        values: of each sample, not negative; at least 2.
        protocol: what was averaged, in words.
        n: how many generated samples it rests on.
        n_real: how many real ones.
    """
    values = values.double()
    mean, error = float(values.mean()), float(values.std()) / math.sqrt(len(values))
    interval = (max(0.0, mean - NORMAL * error), mean + NORMAL * error)
    return Score(name=name, value=mean, error=error, interval=interval, n=n, n_real=n_real, protocol=protocol)

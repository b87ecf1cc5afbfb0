"""How far the shares of modes or classes among samples are from their true shares."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import NORMAL
from agon.metrics.score import Score

RESAMPLES = 1_000  # resamples of the counts for an interval
RARE = 50.0  # a kind with fewer expected samples gets its mean by a sum over all counts


def share_divergence(
    name: str, histogram: Int[Tensor, " k"], weights: Num[Tensor, " k"], protocol: str, n_real: int | None = None
) -> Score:
    """KL(h || w) = Σ h_k log(h_k / w_k), from 0 to max_k log 1/w_k nats: a histogram's shares h against the true w.

    n samples with the true shares get about (k - 1) / 2n on average, not 0; the detail "real" is their exact mean. The
    squared standard error is Var(log(h / w)) / n - (k - 1) / 2n², but at least (k - 1) / 2n², which is the variance
    at h = w.

    Args:
        name: of the score.
        histogram: the number of samples of each kind, at least 1 in total.
        weights: the true weight of each kind, above 0 for every kind that occurs; only their ratios matter.
        protocol: how kinds and weights were found, in words.
        n_real: the number of real samples behind the weights, if any.

    Raises:
        DataError: there are no samples, or a weight is negative, not finite, or 0 for a kind that occurs.
    """
    n, k = int(histogram.sum()), len(histogram)
    w = weights.double().cpu() / weights.double().sum().cpu()
    h = histogram.double().cpu() / max(n, 1)
    if n < 1 or not bool(((w >= 0) & ((w > 0) | (h == 0))).all()):
        raise DataError(
            f"{name}: expected at least 1 sample and a weight above 0 for each kind of sample, got {n} samples and "
            f"weights from {float(weights.min()):g}"
        )
    logs = torch.where(h > 0, h.clamp_min(1e-300).log() - w.clamp_min(1e-300).log(), 0.0)
    value = float((h * logs).sum())
    first = (float((h * logs.square()).sum()) - value**2) / n
    second = (k - 1) / (2 * n**2)
    error = math.sqrt(max(first - second, second))
    return Score(
        name=name,
        value=max(value, 0.0),
        error=error,
        interval=(max(value - NORMAL * error, 0.0), value + NORMAL * error),
        n=n,
        n_real=n_real,
        protocol=protocol,
        detail={"shares": histogram.tolist(), "real": expected_divergence(w, n)},
    )


def covered_interval(histogram: Int[Tensor, " k"], least: Float[Tensor, " k"], n: int) -> tuple[float, float]:
    """The 95 % interval of the number of covered kinds, by bootstrap: percentiles over resampled counts.

    Each of 1,000 resamples, under one seed, draws n samples with the observed shares of the kinds and of samples of no
    kind. A kind that only just passes is missed in some resamples, and one without samples never appears. So if many
    kinds have few samples, the interval lies low; it is extended to contain the observed number.

    Args:
        histogram: the number of samples of each kind, at most n in total.
        least: the number of samples from which each kind counts as covered, above 0.
        n: the number of samples, from 1.

    Returns:
        The interval's lower and upper end.

    Source: Efron 1979, "Bootstrap methods: another look at the jackknife".

    >>> covered_interval(torch.tensor([500, 480, 10, 0]), torch.full((4,), 10.0), 1000)
    (2.0, 3.0)
    """
    counts, enough = histogram.cpu().numpy(), least.cpu().numpy()
    shares = np.append(counts, n - counts.sum()) / n
    drawn = np.random.default_rng(0).multinomial(n, shares, size=RESAMPLES)[:, :-1]  # resamples k
    low, high = np.quantile((drawn >= enough).sum(axis=1), (0.025, 0.975), method="inverted_cdf")
    value = int((counts >= enough).sum())
    return float(min(low, value)), float(max(high, value))


def expected_divergence(weights: Float[Tensor, " k"], n: int) -> float:
    """E[KL(h || w)] = Σ E[h log(h / w)] in nats, for the shares h of n samples drawn with the true shares w.

    n·h_k is binomial. For a kind with fewer than 50 expected samples the function sums over all counts that occur; for
    the others it uses the Taylor series up to 1/n², (1 - w) / 2n + (1/w - w) / 12n².

    Args:
        weights: w, float64, with sum 1.
        n: the number of samples, from 1.

    >>> round(expected_divergence(torch.full((10,), 0.1, dtype=torch.float64), 1000), 5)
    0.00451
    """
    w = weights[weights > 0]
    rare, often = w[w * n < RARE], w[w * n >= RARE]
    divergence = ((1 - often) / (2 * n) + (1 / often - often) / (12 * n**2)).sum()
    if len(rare):
        most = min(n, math.ceil(RARE + 12 * math.sqrt(RARE)))
        counts = torch.arange(1, most + 1, dtype=torch.float64)
        total = torch.tensor(float(n), dtype=torch.float64)
        choose = torch.lgamma(total + 1) - torch.lgamma(counts + 1) - torch.lgamma(total - counts + 1)
        p, q = rare[:, None].log(), torch.log1p(-rare[:, None])
        chance = (choose + counts * p + torch.where(counts < n, (n - counts) * q, 0.0)).exp()  # k most
        divergence = divergence + (chance * (counts / n) * ((counts / n).log() - p)).sum()
    return float(divergence)

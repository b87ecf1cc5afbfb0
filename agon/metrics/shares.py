"""How far the shares of samples in kinds (modes, classes) are from the shares that they should have."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import NORMAL
from agon.metrics.score import Score

RESAMPLES = 1_000  # of the counts, for an interval
RARE = 50.0  # expected samples of a kind under which its part of the mean is summed over all counts


def share_divergence(
    name: str, histogram: Int[Tensor, " k"], weights: Num[Tensor, " k"], protocol: str, n_real: int | None = None
) -> Score:
    """KL(h || w) = Σ h_k log(h_k / w_k) in nats of a histogram's shares h from the true ones w, 0 to max_k log 1/w_k.

    n samples of the true shares have a mean of about (k - 1) / 2n, not 0; exactly, the detail has it as "real". The
    standard error is the root of Var(log(h / w)) / n - (k - 1) / 2n², and of no less than (k - 1) / 2n², which is
    what is left of the variance where h = w.

    Args:
        name: of the score.
        histogram: how many samples there are of each kind; at least 1 in all.
        weights: of each kind, above 0 for each that a sample has; their sum does not matter.
        protocol: in words.
        n_real: how many real samples the weights rest on, where they do.

    Raises:
        DataError: no samples, or weights that are not finite, negative, or 0 for a kind that a sample has.
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


def found_interval(histogram: Int[Tensor, " k"], least: Float[Tensor, " k"], n: int) -> tuple[float, float]:
    """The 95 % interval of the number of kinds that are found, by bootstrap: percentiles over resampled counts.

    n samples are drawn anew with the observed shares of the kinds and of what is of none, 1,000 times under one seed. A
    resample finds what is found by a narrow margin less often, and nothing that no sample was of; so where many kinds
    have few samples it lies low, and then reaches up to the number that was found, no further.

    Args:
        histogram: how many samples there are of each kind, n or fewer in all.
        least: from how many on a kind counts as found, above 0.
        n: samples, from 1.

    Source: Efron 1979, "Bootstrap methods: another look at the jackknife".

    >>> found_interval(torch.tensor([500, 480, 10, 0]), torch.full((4,), 10.0), 1000)
    (2.0, 3.0)
    """
    counts, enough = histogram.cpu().numpy(), least.cpu().numpy()
    shares = np.append(counts, n - counts.sum()) / n
    drawn = np.random.default_rng(0).multinomial(n, shares, size=RESAMPLES)[:, :-1]  # resamples k
    low, high = np.quantile((drawn >= enough).sum(axis=1), (0.025, 0.975), method="inverted_cdf")
    value = int((counts >= enough).sum())
    return float(min(low, value)), float(max(high, value))


def expected_divergence(weights: Float[Tensor, " k"], n: int) -> float:
    """E[KL(h || w)] of the shares h of n samples of the true ones w: Σ E[h log(h / w)], n·h_k binomial.

    For kinds of which under 50 samples are expected it is summed over all counts that occur; for the others it is
    (1 - w) / 2n + (1/w - w) / 12n², Taylor's series up to 1/n².

    Args:
        weights: that sum to 1, float64.
        n: samples, from 1.

    >>> round(expected_divergence(torch.full((10,), 0.1, dtype=torch.float64), 1000), 5)
    0.00451
    """
    w = weights[weights > 0]
    rare, often = w[w * n < RARE], w[w * n >= RARE]
    told = ((1 - often) / (2 * n) + (1 / often - often) / (12 * n**2)).sum()
    if len(rare):
        most = min(n, math.ceil(RARE + 12 * math.sqrt(RARE)))
        counts = torch.arange(1, most + 1, dtype=torch.float64)
        total = torch.tensor(float(n), dtype=torch.float64)
        choose = torch.lgamma(total + 1) - torch.lgamma(counts + 1) - torch.lgamma(total - counts + 1)
        p, q = rare[:, None].log(), torch.log1p(-rare[:, None])
        chance = (choose + counts * p + torch.where(counts < n, (n - counts) * q, 0.0)).exp()  # k most
        told = told + (chance * (counts / n) * ((counts / n).log() - p)).sum()
    return float(told)

"""The Inception score: is a classifier sure of each sample, and do the samples differ from each other?"""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import DataError, SettingError, require
from agon.metrics.moments import doubles
from agon.metrics.score import Score

BLOCK = 1024  # rows that are in memory in float64 at a time
SUM = 1e-3  # how far a row's sum may differ from 1
TINY = 1e-300  # below any mean probability that matters


def inception_score(probabilities: Float[Tensor, "n k"], splits: int = 10) -> Score:
    """The Inception score, exp E KL(p(y|x) || p(y)), averaged over consecutive splits; 1 to k, higher is better.

    Each split uses its own p(y) = E p(y|x). Split i holds the samples from i·n/splits to (i + 1)·n/splits, rounded
    down, in the order given. Shuffle the samples first: samples sorted by class get lower scores. Smaller splits also
    score lower, so compare values at equal n and equal splits only.

    The error is the standard error over splits, with Student's interval. The "±" that papers print is the standard
    deviation over splits; that is the detail "deviation". A single split has neither.
    Memory: 3 `BLOCK` rows in float64; the score does not depend on `BLOCK` beyond 1e-12.

    Args:
        probabilities: p(y|x) of each sample: not negative, each row sums to 1.
        splits: 1 to n.

    Returns:
        "inception-score", with an error and an interval if there are 2 splits or more.

    Raises:
        DataError: there are fewer samples than splits, or a row is not a distribution.
        SettingError: `splits` is below 1.

    Source: Salimans et al. 2016, section 4; yamazaki2017, equation 4.1.

    >>> round(inception_score(torch.eye(5).repeat(4, 1), splits=2).value, 9)
    5.0
    """
    n, k = probabilities.shape
    if splits < 1:
        raise SettingError(f"Inception score: expected at least 1 split, got {splits}")
    if n < splits or not k:
        raise DataError(
            f"Inception score: expected at least {splits} samples for {splits} splits, got {n} of {k} classes"
        )
    _expect_distributions(probabilities)
    bounds = [i * n // splits for i in range(splits + 1)]
    scores = [_split(probabilities[a:b]) for a, b in pairwise(bounds)]
    split_scores = torch.tensor(scores, dtype=torch.float64)
    value, error, interval = float(split_scores.mean()), None, None
    if splits > 1:
        error = float(split_scores.std()) / math.sqrt(splits)
        half_width = error * _student(splits - 1)
        interval = (value - half_width, value + half_width)
    return Score(
        name="inception-score",
        value=value,
        error=error,
        interval=interval,
        n=n,
        protocol=f"{k} classes, {splits} splits in the order given; lower for fewer samples",
        detail={"deviation": float(split_scores.std(correction=0)), "splits": scores},
    )


def _expect_distributions(probabilities: Float[Tensor, "n k"]) -> None:
    wrong = 0
    for block in torch.split(probabilities, BLOCK):
        p = doubles(block)
        right = (p >= 0).all(1) & ((p.sum(1) - 1).abs() <= SUM)  # neither holds for NaN
        wrong += int((~right).sum())
    if wrong:
        raise DataError(
            f"Inception score: expected rows that are distributions (not negative, sum 1), got {wrong} of "
            f"{len(probabilities)} that are not; give it the softmax of logits"
        )


def _split(probabilities: Float[Tensor, "n k"]) -> float:
    """The score of one split: exp(H(E p) - E H(p)), where H(E p) - E H(p) = E KL(p || E p)."""
    total, negentropy = torch.zeros((), dtype=torch.float64), 0.0
    for block in torch.split(probabilities, BLOCK):
        p = doubles(block).cpu()
        total = total + p.sum(0)
        negentropy += float(torch.special.xlogy(p, p.clamp_min(TINY)).sum())
    q = total / len(probabilities)
    entropy = -float(torch.special.xlogy(q, q.clamp_min(TINY)).sum())
    return math.exp(max(0.0, entropy + negentropy / len(probabilities)))


def _student(freedom: int) -> float:
    """The 97.5 % point of Student's t."""
    require("scipy")
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))

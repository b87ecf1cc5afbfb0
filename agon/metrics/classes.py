"""Which classes a generator makes, and how sure a classifier is of them."""

import math
from collections.abc import Sequence

from jaxtyping import Bool, Float
from torch import Tensor

from agon.errors import DataError
from agon.metrics.score import Score


def accuracy(right: Bool[Tensor, " n"], protocol: str) -> Score:
    """The share of samples in their own class, with the binomial standard error sqrt(p (1 - p) / n).

    Args:
        right: whether each is.
        protocol: of which samples, in words.

    Raises:
        DataError: no samples.
    """
    n = len(right)
    if not n:
        raise DataError("accuracy: expected at least 1 labelled sample, got none")
    share = float(right.double().mean())
    return Score(name="accuracy", value=share, error=math.sqrt(share * (1 - share) / n), n=n, protocol=protocol)


def class_coverage(
    probabilities: Float[Tensor, "n k"], names: Sequence[str], protocol: str, share: float = 0.01
) -> tuple[Score, Score]:
    """How many classes are found, and the mean confidence, max_k p(k|x) averaged over samples.

    Args:
        probabilities: p(k|x) of each sample; rows sum to 1.
        names: of the k classes.
        protocol: the classifier, in words.
        share: a class counts as found if at least this share of the samples is assigned to it.

    Returns:
        "classes" (0 to k, without an error) and "confidence" (1/k to 1) with its standard error.

    Raises:
        DataError: no samples, or no distribution in a row.
    """
    n, k = probabilities.shape
    if n < 2 or not bool(((probabilities.sum(1) - 1).abs() < 1e-3).all()):
        raise DataError(f"class probabilities: expected at least 2 rows that each sum to 1, got shape {(n, k)}")
    histogram = probabilities.argmax(1).bincount(minlength=k)
    confidence = probabilities.amax(1)
    found = int((histogram >= max(1.0, share * n)).sum())
    detail = {"histogram": histogram.tolist(), "names": list(names)}
    rule = f"{protocol}; a class counts from {share:.0%} of the samples"
    return (
        Score(name="classes", value=found, n=n, protocol=rule, detail=detail),
        Score(
            name="confidence",
            value=float(confidence.mean()),
            error=float(confidence.std()) / math.sqrt(n),
            n=n,
            protocol=protocol,
        ),
    )

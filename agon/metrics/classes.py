"""Which classes a generator makes, and how sure a classifier is of them."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import mean_score, share_score
from agon.metrics.score import Score
from agon.metrics.shares import found_interval, share_divergence

SHARE = 0.1  # of a class's fair part of the samples


def accuracy(right: Bool[Tensor, " n"], protocol: str) -> Score:
    """The share of samples in their own class, with the binomial standard error sqrt(p (1 - p) / n).

    Args:
        right: whether each is.
        protocol: of which samples, in words.

    Raises:
        DataError: no samples.
    """
    if not len(right):
        raise DataError("accuracy: expected at least 1 labelled sample, got none")
    return share_score("accuracy", right, protocol, n=len(right))


def class_coverage(
    probabilities: Float[Tensor, "n k"], names: Sequence[str], protocol: str, share: float = SHARE
) -> tuple[Score, Score]:
    """How many classes are found, and the mean confidence, max_k p(k|x) averaged over samples.

    Args:
        probabilities: p(k|x) of each sample; rows sum to 1.
        names: of the k classes.
        protocol: the classifier, in words.
        share: a class counts as found if at least this share of its fair part, n/k, is assigned to it, as a mode does
            in `mode_coverage`; with 10 classes the default is 1 % of the samples. That a single sample is enough, as
            elsewhere, is in the detail as "touched".

    Returns:
        "classes" (0 to k) with an interval by bootstrap (`found_interval`), and "confidence" (1/k to 1) with its
        standard error.

    Raises:
        DataError: fewer than 2 samples, or no distribution in a row.
    """
    n, k = probabilities.shape
    histogram = _assigned(probabilities).bincount(minlength=k)
    least = torch.full((k,), max(1.0, share * n / k), dtype=torch.float64)
    return (
        Score(
            name="classes",
            value=int((histogram.cpu() >= least).sum()),
            interval=found_interval(histogram, least, n),
            n=n,
            protocol=f"{protocol}; of {k}, a class counts from {share / k:.3g} of the samples",
            detail={"histogram": histogram.tolist(), "names": list(names), "touched": int((histogram > 0).sum())},
        ),
        mean_score("confidence", probabilities.amax(1), protocol, n=n, bounds=(0.0, 1.0)),
    )


def class_divergence(probabilities: Float[Tensor, "n k"], counts: Num[Tensor, " _"], protocol: str) -> Score:
    """KL(h || w) of the shares h of the samples' most probable classes from the data's own w, in nats.

    0 for a sampler whose classes come as often as the data's, log 2 for one that drops every second of even classes,
    log k for one that makes a single one. Real samples get about (k - 1) / 2n, exactly in the detail as "real": of
    1,000 classes ten samples each are hardly enough. For its error see `share_divergence`. What the classifier
    confuses it does not know: see its accuracy in the protocol.

    Args:
        probabilities: p(k|x) of each sample; rows sum to 1.
        counts: how many real samples each class has; one that has none counts as half a sample.
        protocol: the classifier, in words.

    Raises:
        DataError: fewer than 2 samples, no distribution in a row, or no counts of k classes.

    Source: Srivastava et al. 2017 (VEEGAN), table 2, and Lin et al. 2018 (PacGAN), for 1,000 classes of stacked
    digits: KL from the generated to the real distribution of the predicted classes.

    >>> import torch
    >>> half = torch.eye(10)[torch.arange(1000) % 5]
    >>> round(class_divergence(half, torch.full((10,), 600), "a classifier").value, 4)
    0.6931
    """
    k = probabilities.shape[1]
    if len(counts) != k or not bool((counts >= 0).all()) or not float(counts.sum()) >= 1:
        raise DataError(
            f"class-divergence: expected how many of 1 real sample or more are of each of {k} classes, got "
            f"{len(counts)} numbers that sum to {float(counts.sum()):g}"
        )
    histogram = _assigned(probabilities).bincount(minlength=k)
    return share_divergence(
        "class-divergence",
        histogram,
        counts.double().clamp_min(0.5),
        f"{protocol}; nats from the shares of the most probable classes to the data's shares of {k} classes",
        n_real=int(counts.sum()),
    )


def _assigned(probabilities: Float[Tensor, "n k"]) -> Int[Tensor, " n"]:
    """The most probable class of each sample."""
    n, k = probabilities.shape
    if n < 2 or not bool(((probabilities.sum(1) - 1).abs() < 1e-3).all()):
        raise DataError(f"class probabilities: expected at least 2 rows that each sum to 1, got shape {(n, k)}")
    return probabilities.argmax(1)

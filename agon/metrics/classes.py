"""Which classes a generator covers, and how confident a classifier is about its samples."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import mean_score, share_error, share_score, wilson
from agon.metrics.score import Score
from agon.metrics.shares import covered_interval, share_divergence

SHARE = 0.1  # the least part of a class's expected samples that covers it


def accuracy(right: Bool[Tensor, " n"], protocol: str) -> Score:
    """The share of correctly classified samples, with its binomial standard error (`intervals.share_error`).

    Args:
        right: whether the classifier is right about each of n samples.
        protocol: which samples these are, in words.

    Returns:
        "accuracy", 0 to 1, with Wilson's interval.

    Raises:
        DataError: there are no samples.
    """
    if not len(right):
        raise DataError("accuracy: expected at least 1 labelled sample, got none")
    return share_score("accuracy", right, protocol, n=len(right))


def class_coverage(
    probabilities: Float[Tensor, "n k"], names: Sequence[str], protocol: str, share: float = SHARE
) -> tuple[Score, Score]:
    """How many of k classes the samples cover, and the mean of the classifier's confidence, max_k p(k|x).

    Args:
        probabilities: p(k|x) of each sample; rows sum to 1.
        names: the names of the k classes, in the order of the columns.
        protocol: names the classifier, in words.
        share: a class is covered if at least `share` n / k samples are assigned to it, as in `mode_coverage`. With 10
            classes the default is 1 % of the samples. The detail "touched" counts the classes with 1 sample or more,
            which is the rule used elsewhere.

    Returns:
        "classes" (0 to k) with an interval by bootstrap (`covered_interval`), and "confidence" (1/k to 1) with its
        standard error.

    Raises:
        DataError: there are fewer than 2 samples, or a row is not a distribution.
    """
    n, k = probabilities.shape
    histogram = _assigned(probabilities).bincount(minlength=k)
    least = torch.full((k,), max(1.0, share * n / k), dtype=torch.float64)
    return (
        Score(
            name="classes",
            value=int((histogram.cpu() >= least).sum()),
            interval=covered_interval(histogram, least, n),
            n=n,
            protocol=f"{protocol}; of {k}, a class counts from {share / k:.3g} of the samples",
            detail={"histogram": histogram.tolist(), "names": list(names), "touched": int((histogram > 0).sum())},
        ),
        mean_score("confidence", probabilities.amax(1), protocol, n=n, bounds=(0.0, 1.0)),
    )


def class_divergence(probabilities: Float[Tensor, "n k"], counts: Num[Tensor, " _"], protocol: str) -> Score:
    """KL(h || w) of the shares h of the samples' most probable classes from the data's own w, in nats.

    A sampler whose class frequencies match the data's gets 0; one that drops every second of k equally frequent classes
    gets log 2; one that makes a single class gets log k. n real samples get about (k - 1) / 2n; the detail "real" is
    their exact mean. With 1,000 classes, ten samples per class are hardly enough. `share_divergence` documents the
    standard error. The classifier's own mistakes are part of the value, so read it beside the classifier's accuracy.

    Args:
        probabilities: p(k|x) of each sample; rows sum to 1.
        counts: "k", the number of real samples of each class; a count of 0 is replaced by 1/2.
        protocol: names the classifier, in words.

    Returns:
        "class-divergence" in nats, from 0, with a standard error and an interval.

    Raises:
        DataError: there are fewer than 2 samples, a row is not a distribution, or `counts` is not a count of k classes.

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


def recognised(classes: Score, label: int) -> Score:
    """The share n_label / n of samples that the classifier takes for one class: "recognised", 0 to 1.

    It has its binomial standard error and Wilson's interval.

    Args:
        classes: a "classes" score, which has the number of samples of each class in its detail as "histogram".
        label: label of the class that the generator was trained on.
    """
    n = classes.n
    share = classes.detail["histogram"][label] / n
    return Score(
        name="recognised",
        value=share,
        error=share_error(share, n),
        interval=wilson(share, n),
        n=n,
        protocol=f"share taken for the digit that was trained on; {classes.protocol.partition(';')[0]}",
    )


def fullest_class(histograms: Sequence[Int[Tensor, " k"]]) -> Score:
    """The mean share of the fullest class over steps, 1/T Σ_t max_k n_tk / n: "fullest-class", 1/k to 1.

    It is 1 for a generator that makes one class at a time, even if it makes all of them over its training.

    Args:
        histograms: number of samples in each of k classes, at each of T steps of a training; at least one step.

    Source: metz2017, figure 2: "collapses to a single mode at a time".

    >>> import torch
    >>> fullest_class([torch.tensor([4, 0]), torch.tensor([0, 4])]).value
    1.0
    """
    n = int(histograms[0].sum())
    shares = [float((histogram.double() / n).max()) for histogram in histograms]
    return Score(
        name="fullest-class",
        value=sum(shares) / len(shares),
        n=len(histograms) * n,
        protocol=f"share of the class that most of {n} samples of fixed latents fell into, by the classifier; "
        "the mean over the second half of the training",
    )

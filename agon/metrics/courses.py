"""How a training's numbers go up and down, from its log: losses, outputs, scores, time."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median, pstdev

from agon.metrics.score import Score

QUARTER = 4  # the last quarter of a course
CERTAIN = 0.05  # an output for generated samples below which the critic rejects them nearly surely


def probability(logit: float) -> float:
    """The critic's output as a probability, σ(logit) = 1 / (1 + e^-logit), without overflow.

    >>> probability(0.0), probability(-1e6) < 1e-200, probability(1e6)
    (0.5, True, 1.0)
    """
    return 1 / (1 + math.exp(-min(max(logit, -500), 500)))


def loss_course(generator: Sequence[float], critic: Sequence[float], fake: Sequence[float]) -> tuple[Score, ...]:
    """How far the losses part, how much the generator's varies, and how often the critic is sure.

    With g_t, c_t the losses of T records, d_t = σ(logit) the critic's output for generated samples, and the last
    quarter of the records:

    * "loss-gap": mean g - mean c, over the last quarter.
    * "loss-growth": mean g of the last quarter less that of the first.
    * "loss-deviation", from 0: the standard deviation of g over the last quarter.
    * "rejected", 0 to 1: the share of all records with d_t < 0.05.

    Args:
        generator: its loss in each record, in order; at least one.
        critic: its loss in the same records.
        fake: the mean logit of generated samples in the same records.

    Source: yamazaki2017, figures 5.3 to 5.10, in numbers.

    >>> [score.value for score in loss_course([1.0] * 8, [0.25] * 8, [0.0] * 4 + [-9.0] * 4)]
    [0.75, 0.0, 0.0, 0.5]
    """
    length = max(1, len(generator) // QUARTER)
    first, last = generator[:length], generator[-length:]
    values = {
        "loss-gap": (
            fmean(last) - fmean(critic[-length:]),
            "generator's loss over the critic's, mean of the last quarter of records",
        ),
        "loss-growth": (fmean(last) - fmean(first), "generator's loss, last quarter's mean less the first's"),
        "loss-deviation": (pstdev(last), "standard deviation of the generator's loss over the last quarter of records"),
        "rejected": (
            fmean(probability(logit) < CERTAIN for logit in fake),
            f"share of records whose mean logit of generated samples is an output below {CERTAIN}",
        ),
    }
    return tuple(
        Score(name=name, value=value, n=len(generator), protocol=protocol) for name, (value, protocol) in values.items()
    )


def score_course(values: Sequence[float], name: str, n: int) -> tuple[Score, ...]:
    """Where a score that was taken while a run trained ends, how high it came, and how it goes up and down.

    With s_1, ..., s_T the values:

    * "late-score": the mean of the last quarter.
    * "best-score": max s_t.
    * "score-oscillation", from 0: mean |s_{t+1} - s_t| over the second half.

    Args:
        values: at least 2, in the order of the steps.
        name: of the score.
        n: samples of each.

    Source: yamazaki2017, section 5.2 and figures 5.11, 5.12, in numbers.

    >>> [score.value for score in score_course([1.0, 2.0, 4.0, 3.0], "score", 10)]
    [3.0, 4.0, 1.5]
    """
    late, half = values[-max(1, len(values) // QUARTER) :], values[len(values) // 2 - 1 :]
    oscillation = fmean(abs(after - before) for before, after in pairwise(half))
    found = {
        "late-score": (fmean(late), "mean over the last quarter of the looks"),
        "best-score": (max(values), "greatest of the looks"),
        "score-oscillation": (oscillation, "mean change from one look to the next over their second half"),
    }
    return tuple(
        Score(name=each, value=value, n=n, protocol=f"{name} of the same latents every so many steps; {how}")
        for each, (value, how) in found.items()
    )


def epoch_seconds(count: int, images_per_second: Sequence[float]) -> float:
    """Wall time of an epoch of `count` images at the log's median speed: a pause of the machine does not count.

    >>> epoch_seconds(1_000, [1.0, 100.0, 100.0])
    10.0
    """
    return count / float(median(images_per_second))


def epoch_time(seconds: float) -> Score:
    """An epoch's wall time as a score: "seconds-an-epoch".

    Source: tabak2016, section 3.3.
    """
    protocol = "wall time by the log's median speed; an epoch of its own images"
    return Score(name="seconds-an-epoch", value=seconds, n=1, protocol=protocol)


def epoch_time_ratio(seconds: float, perceptrons: float) -> Score:
    """How many times as long as the perceptrons' an epoch takes: "ratio".

    Source: tabak2016, section 3.3.
    """
    return Score(name="ratio", value=seconds / perceptrons, n=1, protocol="seconds of an epoch by the perceptrons'")

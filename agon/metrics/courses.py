"""How a training's numbers develop, from its log and its looks: losses, outputs, scores, diversity, time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, median, pstdev

import torch

from agon.metrics.intervals import share_score
from agon.metrics.score import Score

QUARTER = 4  # the last quarter of a course
CERTAIN = 0.05  # output for generated samples below which the critic surely rejects them
COLLAPSED: Mapping[str, float] = {"collapse": 1.0, "partial-collapse": 0.5}  # sickness -> how bad it is


def probability(logit: float) -> float:
    """Turn the critic's logit into a probability, σ(logit) = 1 / (1 + e^-logit), without overflow.

    >>> probability(0.0), probability(-1e6) < 1e-200, probability(1e6)
    (0.5, True, 1.0)
    """
    return 1 / (1 + math.exp(-min(max(logit, -500), 500)))


def loss_course(generator: Sequence[float], critic: Sequence[float], fake: Sequence[float]) -> tuple[Score, ...]:
    """How far apart the losses are, how much the generator's varies, and how often the critic is sure.

    The log has T records with the losses g_t, c_t and the critic's output d_t = σ(logit) for generated samples.

    * "loss-gap": mean g - mean c, over the last quarter of the records.
    * "loss-growth": mean g over the last quarter minus mean g over the first.
    * "loss-deviation", from 0: the standard deviation of g over the last quarter.
    * "rejected", 0 to 1: the share of all records with d_t < 0.05, with its binomial standard error.

    Args:
        generator: the generator's loss in each record, in order; at least one.
        critic: the critic's loss in the same records.
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
    }
    scores = [Score(name=name, value=value, n=len(generator), protocol=told) for name, (value, told) in values.items()]
    sure = torch.tensor([probability(logit) < CERTAIN for logit in fake])
    protocol = f"share of records whose mean logit of generated samples is an output below {CERTAIN}"
    return (*scores, share_score("rejected", sure, protocol, n=len(generator)))


def score_course(values: Sequence[float], name: str, n: int) -> tuple[Score, ...]:
    """The end, the maximum and the oscillation of a score recorded during a training.

    For the values s_1, ..., s_T:

    * "late-score": the mean of the last quarter.
    * "best-score": max s_t.
    * "score-oscillation", from 0: mean |s_{t+1} - s_t| over the second half.

    Args:
        values: the score's values, ordered by step; a single one, of networks that were never trained, has an
            oscillation of 0.
        name: name of the score.
        n: samples behind each value.

    Source: yamazaki2017, section 5.2 and figures 5.11, 5.12, in numbers.

    >>> [score.value for score in score_course([1.0, 2.0, 4.0, 3.0], "score", 10)]
    [3.0, 4.0, 1.5]
    """
    protocol = f"{name} of the same latents every so many steps"
    names = ("late-score", "best-score", "score-oscillation")
    return _course(values, names, n, protocol, (max(values), "greatest of the looks"))


def distance_course(values: Sequence[float], name: str, n: int) -> tuple[Score, ...]:
    """The end, the minimum and the oscillation of a distance, as `score_course` has them of a score.

    They are "late-NAME", "best-NAME" and "NAME-oscillation".

    Args:
        values: the distance's values, ordered by step.
        name: name of the distance.
        n: samples behind each value.

    >>> [(score.name, score.value) for score in distance_course([4.0, 3.0, 1.0, 2.0], "fid", 10)]
    [('late-fid', 2.0), ('best-fid', 1.0), ('fid-oscillation', 1.5)]
    """
    names = (f"late-{name}", f"best-{name}", f"{name}-oscillation")
    protocol = f"of the same {n} latents every so many steps"
    return _course(values, names, n, protocol, (min(values), "least of the looks"))


def _course(
    values: Sequence[float], names: Sequence[str], n: int, protocol: str, best: tuple[float, str]
) -> tuple[Score, ...]:
    """The mean of the last quarter, the best value with what it is, and the mean change over the second half."""
    late, half = values[-max(1, len(values) // QUARTER) :], values[max(0, len(values) // 2 - 1) :]
    oscillation = fmean([abs(after - before) for before, after in pairwise(half)] or [0.0])
    summary = [
        (fmean(late), "mean over the last quarter of the looks"),
        best,
        (oscillation, "mean change from one look to the next over their second half"),
    ]
    return tuple(
        Score(name=name, value=value, n=n, protocol=f"{protocol}; {how}")
        for name, (value, how) in zip(names, summary, strict=True)
    )


def late(scores: Sequence[Score]) -> Score:
    """The mean of a score over the last quarter of a training's looks: "late-NAME", with the score's direction.

    It has no error: looks at the same latents are not independent.

    Args:
        scores: one score at each look, in order; at least one.

    >>> late([Score(name="distance", value=value, n=10, protocol="") for value in (1, 1, 1, 0.5)]).value
    0.5
    """
    last = scores[-max(1, len(scores) // QUARTER) :]
    return replace(
        last[-1],
        name=f"late-{last[-1].name}",
        value=fmean(float(score.value) for score in last),
        error=None,
        interval=None,
        protocol=f"{last[-1].protocol}; mean over the last quarter of the looks",
    )


def distance_kept(distances: Sequence[Score]) -> Score:
    """How much of its diversity a training has kept: "distance-kept", from 0.

        late mean of d / min(1, max_t d_t),

    for the "distance" d_t at each look. It is 1 for samples that were never farther apart than at the end, and for
    those that have come down to the distances of real images, since noise is farther apart than images are. It is near
    0 after a collapse, and 1 for a training with a single look.

    Args:
        distances: "distance" at each look, in order, above 0; at least one.

    Source: im2016, section 5: "samples tend to collapse when training for a long time", in a number.

    >>> distance_kept([Score(name="distance", value=value, n=10, protocol="") for value in (1.5, 1, 0.5, 0.25)]).value
    0.25
    """
    greatest = min(1.0, max(float(score.value) for score in distances))
    end = late(distances)
    return replace(
        end,
        name="distance-kept",
        value=float(end.value) / greatest,
        protocol="mean distance of two samples over the last quarter of the looks / the greatest at any look, at most "
        "that of real images",
    )


def collapse_told(sicknesses: Sequence[str], n: int) -> Score:
    """What the diagnosis says of collapse: "collapsed", 1 for "collapse", 0.5 for "partial-collapse", 0 for neither.

    Args:
        sicknesses: names of what the diagnosis found.
        n: samples at each look that it saw.
    """
    value = max((COLLAPSED.get(name, 0.0) for name in sicknesses), default=0.0)
    return Score(
        name="collapsed",
        value=value,
        n=n,
        protocol="the diagnosis of the run: 1 if it finds a collapse, 0.5 if a partial one, 0 if none",
    )


def epoch_seconds(count: int, images_per_second: Sequence[float]) -> float:
    """Wall time of an epoch of `count` images at the log's median speed, so that pauses do not count.

    >>> epoch_seconds(1_000, [1.0, 100.0, 100.0])
    10.0
    """
    return count / float(median(images_per_second))


def epoch_time(seconds: float) -> Score:
    """Wrap an epoch's wall time as a score: "seconds-an-epoch".

    Source: tabak2016, section 3.3.
    """
    protocol = "wall time by the log's median speed; an epoch of its own images"
    return Score(name="seconds-an-epoch", value=seconds, n=1, protocol=protocol)


def epoch_time_ratio(seconds: float, perceptrons: float) -> Score:
    """An epoch's wall time relative to an epoch of the perceptrons: "ratio".

    Source: tabak2016, section 3.3.
    """
    return Score(name="ratio", value=seconds / perceptrons, n=1, protocol="seconds of an epoch by the perceptrons'")

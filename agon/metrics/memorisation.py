"""Memorisation: do generated samples lie nearer to the training images than to held-out images?"""

import math
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.errors import DataError
from agon.metrics.distances import densities
from agon.metrics.intervals import NORMAL, share_error, wilson
from agon.metrics.neighbours import Neighbours, nearest_neighbours, nearest_others
from agon.metrics.pairwise import together
from agon.metrics.score import Score

HELD = "memorisation of each held-out image, the others held out"


class _Nearest(NamedTuple):
    """The nearest training image and the nearest held-out image of each query."""

    train: Neighbours
    held: Neighbours


class _Share(NamedTuple):
    """How many queries are nearer to a training image, as if there were as many held-out ones.

    Attributes:
        raw: s, the share itself.
        value: h s / (h s + m (1 - s)).
        error: its standard error.
        interval: Wilson's, of the effective number of queries.
        independent: that number.
    """

    raw: float
    value: float
    error: float
    interval: tuple[float, float]
    independent: float


class Partition:
    """Training images and held-out images of one set, in which the neighbours of samples are searched.

    What concerns the held-out images alone is searched once, for any number of sets of samples.

    Args:
        train: m images that generators were trained on, uint8 or floating.
        held: h images of the same distribution that they were not trained on, a random part of the set.

    Raises:
        DataError: a set is empty, shapes differ, or numbers are not finite.
    """

    def __init__(self, train: Shaped[Tensor, "m ..."], held: Shaped[Tensor, "h ..."]) -> None:
        self._one = train[:1]  # for its shape
        self.train, self.held = together(train, held, ("training images", "held-out images"))

    def memorisation(self, fake: Shaped[Tensor, "n ..."]) -> Score:
        """Score n samples as the function `memorisation` does."""
        _, fake = together(self._one, fake, ("training images", "generated samples"))
        m, h = len(self.train), len(self.held)
        nearest = _Nearest(nearest_neighbours(fake, self.train), nearest_neighbours(fake, self.held))
        share = _share(nearest, m, h)
        return Score(
            name="memorisation",
            value=share.value,
            error=share.error,
            interval=share.interval,
            n=len(fake),
            n_real=m + h,
            protocol=f"share nearer to one of {m} training than to any of {h} held-out images, as if there were as "
            "many of both; 0.5 for who has not seen them",
            detail={
                "share": share.raw,
                "expected": m / (m + h),
                "independent": share.independent,
                "copies": float((nearest.train.distances == 0).double().mean()),
                "median_train": float(nearest.train.distances.median()),
                "median_held": float(nearest.held.distances.median()),
                "distribution": _distribution(self._held_to_train.distances, nearest.train.distances),
                **self._of_held(nearest),
            },
        )

    @cached_property
    def _held_to_train(self) -> Neighbours:
        return nearest_neighbours(self.held, self.train)

    @cached_property
    def _held_to_held(self) -> Neighbours:
        return nearest_others(self.held)

    def _of_held(self, of_samples: _Nearest) -> dict[str, object]:
        """The share of held-out images nearer to a training image than to another held-out one, beside the samples'."""
        if len(self.held) < 2:
            return {}
        nearest = _Nearest(self._held_to_train, self._held_to_held)
        share = _share(nearest, len(self.train), len(self.held) - 1)
        x, y = (_counts(each, len(self.train), len(self.held)) for each in (of_samples, nearest))
        return {
            "held": share.value,
            "held_error": share.error,
            "held_interval": list(share.interval),
            "held_correlation": float(x @ y / (x.norm() * y.norm())),
        }


def memorisation(fake: Shaped[Tensor, "n ..."], train: Shaped[Tensor, "m ..."], held: Shaped[Tensor, "h ..."]) -> Score:
    """The share of generated samples nearer to a training image than to any held-out one, corrected for set sizes.

    Let s be that share for m training and h held-out images, with ties counted as half. The value is

        h s / (h s + m (1 - s)),

    which equals s where m = h. A generator that has not seen the training images is nearest to one of them with
    probability m / (m + h), so it gets 0.5; a generator that only copies gets 1. A value under 0.5 means that the
    generator avoids the training images, or that the two sets have different distributions. They must be a random split
    of one set (`Images.validation`): MNIST's test images come from other writers, and get 0.39 against its training
    images. The metric uses all training images, because a random subset of h would miss most memorised ones.

    The standard error is binomial (`intervals.share_error` of s and n'), propagated to the value. n' = n² / Σ c_i² is
    the effective number of independent samples, where c_i samples share the nearest image i: if all samples are nearest
    to one blank image, as noise is, they count as one. The interval is Wilson's for n'.

    Args:
        fake: n generated samples of any shape, uint8 or floating, in the images' range.
        train: m images that the generator was trained on.
        held: h images of the same distribution that it was not trained on.

    Returns:
        "memorisation", 0 to 1; the detail has the share s, the median distances and, as "held", what each held-out
        image gets in the place of a sample, the others held out, with its error, its interval, and its correlation with
        the value: some images are the nearest of many samples and of many held-out images, whichever set they are in.

    Raises:
        DataError: a set is empty, shapes differ, or numbers are not finite.

    Source: the nearest-neighbour test of data-copying against held-out images, as in Meehan et al. 2020.

    >>> train, held = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    >>> memorisation(torch.tensor([[0.1], [2.1], [2.2], [0.9]]), train, held).value
    0.75
    """
    return Partition(train, held).memorisation(fake)


def _share(nearest: _Nearest, m: int, h: int) -> _Share:
    """The share nearer to one of m training images than to any of h held-out ones, a tie counted as half."""
    nearer = (1 + (nearest.held.distances - nearest.train.distances).sign()[:, 0]) / 2
    counts = _counts(nearest, m, int(nearest.held.indices.max()) + 1)
    share, count = float(nearer.mean()), float(counts.sum() ** 2 / counts.square().sum())
    slope = h * m / (h * share + m * (1 - share)) ** 2
    low, high = wilson(share, count)
    error = slope * share_error(share, count)
    return _Share(share, _balanced(share, m, h), error, (_balanced(low, m, h), _balanced(high, m, h)), count)


def _balanced(share: float, m: int, h: int) -> float:
    return h * share / (h * share + m * (1 - share))


def _counts(nearest: _Nearest, m: int, h: int) -> Float[Tensor, " _"]:
    """How many samples have each image as their nearest: m training images, then h held-out ones."""
    nearer = nearest.train.distances <= nearest.held.distances
    indices = torch.where(nearer, nearest.train.indices, m + nearest.held.indices)
    return indices.flatten().bincount(minlength=m + h).double()


def _distribution(data: Tensor, model: Tensor) -> dict[str, object]:
    """Histograms and medians of distances to the nearest training image, for held-out and for generated images."""
    return {
        **densities(data.flatten(), model.flatten()),
        "medians": {"data": float(data.median()), "model": float(model.median())},
    }


def held_out_memorisation(found: Score) -> Score:
    """What held-out images get in the place of samples: "memorisation-held", 0.5 for a random split of one set.

    Args:
        found: a "memorisation", whose detail has it as "held"; at least 2 images were held out.
    """
    low, high = found.detail["held_interval"]
    return Score(
        name="memorisation-held",
        value=float(found.detail["held"]),
        error=float(found.detail["held_error"]),
        interval=(low, high),
        n=found.n,
        n_real=found.n_real,
        protocol=HELD,
        detail={"correlation": found.detail.get("held_correlation", 0.0)},
    )


def copied_share(memorisation: Score, held_out: Score) -> Score:
    """The share c of copies that explains the memorisation m if all other samples behave like held-out images.

        m = c + (1 - c) h,   so   c = (m - h) / (1 - h): "copied", at most 1.

    c is below 0 if samples lie nearer to a training image less often than held-out images do, by chance or because they
    resemble other images: its interval says what is known. Both errors count: with a and b, how far an end of m's and
    of h's interval moves c (b by c's slope in h), c's interval reaches √(a² + b² - 2ρab) to that side, where ρ is h's
    correlation with m (Zou 2007). The standard error is half of the interval over the normal quantile, so that it is
    not 0 if all samples or none are nearer to a training image.

    Args:
        memorisation: m, with its interval.
        held_out: h, the memorisation by held-out images, with its interval and, in the detail, ρ as "correlation".

    Raises:
        DataError: h is 1, so that a copy and another sample are alike.

    >>> m, h = (Score(name="", value=v, interval=(v - 0.1, v + 0.1), n=10, protocol="") for v in (0.75, 0.5))
    >>> copied_share(m, h).value
    0.5
    """
    m, h = memorisation.value, held_out.value
    if h >= 1:
        raise DataError(
            "copied: expected held-out images of which some are near to each other, got none; hold out more"
        )
    (m_low, m_high), (h_low, h_high) = _ends(memorisation), _ends(held_out)
    by_m, by_h = 1 / (1 - h), (1 - m) / (1 - h) ** 2
    value = (m - h) * by_m
    correlation = float(held_out.detail.get("correlation", 0.0))
    low = value - _joined((m - m_low) * by_m, (h_high - h) * by_h, correlation)
    high = min(1.0, value + _joined((m_high - m) * by_m, (h - h_low) * by_h, correlation))
    return replace(
        memorisation,
        name="copied",
        value=value,
        error=(high - low) / 2 / NORMAL,
        interval=(low, high),
        protocol="share of copies that would explain the memorisation beside memorisation-held",
        detail={},
    )


def _joined(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(0.0, a**2 + b**2 - 2 * correlation * a * b))


def _ends(score: Score) -> tuple[float, float]:
    """The ends of an interval, which hold the value but for rounding."""
    assert score.interval is not None  # Wilson's
    low, high = score.interval
    return min(low, score.value), max(high, score.value)


def exact_copies(memorisation: Score) -> Score:
    """The share of samples at a distance of 0 from a training image: "exact-copies", 0 to 1.

    Args:
        memorisation: a "memorisation" score, which has the share in its detail as "copies".
    """
    return Score(
        name="exact-copies",
        value=float(memorisation.detail["copies"]),
        n=memorisation.n,
        protocol="share of samples that are a training image",
    )

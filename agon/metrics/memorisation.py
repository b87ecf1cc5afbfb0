"""Memorisation: do generated samples lie nearer to the training images than to held-out images?"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.metrics.distances import densities
from agon.metrics.intervals import NORMAL, wilson
from agon.metrics.neighbours import Neighbours, nearest_neighbours
from agon.metrics.pairwise import together
from agon.metrics.score import Score


def memorisation(fake: Shaped[Tensor, "n ..."], train: Shaped[Tensor, "m ..."], held: Shaped[Tensor, "h ..."]) -> Score:
    """The share of generated samples nearer to a training image than to any held-out one, corrected for set sizes.

    Let s be that share for m training and h held-out images, with ties counted as half. The value is

        h s / (h s + m (1 - s)),

    which equals s where m = h. A generator that has not seen the training images is nearest to one of them with
    probability m / (m + h), so it gets 0.5; a generator that only copies gets 1. A value under 0.5 means that the
    generator avoids the training images, or that the two sets have different distributions. They must be a random split
    of one set: MNIST's test images come from other writers, and get 0.39 against its training images. The metric uses
    all training images, because a random subset of h would miss most memorised ones.

    The standard error is binomial, √(s (1 - s) / n'), propagated to the value. n' = n² / Σ c_i² is the effective number
    of independent samples, where c_i samples share the nearest image i: if all samples are nearest to one blank image,
    as noise is, they count as one. The interval is Wilson's for n'.

    Args:
        fake: n generated samples of any shape, uint8 or floating, in the images' range.
        train: m images that the generator was trained on.
        held: h images of the same distribution that it was not trained on.

    Returns:
        "memorisation", 0 to 1; the detail has the share s and the median distances.

    Raises:
        DataError: a set is empty, shapes differ, or numbers are not finite.

    Source: the nearest-neighbour test of data-copying against held-out images, as in Meehan et al. 2020.

    >>> train, held = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    >>> memorisation(torch.tensor([[0.1], [2.1], [2.2], [0.9]]), train, held).value
    0.75
    """
    _, train = together(fake, train, ("generated samples", "training images"))
    fake, held = together(fake, held, ("generated samples", "held-out images"))
    to_train, to_held = nearest_neighbours(fake, train), nearest_neighbours(fake, held)
    share = float(_nearer(to_train, to_held).mean())
    count = _independent(to_train, to_held)
    n, m, h = len(fake), len(train), len(held)
    slope = h * m / (h * share + m * (1 - share)) ** 2
    low, high = wilson(share, count)
    return Score(
        name="memorisation",
        value=_balanced(share, m, h),
        error=slope * math.sqrt(share * (1 - share) / count),
        interval=(_balanced(low, m, h), _balanced(high, m, h)),
        n=n,
        n_real=m + h,
        protocol=f"share nearer to one of {m} training than to any of {h} held-out images, as if there were as many of "
        "both; 0.5 for who has not seen them",
        detail={
            "share": share,
            "expected": m / (m + h),
            "independent": count,
            "copies": float((to_train.distances == 0).double().mean()),
            "median_train": float(to_train.distances.median()),
            "median_held": float(to_held.distances.median()),
            "distribution": _distribution(nearest_neighbours(held, train).distances, to_train.distances),
        },
    )


def _nearer(to_train: Neighbours, to_held: Neighbours) -> Float[Tensor, " n"]:
    """1 where a training image is nearer, 0 where a held-out one is, 1/2 at a tie."""
    return (1 + (to_held.distances - to_train.distances).sign()[:, 0]) / 2


def _balanced(share: float, m: int, h: int) -> float:
    return h * share / (h * share + m * (1 - share))


def _independent(to_train: Neighbours, to_held: Neighbours) -> float:
    """The effective number of samples, n² / Σ c_i², where c_i samples have image i as their nearest."""
    nearer = to_train.distances <= to_held.distances
    nearest = torch.where(nearer, to_train.indices, -1 - to_held.indices)
    counts = torch.unique(nearest, return_counts=True)[1].double()
    return float(counts.sum() ** 2 / counts.square().sum())


def _distribution(data: Tensor, model: Tensor) -> dict[str, object]:
    """Histograms and medians of distances to the nearest training image, for held-out and for generated images."""
    return {
        **densities(data.flatten(), model.flatten()),
        "medians": {"data": float(data.median()), "model": float(model.median())},
    }


def held_out_memorisation(found: Score) -> Score:
    """What held-out images get in the place of samples: "memorisation-held", 0.5 for a random split of one set.

    Args:
        found: a "memorisation" whose detail has "held": that of one half of the held-out images against the other.
    """
    return Score(
        name="memorisation-held",
        value=float(found.detail["held"]),
        n=found.n,
        n_real=found.n_real,
        protocol="memorisation of one half of the held-out images, the other half held out",
    )


def copied_share(memorisation: Score, held_out: float) -> Score:
    """The share c of copies that explains the memorisation m if all other samples behave like held-out images.

        m = c + (1 - c) h,   so   c = (m - h) / (1 - h), or 0 if m < h: "copied", 0 to 1.

    The interval is that of m, transformed. The standard error is half of it over the normal quantile, so that it is
    not 0 if all samples or none are nearer to a training image.

    Args:
        memorisation: m, with its interval.
        held_out: h, the memorisation by held-out images, below 1.

    >>> m = Score(name="memorisation", value=0.75, interval=(0.5, 1.0), n=10, protocol="")
    >>> copied_share(m, 0.5).value
    0.5
    """
    assert memorisation.interval is not None  # Wilson's
    least, most = memorisation.interval
    low, value, high = (max(0.0, (m - held_out) / (1 - held_out)) for m in (least, memorisation.value, most))
    return replace(
        memorisation,
        name="copied",
        value=value,
        error=(high - low) / 2 / NORMAL,
        interval=(low, high),
        protocol="share of copies that would explain the memorisation",
        detail={},
    )


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

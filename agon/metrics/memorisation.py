"""Whether generated samples lie nearer to the training images than to others of the same distribution."""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.metrics.distances import densities
from agon.metrics.intervals import wilson
from agon.metrics.neighbours import Neighbours, nearest_neighbours
from agon.metrics.pairwise import together
from agon.metrics.score import Score


def memorisation(fake: Shaped[Tensor, "n ..."], train: Shaped[Tensor, "m ..."], held: Shaped[Tensor, "h ..."]) -> Score:
    """The share of generated samples that are nearer to a training image than to any held-out one: "memorisation".

    With s that share, ties counting half, of m training and h held-out images of one distribution, the value is

        h s / (h s + m (1 - s)),

    s itself where m = h. Whoever has not seen the training images is nearest to one of them with probability
    m / (m + h), whatever they make, so gets 0.5; a generator of nothing but copies gets 1; less than 0.5 says
    that the training images are avoided, or are not of the held-out ones' distribution. All training images are
    looked at: of a random h of them, a memorised image would mostly be left out. The two must be a random split of one
    set: MNIST's test images are of other writers than its training images, and get 0.39 against the rest of them.

    The standard error is binomial, √(s (1 - s) / n'), carried over to the value, with n' = n² / Σ c_i² independent
    samples where c_i of the n have the same image i as their nearest: what is near to everything (noise is, to
    one blank image) has one chance only. The interval is Wilson's, of n' too.

    Args:
        fake: n generated samples of any shape, uint8 or floating, in the images' range.
        train: m images that the generator was trained on.
        held: h images of the same distribution that it was not trained on.

    Raises:
        DataError: no samples, of two shapes, or not finite.

    Source: the nearest-neighbour test of data-copying against held-out images, as in Meehan et al. 2020.

    >>> train, held = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    >>> memorisation(torch.tensor([[0.1], [2.1], [2.2], [0.9]]), train, held).value
    0.75
    """
    _, train = together(fake, train, ("generated samples", "training images"))
    fake, held = together(fake, held, ("generated samples", "held-out images"))
    near, other = nearest_neighbours(fake, train), nearest_neighbours(fake, held)
    share = float(_nearer(near, other).mean())
    count = _independent(near, other)
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
            "copies": float((near.distances == 0).double().mean()),
            "median_train": float(near.distances.median()),
            "median_held": float(other.distances.median()),
            "distribution": _distribution(nearest_neighbours(held, train).distances, near.distances),
        },
    )


def _nearer(near: Neighbours, other: Neighbours) -> Float[Tensor, " n"]:
    """1 where a training image is the nearer one, 0 where a held-out one is, half at a tie."""
    return (1 + (other.distances - near.distances).sign()[:, 0]) / 2


def _balanced(share: float, m: int, h: int) -> float:
    return h * share / (h * share + m * (1 - share))


def _independent(near: Neighbours, other: Neighbours) -> float:
    """n² / Σ c_i², c_i how many samples have the image i as their nearest."""
    nearer = near.distances <= other.distances
    nearest = torch.where(nearer, near.indices, -1 - other.indices)
    counts = torch.unique(nearest, return_counts=True)[1].double()
    return float(counts.sum() ** 2 / counts.square().sum())


def _distribution(data: Tensor, model: Tensor) -> dict[str, object]:
    """Of distances to the nearest training image: of held-out images, and of generated samples."""
    return {
        **densities(data.flatten(), model.flatten()),
        "medians": {"data": float(data.median()), "model": float(model.median())},
    }

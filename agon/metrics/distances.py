"""Pairwise distances within a set of samples: they shrink when a generator collapses."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agon.errors import DataError, SettingError
from agon.metrics.intervals import NORMAL, share_score
from agon.metrics.neighbours import nearest_others
from agon.metrics.pairwise import flat, pair_squares, together
from agon.metrics.score import Score

PAIRS = 10_000
BINS = 64
ALIKE = 0.01  # share of real images that have another as near as samples that count as alike


class _Pairs(NamedTuple):
    """Pairs of samples, by index, and their distances."""

    first: Int[Tensor, " pairs"]
    second: Int[Tensor, " pairs"]
    distances: Float[Tensor, " pairs"]


class _Transport(NamedTuple):
    """The Wasserstein-1 distance of two sets of numbers, with its dual potential at each number."""

    value: float
    potential: Float[Tensor, " a"]
    other: Float[Tensor, " b"]


def pairwise_distances(x: Shaped[Tensor, "n ..."], pairs: int | None = PAIRS, seed: int = 0) -> Float[Tensor, " pairs"]:
    """Euclidean distances |x_i - x_j| of random pairs of different samples, each pair at most once.

    Distances are exact: Σ (x_i - x_j)² is summed in float64 (1e-14 relative), and copies have distance 0. Memory beside
    the result: under 20 MB, and about 400 bytes per pair.

    Args:
        x: at least 2 samples of any shape, uint8 or floating.
        pairs: the number of pairs, 1 or more. None, or n(n - 1)/2 or more, means all pairs in the order
            (0, 1), (0, 2), ..., (1, 2), ..., which is that of SciPy's `pdist`.
        seed: chooses the pairs.

    Raises:
        DataError: there are fewer than 2 samples, or numbers are not finite.
        SettingError: `pairs` is below 1.

    Source: metz2017, section 3.3.2 and figure 5.

    >>> pairwise_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), pairs=None)
    tensor([5.0000, 1.0000, 4.2426], dtype=torch.float64)
    """
    return _sample_pairs(flat(x, "pairwise distances", least=2), pairs, seed).distances


def pairwise_distance_gap(
    real: Shaped[Tensor, "n ..."], fake: Shaped[Tensor, "m ..."], pairs: int | None = PAIRS, seed: int = 0
) -> Score:
    """The gap between real and generated samples' distributions of pairwise distances; from 0, lower is better.

    The gap is W1(F, G) / E_F. F and G are the distributions of |x_i - x_j| over pairs of real and of fake samples, and
    W1 = ∫ |F(u) - G(u)| du is how far distances must move on average. Unlike a difference of medians it sees a change
    of shape. Dividing by the data's mean distance E_F removes the unit: a generator that makes a single thing gets
    exactly 1. The detail "shift", (median G - median F) / median F, has the direction: below 0 the generated samples
    are too alike.

    The error accounts for pairs that share samples, and treats both sets as random: it linearises the gap by the
    transport's potential and sums over all couples of pairs with a sample in common. Finite sets of one distribution
    have a small gap, too; the detail "halves" is the gap between two halves of the data for as many pairs.

    Args:
        real: n >= 4 samples of any shape, not all the same.
        fake: m >= 2 samples of that shape.
        pairs: the number of pairs in each set, as for `pairwise_distances`.
        seed: chooses the pairs.

    Returns:
        "pairwise", with a standard error and an interval if there are 3 samples or more.

    Raises:
        DataError: there are too few samples, shapes differ, numbers are not finite, or all real samples are the same.
        SettingError: `pairs` is below 1.

    Source: metz2017, section 3.3.2 and figure 5, which show the histograms (detail "distribution"); the error as in
    Fafchamps and Gubert 2007, for dyads.

    >>> x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    >>> round(pairwise_distance_gap(x, x / 4, pairs=None).value, 6)  # a quarter as far apart
    0.75
    """
    real, fake = together(real, fake, ("real samples", "fake samples"), least=2)
    if len(real) < 4:
        raise DataError(f"pairwise distances: expected at least 4 real samples, got {len(real)}")
    real_pairs, fake_pairs = _sample_pairs(real, pairs, seed), _sample_pairs(fake, pairs, seed)
    mean = float(real_pairs.distances.mean())
    if mean == 0:
        raise DataError(f"pairwise distances: expected real samples that differ, got {len(real)} copies of one")
    transport = _transport(real_pairs.distances, fake_pairs.distances)
    value = transport.value / mean
    variance = _variance(real_pairs, transport.potential / mean - value / mean * real_pairs.distances, len(real))
    variance += _variance(fake_pairs, transport.other / mean, len(fake))
    error = None if math.isnan(variance) else math.sqrt(variance)
    return Score(
        name="pairwise",
        value=value,
        error=error,
        interval=None if error is None else (max(0.0, value - NORMAL * error), value + NORMAL * error),
        n=len(fake),
        n_real=len(real),
        protocol=f"Wasserstein-1 between distances of {len(fake_pairs.first)} fake and {len(real_pairs.first)} real "
        "pairs / the real mean",
        detail=_detail(real_pairs.distances, fake_pairs.distances) | {"halves": _halves(real, pairs, seed)},
    )


def _sample_pairs(rows: Tensor, pairs: int | None, seed: int) -> _Pairs:
    n = len(rows)
    every = n * (n - 1) // 2
    if pairs is not None and pairs < 1:
        raise SettingError(f"pairs: expected 1 or more, got {pairs}; use {PAIRS}")
    if pairs is None or pairs >= every:
        numbers = torch.arange(every)
    else:
        numbers = torch.from_numpy(np.random.default_rng(seed).choice(every, pairs, replace=False, shuffle=False))
    first, second = (index.to(rows.device) for index in _pairs_of_ranks(numbers, n))
    return _Pairs(first, second, pair_squares(rows, rows, first, second).sqrt())


def _pairs_of_ranks(numbers: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The pairs i < j of these ranks in the order (0, 1), (0, 2), ..., (1, 2), ...: i begins at i(2n - i - 1)/2."""
    first = ((2 * n - 1 - ((2 * n - 1) ** 2 - 8 * numbers.double()).sqrt()) / 2).long()
    for _ in range(2):  # the root may be rounded across a whole number, to either side
        first -= (first * (2 * n - first - 1) // 2 > numbers).long()
        first += ((first + 1) * (2 * n - first - 2) // 2 <= numbers).long()
    return first, numbers - first * (2 * n - first - 1) // 2 + first + 1


def _transport(first: Tensor, second: Tensor) -> _Transport:
    """W1 = E_F φ - E_G φ with φ(d) = ∫_d^∞ sign(F - G) du, up to a constant."""
    points = torch.cat([first, second]).sort().values
    steps = points.diff()
    below = [
        torch.searchsorted(distances.sort().values, points, right=True)[:-1].double() for distances in (first, second)
    ]
    above = below[0] / len(first) - below[1] / len(second)
    after = (above.sign() * steps).flip(0).cumsum(0).flip(0)
    potential = torch.cat([after, after.new_zeros(1)])
    at = [potential[torch.searchsorted(points, distances)] for distances in (first, second)]
    return _Transport(float((above.abs() * steps).sum()), at[0], at[1])


def _variance(pairs: _Pairs, influence: Tensor, n: int) -> float:
    """The variance of the mean of a function of pairs: Σ e_p e_q / count² over all p, q with a sample in common.

    It is too small by (n - 2)² / (n (n - 1)), as the jackknife shows, since the mean is that of the same pairs.
    """
    errors = influence - influence.mean()
    sums = errors.new_zeros(n).index_add(0, pairs.first, errors).index_add(0, pairs.second, errors)
    alone = float(errors.square().sum())
    found = max(float(sums.square().sum()) - alone, alone) / len(errors) ** 2
    return found * n * (n - 1) / (n - 2) ** 2 if n > 2 else math.nan


def _halves(real: Tensor, pairs: int | None, seed: int) -> float:
    """The gap between two random halves of the data."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(real))).to(real.device)
    first, second = (_sample_pairs(real[half], pairs, seed).distances for half in order.tensor_split(2))
    mean = float(torch.cat([first, second]).mean())
    return _transport(first, second).value / mean if mean else 0.0


def _detail(real: Tensor, fake: Tensor) -> dict[str, Any]:
    medians = {"data": float(real.median()), "model": float(fake.median())}
    shift = {"shift": medians["model"] / medians["data"] - 1} if medians["data"] else {}
    return {**shift, "distribution": {**densities(real, fake), "medians": medians}}


def densities(data: Float[Tensor, " a"], model: Float[Tensor, " b"]) -> dict[str, list[float]]:
    """Histograms of two sets of distances over the same bins, each of area 1.

    Args:
        data: from 0.
        model: from 0.
    """
    edges = torch.linspace(0, max(float(data.max()), float(model.max())) or 1.0, BINS + 1, dtype=torch.float64)
    histograms = [
        torch.histogram(distances.double().cpu(), edges, density=True).hist.tolist() for distances in (data, model)
    ]
    return {"edges": edges.tolist(), "data": histograms[0], "model": histograms[1]}


def distance_ratio(fake: Shaped[Tensor, "n ..."], real: Shaped[Tensor, "m ..."]) -> Score:
    """The mean distance between two samples relative to that between two real ones: "distance", from 0.

        E |G(z) - G(z')| / E |x - x'|,

    over n/2 and m/2 disjoint pairs (the first and second sample, the third and fourth, ...), so that the standard
    error is that of independent distances. Unlike "pairwise", it shows the direction: below 1, samples are more
    alike than the data.

    Args:
        fake: n samples of any shape, uint8 or floating, at least 4; if n is odd, the last is left out.
        real: m real samples of the same shape, at least 4, not all the same.

    >>> x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    >>> round(distance_ratio(x / 4, x).value, 6)
    0.25
    """
    distances = [_disjoint_distances(samples) for samples in (fake, real)]
    mean = float(distances[1].mean())
    value = float(distances[0].mean()) / mean
    errors = [float(of_pairs.std()) / mean / math.sqrt(len(of_pairs)) for of_pairs in distances]
    return Score(
        name="distance",
        value=value,
        error=math.hypot(errors[0], value * errors[1]),
        n=2 * len(distances[0]),
        n_real=2 * len(distances[1]),
        protocol="mean Euclidean distance of disjoint pairs of samples / of training images",
    )


def _disjoint_distances(samples: Shaped[Tensor, "n ..."]) -> Float[Tensor, " pairs"]:
    """Distances between the first and second sample, the third and fourth, and so on."""
    pairs = len(samples) // 2
    return torch.stack([torch.dist(samples[2 * i].double(), samples[2 * i + 1].double()) for i in range(pairs)])


def distance_gain(first: Score, second: Score) -> Score:
    """How much farther apart one generator's samples are than another's: "distance-gain", log of two "distance"s.

    Args:
        first: the "distance" of the one.
        second: that of the other. The gain is infinite where the samples of one are all the same, and NaN where those
            of both are.
    """
    ends = [math.log(score.value) if score.value else -math.inf for score in (first, second)]
    value, error = ends[0] - ends[1], None
    if math.isfinite(value):
        error = math.hypot(*((score.error or 0.0) / score.value for score in (first, second)))
    return Score(
        name="distance-gain",
        value=value,
        error=error,
        n=first.n,
        n_real=first.n_real,
        protocol="logarithm of the distance, by the same with one noise",
    )


def alike_share(fake: Shaped[Tensor, "n ..."], real: Shaped[Tensor, "m ..."]) -> Score:
    """The share of samples that are very alike to another: "alike", 0 to 1.

    A sample counts if its nearest other sample is nearer than all but 1 in 100 of real images have theirs, so that real
    images get 0.01; and if another is the same. Take as many of both: the nearest of more samples is nearer.

    Args:
        fake: n samples of any shape, at least 2.
        real: m real samples of the same shape, at least 2.

    Source: im2016, section 5: "we observe a few samples that look very alike to one other", in a number.

    >>> x = torch.arange(100.0)[:, None] ** 2
    >>> alike_share(torch.cat([x[:50], x[:50]]), x).value
    1.0
    """
    of_fake, of_real = (nearest_others(samples).distances[:, 0] for samples in (fake, real))
    near = torch.quantile(of_real, ALIKE)
    protocol = "share of samples whose nearest other is nearer than for all but 1 in 100 of training images"
    return share_score("alike", (of_fake < near) | (of_fake == 0), protocol, n=len(fake), n_real=len(real))


def median_ratio(gap: Score) -> Score:
    """The median distance of pairs of samples by that of pairs of images: "median-ratio", from 0.

        median |G(z) - G(z')| / median |x - x'|: below 1 where samples are too alike.

    Args:
        gap: the "pairwise" score of the same pairs, whose detail has the medians.

    Source: metz2017, figure 5: its vertical lines.
    """
    medians = gap.detail["distribution"]["medians"]
    return Score(
        name="median-ratio",
        value=medians["model"] / medians["data"],
        n=gap.n,
        n_real=gap.n_real,
        protocol="median distance of random pairs of samples by that of random pairs of training images",
    )

"""How far apart the samples of one set are: what collapses with a generator."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agon.errors import DataError, SettingError
from agon.metrics.intervals import NORMAL
from agon.metrics.pairwise import flat, pair_squares, together
from agon.metrics.score import Score

PAIRS = 10_000
BINS = 64


class _Sampled(NamedTuple):
    """Pairs of samples and how far apart they are."""

    first: Int[Tensor, " pairs"]
    second: Int[Tensor, " pairs"]
    distances: Float[Tensor, " pairs"]


class _Transport(NamedTuple):
    """The Wasserstein-1 distance of two sets of numbers, with its potential at each of them."""

    value: float
    potential: Float[Tensor, " a"]
    other: Float[Tensor, " b"]


def pairwise_distances(x: Shaped[Tensor, "n ..."], pairs: int | None = PAIRS, seed: int = 0) -> Float[Tensor, " pairs"]:
    """Euclidean distances |x_i - x_j| of random pairs of different samples, no pair twice.

    Each is exact, Σ (x_i - x_j)² summed in float64 (1e-14 relative), and copies are at 0. Memory beside the result:
    under 20 MB, and some 400 bytes a pair.

    Args:
        x: "n" samples of any shape, uint8 or floating; at least 2.
        pairs: how many, 1 or more; None, or n(n - 1)/2 and more, for all of them, in the order
            (0, 1), (0, 2), ..., (1, 2), ..., that of SciPy's `pdist`.
        seed: of the choice of pairs.

    Raises:
        DataError: fewer than 2 samples, or not finite.
        SettingError: pairs is below 1.

    Source: metz2017, section 3.3.2 and figure 5.

    >>> pairwise_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), pairs=None)
    tensor([5.0000, 1.0000, 4.2426], dtype=torch.float64)
    """
    return _sampled(flat(x, "pairwise distances", least=2), pairs, seed).distances


def pairwise_distance_gap(
    real: Shaped[Tensor, "n ..."], fake: Shaped[Tensor, "m ..."], pairs: int | None = PAIRS, seed: int = 0
) -> Score:
    """How unlike two sets' distributions of pairwise distances are: "pairwise", from 0.

    W1(F, G) / E_F, with F and G the distributions of |x_i - x_j| over pairs of real and of fake samples, and
    W1 = ∫ |F(u) - G(u)| du how far distances must be moved on average. Unlike a difference of medians it sees a
    change of shape; unlike a test it has a size: divided by the mean distance E_F of the data it has no unit, and
    is exactly 1 for a generator that makes a single thing. Which way it goes is in the detail: "shift" is
    (median G - median F) / median F, below 0 where samples are too alike.

    Its error respects that pairs share samples, and counts both sets as drawn: linearised by the potential of
    the transport, summed over all couples of pairs that have a sample in common. Finite sets of one distribution
    have a small gap too; "halves" in the detail is that between two halves of the data, of as many pairs.

    Args:
        real: "n" samples of any shape, at least 4, not all the same.
        fake: "m" samples of that shape, at least 2.
        pairs: of each set, as for `pairwise_distances`.
        seed: of the choice of pairs.

    Raises:
        DataError: too few samples, of two shapes, not finite, or real ones that are all the same.
        SettingError: pairs is below 1.

    Source: metz2017, section 3.3.2 and figure 5, which show the histograms (detail "distribution"); the error as in
    Fafchamps and Gubert 2007, for dyads.

    >>> x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    >>> round(pairwise_distance_gap(x, x / 4, pairs=None).value, 6)  # a quarter as far apart
    0.75
    """
    real, fake = together(real, fake, ("real samples", "fake samples"), least=2)
    if len(real) < 4:
        raise DataError(f"pairwise distances: expected at least 4 real samples, got {len(real)}")
    ours, theirs = _sampled(real, pairs, seed), _sampled(fake, pairs, seed)
    mean = float(ours.distances.mean())
    if mean == 0:
        raise DataError(f"pairwise distances: expected real samples that differ, got {len(real)} copies of one")
    moved = _transport(ours.distances, theirs.distances)
    value = moved.value / mean
    variance = _variance(ours, moved.potential / mean - value / mean * ours.distances, len(real))
    variance += _variance(theirs, moved.other / mean, len(fake))
    error = math.sqrt(variance)
    return Score(
        name="pairwise",
        value=value,
        error=error,
        interval=(max(0.0, value - NORMAL * error), value + NORMAL * error),
        n=len(fake),
        n_real=len(real),
        protocol=f"Wasserstein-1 between distances of {len(theirs.first)} fake and {len(ours.first)} real pairs / "
        "the real mean",
        detail=_detail(ours.distances, theirs.distances) | {"halves": _halves(real, pairs, seed)},
    )


def _sampled(rows: Tensor, pairs: int | None, seed: int) -> _Sampled:
    n = len(rows)
    every = n * (n - 1) // 2
    if pairs is not None and pairs < 1:
        raise SettingError(f"pairs: expected 1 or more, got {pairs}; use {PAIRS}")
    if pairs is None or pairs >= every:
        numbers = torch.arange(every)
    else:
        numbers = torch.from_numpy(np.random.default_rng(seed).choice(every, pairs, replace=False, shuffle=False))
    first, second = (each.to(rows.device) for each in _unranked(numbers, n))
    return _Sampled(first, second, pair_squares(rows, rows, first, second).sqrt())


def _unranked(numbers: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The pairs i < j of these numbers, in the order (0, 1), (0, 2), ..., (1, 2), ...: i begins at i(2n - i - 1)/2."""
    first = ((2 * n - 1 - ((2 * n - 1) ** 2 - 8 * numbers.double()).sqrt()) / 2).long()
    for _ in range(2):  # the root may be rounded across a whole number, to either side
        first -= (first * (2 * n - first - 1) // 2 > numbers).long()
        first += ((first + 1) * (2 * n - first - 2) // 2 <= numbers).long()
    return first, numbers - first * (2 * n - first - 1) // 2 + first + 1


def _transport(ours: Tensor, theirs: Tensor) -> _Transport:
    """W1 = E_F φ - E_G φ with φ(d) = ∫_d^∞ sign(F - G) du, up to a constant."""
    places = torch.cat([ours, theirs]).sort().values
    steps = places.diff()
    below = [torch.searchsorted(each.sort().values, places, right=True)[:-1].double() for each in (ours, theirs)]
    above = below[0] / len(ours) - below[1] / len(theirs)
    after = (above.sign() * steps).flip(0).cumsum(0).flip(0)
    potential = torch.cat([after, after.new_zeros(1)])
    at = [potential[torch.searchsorted(places, each)] for each in (ours, theirs)]
    return _Transport(float((above.abs() * steps).sum()), at[0], at[1])


def _variance(pairs: _Sampled, influence: Tensor, n: int) -> float:
    """Of the mean of a function of pairs: Σ e_p e_q / count² over all p and q with a sample in common."""
    errors = influence - influence.mean()
    sums = errors.new_zeros(n).index_add(0, pairs.first, errors).index_add(0, pairs.second, errors)
    alone = float(errors.square().sum())
    return max(float(sums.square().sum()) - alone, alone) / len(errors) ** 2


def _halves(real: Tensor, pairs: int | None, seed: int) -> float:
    """The gap between two random halves of the data."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(real))).to(real.device)
    first, second = (_sampled(real[half], pairs, seed).distances for half in order.tensor_split(2))
    mean = float(torch.cat([first, second]).mean())
    return _transport(first, second).value / mean if mean else 0.0


def _detail(ours: Tensor, theirs: Tensor) -> dict[str, Any]:
    medians = {"data": float(ours.median()), "model": float(theirs.median())}
    shift = {"shift": medians["model"] / medians["data"] - 1} if medians["data"] else {}
    return {**shift, "distribution": {**densities(ours, theirs), "medians": medians}}


def densities(data: Float[Tensor, " a"], model: Float[Tensor, " b"]) -> dict[str, list[float]]:
    """Histograms of two sets of distances over the same bins, each of area 1.

    Args:
        data: from 0.
        model: from 0.
    """
    edges = torch.linspace(0, max(float(data.max()), float(model.max())) or 1.0, BINS + 1, dtype=torch.float64)
    counted = [torch.histogram(each.double().cpu(), edges, density=True).hist.tolist() for each in (data, model)]
    return {"edges": edges.tolist(), "data": counted[0], "model": counted[1]}

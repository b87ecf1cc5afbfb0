"""Precision, recall, density and coverage: manifolds are unions of balls around samples."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agon.errors import SettingError
from agon.metrics.intervals import mean_score, share_score
from agon.metrics.neighbours import nearest_squares
from agon.metrics.pairwise import (
    Centring,
    SampleBlock,
    bounds,
    framed,
    pair_squares,
    product_dtype,
    sides,
    slack,
    together,
)
from agon.metrics.score import Score

STRIP = 256  # rows of a block whose points in balls are listed at a time
VAGUE = 0.05  # float64 if the bounds leave open this part of a squared radius, for this part of the balls


class Balls(NamedTuple):
    """Which balls contain which points.

    Attributes:
        counts: of each point, in how many balls it lies.
        occupied: of each ball, whether any point lies in it.
    """

    counts: Int[Tensor, " n"]
    occupied: Bool[Tensor, " m"]


def prdc(real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], k: int = 5) -> Mapping[str, Score]:
    """Precision, recall, density and coverage of generated samples.

    B(a) = {x : |x - a| < |a - NN_k(a)|} is the open ball around a, up to its k-th neighbour in its own set, a itself
    not counted:

    * "precision", 0 to 1: the share of fake samples in the ball of any real one.
    * "recall", 0 to 1: the share of real samples in the ball of any fake one.
    * "density", from 0: the mean number of real balls that contain a fake sample, divided by k. Real samples get 1 on
      average; more than 1 means that the fake samples lie where the real ones are dense.
    * "coverage", 0 to 1: the share of real samples whose ball contains any fake one. If both sets are n = m real
      samples, the expected value is about 1 - 2^-k.

    The standard errors are over the samples that are counted, with the other set's balls held fixed. Distances are
    exact, ties and copies included, so the result does not depend on blocks or the device. Memory beside the inputs:
    under 250 MB (mostly 80), and 300 bytes per sample. Do not confuse this with `precision_recall`, which uses closed
    balls and another k.

    Args:
        real: features of real samples, more than k.
        fake: features of generated samples, more than k.
        k: 1 or more.

    Returns:
        The scores by their names.

    Raises:
        DataError: there are too few samples, features of two lengths, or numbers that are not finite.
        SettingError: k is below 1.

    Source: Naeem et al. 2020; `compute_prdc` of the package prdc gives the same numbers.

    >>> real, fake = torch.arange(12.0)[:, None], torch.arange(6.0)[:, None] + 0.25
    >>> {name: round(score.value, 4) for name, score in prdc(real, fake, k=2).items()}
    {'precision': 1.0, 'recall': 0.6667, 'density': 1.0833, 'coverage': 0.5833}
    """
    real, fake = _features(real, fake, k)
    of_real, of_fake = balls(real, radii(real, k), fake, radii(fake, k), closed=False)
    share, mean = (partial(score, n=len(fake), n_real=len(real)) for score in (share_score, mean_score))
    rule = f"k {k}, open balls"
    return {
        "precision": share("precision", of_real.counts > 0, f"fake samples in a real ball; {rule}"),
        "recall": share("recall", of_fake.counts > 0, f"real samples in a fake ball; {rule}"),
        "density": mean("density", of_real.counts.double() / k, f"real balls that hold a fake sample / k; {rule}"),
        "coverage": share("coverage", of_real.occupied, f"real balls that hold a fake sample; {rule}"),
    }


def precision_recall(real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], k: int = 3) -> Mapping[str, Score]:
    """Improved precision and recall: the share of each set on the other's manifold.

    B(a) = {x : |x - a| <= |a - NN_k(a)|} is a closed ball. "precision" is the share of fake samples in the ball of any
    real one, "recall" the share of real samples in the ball of any fake one; both 0 to 1. A generator that makes few
    things well has high precision and low recall. Errors, exactness and memory are as for `prdc`.

    Args:
        real: features of real samples, more than k.
        fake: features of generated samples, more than k.
        k: 1 or more.

    Returns:
        The scores by their names.

    Raises:
        DataError: there are too few samples, features of two lengths, or numbers that are not finite.
        SettingError: k is below 1.

    Source: Kynkäänniemi et al. 2019, equations 1 and 2; torch-fidelity's `prc` gives the same numbers.

    >>> real, fake = torch.arange(12.0)[:, None], torch.arange(6.0)[:, None] + 0.25
    >>> {name: round(score.value, 4) for name, score in precision_recall(real, fake, k=2).items()}
    {'precision': 1.0, 'recall': 0.6667}
    """
    real, fake = _features(real, fake, k)
    of_real, of_fake = balls(real, radii(real, k), fake, radii(fake, k), closed=True)
    share = partial(share_score, n=len(fake), n_real=len(real))
    rule = f"k {k}, closed balls"
    return {
        "precision": share("precision", of_real.counts > 0, f"fake samples in a real ball; {rule}"),
        "recall": share("recall", of_fake.counts > 0, f"real samples in a fake ball; {rule}"),
    }


def radii(samples: Float[Tensor, "n d"], k: int) -> Float[Tensor, " n"]:
    """The squared distance from each sample to its k-th neighbour in its own set, itself not counted."""
    squares, _ = nearest_squares(samples, samples, k + 1, ties=False)  # the first one is itself, or a copy
    return squares[:, k]


def balls(
    real: Float[Tensor, "m d"],
    real_squares: Float[Tensor, " m"],
    fake: Float[Tensor, "n d"],
    fake_squares: Float[Tensor, " n"],
    *,
    closed: bool,
) -> tuple[Balls, Balls]:
    """Count the fake samples in the real balls, and the real ones in the fake balls, exactly, in one pass.

    Args:
        real: the centres of balls, and the points that may lie in the others'.
        real_squares: the squares of the real balls' radii.
        fake: the same.
        fake_squares: the same.
        closed: whether a ball holds its boundary.
    """
    pairs = _Pairs(real, fake, framed(real, fake), closed)
    dtype = max(_precision(real, real_squares, pairs.frame), _precision(fake, fake_squares, pairs.frame), key=_digits)
    of_real, of_fake = _empty(fake, real), _empty(real, fake)
    real_limits, fake_limits = (squares * pairs.frame.scale**2 for squares in (real_squares, fake_squares))
    for row, column, lower in bounds(fake, real, pairs.frame, dtype):
        columns = real_squares[column.rows], real_limits[column.rows]
        for start in range(0, len(lower), STRIP):
            rows = slice(start, start + STRIP)
            strip = SampleBlock(row.start + start, row.factors[rows], row.norms[rows])
            point, centre = pairs.inside(lower[rows], strip, column, *(each[None] for each in columns))
            _count(of_real, point + strip.start, centre + column.start)
            own = fake_squares[strip.rows], fake_limits[strip.rows]
            centre, point = pairs.inside(lower[rows], strip, column, *(each[:, None] for each in own))
            _count(of_fake, point + column.start, centre + strip.start)
    return of_real, of_fake


class _Pairs(NamedTuple):
    """Decides which pairs of a real and a fake sample are nearer to each other than a radius."""

    real: Float[Tensor, "m d"]
    fake: Float[Tensor, "n d"]
    frame: Centring
    closed: bool

    def inside(
        self,
        lower: Float[Tensor, "r c"],
        row: SampleBlock,
        column: SampleBlock,
        squares: Float[Tensor, "_r _c"],
        limits: Float[Tensor, "_r _c"],
    ) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
        """The fake and the real samples, counted within the block, of the pairs that are inside, by their bounds.

        Args:
            lower: bounds of the block's pairs.
            row: its fake samples.
            column: its real samples.
            squares: of radii, of the row or of the column.
            limits: the same in the unit of the bounds.
        """
        above = limits.to(lower.dtype).nextafter(lower.new_tensor(torch.inf))  # rounded up
        one, other = (lower <= above).nonzero().T
        gap = slack(self.real.shape[1], lower.dtype) * (row.norms[one] + column.norms[other])
        open_ = (lower[one, other] + gap >= limits.expand_as(lower)[one, other]).nonzero()[:, 0]
        pairs = one[open_] + row.start, other[open_] + column.start
        exact, own = pair_squares(self.fake, self.real, *pairs), squares.expand_as(lower)[one[open_], other[open_]]
        keep = torch.ones_like(one, dtype=torch.bool)
        keep[open_] = exact <= own if self.closed else exact < own
        return one[keep], other[keep]


def _empty(points: Tensor, centres: Tensor) -> Balls:
    counts = torch.zeros(len(points), dtype=torch.int64, device=points.device)
    return Balls(counts, torch.zeros(len(centres), dtype=torch.bool, device=points.device))


def _count(balls: Balls, points: Int[Tensor, " pairs"], centres: Int[Tensor, " pairs"]) -> None:
    """Add pairs of a point and the ball that holds it."""
    balls.counts.add_(torch.bincount(points, minlength=len(balls.counts)))
    balls.occupied[centres] = True


def _features(real: Tensor, fake: Tensor, k: int) -> tuple[Tensor, Tensor]:
    if k < 1:
        raise SettingError(f"k of a neighbourhood: expected 1 or more, got {k}; use 5")
    return together(real, fake, ("real features", "fake features"), least=k + 1)


def _precision(centres: Tensor, squares: Tensor, frame: Centring) -> torch.dtype:
    """float64 where the bounds of many balls would leave much open in float32: small ones, far from the middle."""
    dtype = product_dtype(centres.device)
    norms = torch.cat([side.norms for side in sides(centres, frame, dtype)])
    gaps, limits = 2 * norms * slack(centres.shape[1], dtype), squares * frame.scale**2
    vague = (gaps > VAGUE * limits) & (limits > 0)
    return torch.float64 if float(vague.double().mean()) > VAGUE else dtype


def _digits(dtype: torch.dtype) -> int:
    return torch.finfo(dtype).bits

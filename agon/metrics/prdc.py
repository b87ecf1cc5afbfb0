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
    of_real = balls(real, radii(real, k), fake, closed=False)
    of_fake = balls(fake, radii(fake, k), real, closed=False)
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
    of_real = balls(real, radii(real, k), fake, closed=True)
    of_fake = balls(fake, radii(fake, k), real, closed=True)
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
    centres: Float[Tensor, "m d"], squares: Float[Tensor, " m"], points: Float[Tensor, "n d"], *, closed: bool
) -> Balls:
    """Count the points in balls, exactly.

    Args:
        centres: of the balls.
        squares: of their radii.
        points: any.
        closed: whether a ball holds its boundary.
    """
    frame = framed(centres, points)
    dtype = _precision(centres, squares, frame)
    counts = torch.zeros(len(points), dtype=torch.int64, device=points.device)
    occupied = torch.zeros(len(centres), dtype=torch.bool, device=points.device)
    for row, column, lower in bounds(points, centres, frame, dtype):
        for start in range(0, len(lower), STRIP):
            rows = slice(start, start + STRIP)
            strip = SampleBlock(row.start + start, row.factors[rows], row.norms[rows])
            point, centre = _inside(lower[rows], strip, column, points, centres, squares, frame, closed)
            counts += torch.bincount(point, minlength=len(points))
            occupied[centre] = True
    return Balls(counts, occupied)


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


def _inside(
    lower: Tensor,
    row: SampleBlock,
    column: SampleBlock,
    points: Tensor,
    centres: Tensor,
    squares: Tensor,
    frame: Centring,
    closed: bool,
) -> tuple[Tensor, Tensor]:
    """The numbers of the points and of the centres of the balls that hold them, of one block, pair by pair."""
    limits = squares[column.rows] * frame.scale**2
    above = limits.to(lower.dtype).nextafter(lower.new_tensor(torch.inf))  # rounded up
    point, centre = (lower <= above).nonzero().T
    gap = slack(points.shape[1], lower.dtype) * (row.norms[point] + column.norms[centre])
    open_ = (lower[point, centre] + gap >= limits[centre]).nonzero()[:, 0]
    point, centre = point + row.start, centre + column.start
    exact, limits = pair_squares(points, centres, point[open_], centre[open_]), squares[centre[open_]]
    keep = torch.ones_like(point, dtype=torch.bool)
    keep[open_] = exact <= limits if closed else exact < limits
    return point[keep], centre[keep]

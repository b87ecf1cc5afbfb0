"""Mode coverage on a known mixture of Gaussians: which modes a generator makes, how well, and how often."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import share_score
from agon.metrics.score import Score
from agon.metrics.shares import covered_interval, share_divergence

WITHIN = 3.0  # the most standard deviations of a good sample from its nearest mode
SHARE = 0.1  # the least part of a mode's expected samples that covers it
BLOCK = 4096  # samples whose distances to all modes are in memory at a time


class Coverage(NamedTuple):
    """The three scores of `mode_coverage`, in this order."""

    modes: Score
    quality: Score
    divergence: Score


def mode_coverage(
    samples: Float[Tensor, "n d"],
    modes: Float[Tensor, "m _"],
    std: float,
    share: float = SHARE,
    weights: Num[Tensor, " _"] | None = None,
) -> Coverage:
    """How many of m modes the samples cover, how many samples are good, and whether the modes' shares are right.

    * "modes", 0 to m: a mode k of weight w_k is covered if at least `share` n w_k good samples are nearest to it. The
      detail "touched" counts the modes with 1 good sample or more, which is the rule used elsewhere; that count grows
      with n, since a single stray sample is enough. The interval is a bootstrap's (`covered_interval`).
    * "quality", 0 to 1: the share of good samples. A sample is good if it lies within 3 standard deviations
      (Euclidean) of its nearest mode. The error is binomial, the interval Wilson's. Real samples of d coordinates get
      P(χ²_d <= 9), which is the detail "real": 0.9889 for d = 2.
    * "mode-divergence", 0 to max_k log 1/w_k nats: KL(h || w) = Σ h_k log(h_k / w_k) of the shares h_k of *all*
      samples, good or not, each counted in its nearest mode; so it says nothing about quality. n real samples get
      about (m - 1) / 2n, not 0; the detail "real" is their exact mean. `share_divergence` documents the error.

    Args:
        samples: at least 2 points of d finite coordinates.
        modes: "m d", the centres of the modes, all different.
        std: standard deviation of every mode in every direction, above 0.
        share: the part of a mode's expected samples that it needs, above 0 and at most 1.
        weights: "m", the modes' weights in the data, above 0; only their ratios matter. By default all are equal.

    Raises:
        DataError: there are fewer than 2 samples, the coordinates do not match the modes', numbers are not finite, or
            `weights` does not hold m numbers above 0.

    Source: Srivastava et al. 2017 (VEEGAN) and Lin et al. 2018 (PacGAN), their synthetic data: "modes
    captured", "high quality samples" and "reverse KL".

    >>> modes = torch.tensor([[0.0], [1.0]])
    >>> [score.value for score in mode_coverage(modes[[0, 0, 0, 1]] + 0.05, modes, std=0.1)][:2]
    [2, 1.0]
    """
    nearest, good = _assign(samples, modes, std)
    n, m = len(samples), len(modes)
    mode_weights, weighting = _weights(weights, m), f"1/{m} each" if weights is None else f"the true ones of {m}"
    good_counts = torch.bincount(nearest[good], minlength=m).cpu()
    least = (share * n * mode_weights).clamp_min(1.0)
    rule = f"good within {WITHIN:g} standard deviations of {std:g}"
    return Coverage(
        Score(
            name="modes",
            value=int((good_counts >= least).sum()),
            interval=covered_interval(good_counts, least, n),
            n=n,
            protocol=f"of {m}; a mode counts from {share:.0%} of its fair part, {rule}",
            detail={"touched": int((good_counts > 0).sum()), "histogram": good_counts.tolist()},
        ),
        _quality(good, samples.shape[1], rule),
        share_divergence(
            "mode-divergence",
            torch.bincount(nearest, minlength=m),
            mode_weights,
            f"nats from the shares of all samples in their nearest modes to {weighting}",
        ),
    )


def modes_held(over_time: Sequence[Coverage]) -> Score:
    """How many different modes held more than half of all samples at some step of a training.

    A generator that covers the modes gets 0; one that has collapsed onto a mode and stays there gets 1; one that has
    collapsed and rotates from mode to mode gets up to m. Samples of a single step cannot show rotation.

    Args:
        over_time: `mode_coverage` of one training's samples at each of n steps, n >= 1.

    Returns:
        "modes-held"; its n is the number of steps.

    Raises:
        DataError: there are no steps.
    """
    if not over_time:
        raise DataError("modes held: expected the samples of one step of a training or more, got none")
    dominant = set()
    for coverage in over_time:
        shares = list(coverage.divergence.detail["shares"])
        if 2 * max(shares) > sum(shares):
            dominant.add(shares.index(max(shares)))
    return Score(
        name="modes-held",
        value=len(dominant),
        n=len(over_time),
        protocol="modes that were the nearest one of over half of the samples, at one of n steps",
        detail={"held": sorted(dominant)},
    )


def _assign(samples: Float[Tensor, "n d"], modes: Float[Tensor, "m _"], std: float) -> tuple[Int[Tensor, " n"], Tensor]:
    """The nearest mode of each sample, and whether it is good."""
    if len(samples) < 2 or samples.shape[1] != modes.shape[1]:
        raise DataError(
            f"modes covered: expected at least 2 samples of {modes.shape[1]} coordinates, got {tuple(samples.shape)}"
        )
    non_finite = int((~samples.isfinite().all(dim=1)).sum())
    if non_finite:
        raise DataError(f"modes covered: expected finite samples, got {non_finite} of {len(samples)} that are not")
    if not (math.isfinite(std) and std > 0):
        raise DataError(f"modes covered: expected a standard deviation above 0, got {std}")
    centres = modes.double().to(samples.device)
    minima = [
        (block.double()[:, None] - centres).square().sum(dim=2).min(dim=1)  # b m -> b
        for block in torch.split(samples, BLOCK)
    ]
    squares, nearest = torch.cat([part.values for part in minima]), torch.cat([part.indices for part in minima])
    return nearest, squares <= (WITHIN * std) ** 2


def _weights(weights: Num[Tensor, " _"] | None, m: int) -> Float[Tensor, " m"]:
    """The modes' shares of the data."""
    if weights is None:
        return torch.full((m,), 1 / m, dtype=torch.float64)
    mode_weights = weights.double().cpu()
    if len(mode_weights) != m or not bool((mode_weights.isfinite() & (mode_weights > 0)).all()):
        raise DataError(f"modes covered: expected {m} finite weights above 0, got {weights.tolist()}")
    return mode_weights / mode_weights.sum()


def _quality(good: Bool[Tensor, " n"], d: int, rule: str) -> Score:
    real = float(torch.special.gammainc(torch.tensor(d / 2, dtype=torch.float64), torch.tensor(WITHIN**2 / 2)))
    protocol = f"share of samples {rule}; {real:.4f} for real ones"
    return share_score("quality", good, protocol, n=len(good), detail={"real": real})

"""Which modes of a known mixture of Gaussians a generator makes, how well, and in which shares."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import share_score
from agon.metrics.score import Score
from agon.metrics.shares import found_interval, share_divergence

WITHIN = 3.0  # standard deviations from the nearest mode
SHARE = 0.1  # of a mode's fair part of the samples
BLOCK = 4096  # samples whose distances to all modes are in memory together


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
    """How many of m modes of weights w are covered, how good the samples are, how right their shares.

    * "modes", 0 to m: a mode is covered if at least `share` of its fair part n w_k of the samples is
      good and nearest to it. That one such sample is enough, as elsewhere, makes the number grow
      with n alone: a stray one in ten thousand would count. It is in the detail, as "touched". Its interval
      is a bootstrap's (`found_interval`).
    * "quality", 0 to 1: the share of good samples, those within 3 standard deviations (Euclidean) of
      their nearest mode, with its binomial standard error and Wilson's interval. Real samples of d coordinates have
      P(χ²_d <= 9), in the detail as "real": 0.9889 for d = 2.
    * "mode-divergence", 0 to max_k log 1/w_k nats: KL(h || w) = Σ h_k log(h_k / w_k) of the shares h_k of *all*
      samples, each in its nearest mode, good or not, so that it is defined for any samples and says
      nothing about their quality. n real samples have a mean of about (m - 1) / 2n, not 0; exactly, it
      is in the detail as "real". For its error see `share_divergence`.

    Args:
        samples: finite numbers; at least 2 of them.
        modes: their places, distinct, of d coordinates.
        std: standard deviation of each mode in each direction, above 0.
        share: of a mode's fair part, above 0, at most 1.
        weights: of the m modes in the data, above 0; their sum does not matter. By default all are equally heavy.

    Raises:
        DataError: fewer than 2 samples, other coordinates than the modes', numbers that are not finite, or weights
            that are not above 0 or not m.

    Source: Srivastava et al. 2017 (VEEGAN) and Lin et al. 2018 (PacGAN), their synthetic data: "modes
    captured", "high quality samples" and "reverse KL".

    >>> modes = torch.tensor([[0.0], [1.0]])
    >>> [score.value for score in mode_coverage(modes[[0, 0, 0, 1]] + 0.05, modes, std=0.1)][:2]
    [2, 1.0]
    """
    nearest, good = _assigned(samples, modes, std)
    n, m = len(samples), len(modes)
    heavy, whose = _weights(weights, m), f"1/{m} each" if weights is None else f"the true ones of {m}"
    held = torch.bincount(nearest[good], minlength=m).cpu()
    least = (share * n * heavy).clamp_min(1.0)
    rule = f"good within {WITHIN:g} standard deviations of {std:g}"
    return Coverage(
        Score(
            name="modes",
            value=int((held >= least).sum()),
            interval=found_interval(held, least, n),
            n=n,
            protocol=f"of {m}; a mode counts from {share:.0%} of its fair part, {rule}",
            detail={"touched": int((held > 0).sum()), "histogram": held.tolist()},
        ),
        _quality(good, samples.shape[1], rule),
        share_divergence(
            "mode-divergence",
            torch.bincount(nearest, minlength=m),
            heavy,
            f"nats from the shares of all samples in their nearest modes to {whose}",
        ),
    )


def modes_held(over_time: Sequence[Coverage]) -> Score:
    """How many modes had more than half of all samples in turn, each at another time of a training.

    0 for a generator that spreads, 1 for one that has collapsed and stays, and up to m for one that has
    collapsed and rotates: what one look at its samples cannot tell.

    Args:
        over_time: the coverage of one training's samples at several steps, at least 1.

    Raises:
        DataError: no steps.
    """
    if not over_time:
        raise DataError("modes held: expected the samples of one step of a training or more, got none")
    held = set()
    for coverage in over_time:
        shares = list(coverage.divergence.detail["shares"])
        if 2 * max(shares) > sum(shares):
            held.add(shares.index(max(shares)))
    return Score(
        name="modes-held",
        value=len(held),
        n=len(over_time),
        protocol="modes that were the nearest one of over half of the samples, at one of n steps",
        detail={"held": sorted(held)},
    )


def _assigned(
    samples: Float[Tensor, "n d"], modes: Float[Tensor, "m _"], std: float
) -> tuple[Int[Tensor, " n"], Tensor]:
    """The nearest mode of each sample, and whether it is good."""
    if len(samples) < 2 or samples.shape[1] != modes.shape[1]:
        raise DataError(
            f"modes covered: expected at least 2 samples of {modes.shape[1]} coordinates, got {tuple(samples.shape)}"
        )
    lost = int((~samples.isfinite().all(dim=1)).sum())
    if lost:
        raise DataError(f"modes covered: expected finite samples, got {lost} of {len(samples)} that are not")
    if not (math.isfinite(std) and std > 0):
        raise DataError(f"modes covered: expected a standard deviation above 0, got {std}")
    centres = modes.double().to(samples.device)
    found = [
        (block.double()[:, None] - centres).square().sum(dim=2).min(dim=1)  # b m -> b
        for block in torch.split(samples, BLOCK)
    ]
    squares, nearest = torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])
    return nearest, squares <= (WITHIN * std) ** 2


def _weights(weights: Num[Tensor, " _"] | None, m: int) -> Float[Tensor, " m"]:
    """The modes' shares of the data."""
    if weights is None:
        return torch.full((m,), 1 / m, dtype=torch.float64)
    heavy = weights.double().cpu()
    if len(heavy) != m or not bool((heavy.isfinite() & (heavy > 0)).all()):
        raise DataError(f"modes covered: expected {m} finite weights above 0, got {weights.tolist()}")
    return heavy / heavy.sum()


def _quality(good: Bool[Tensor, " n"], d: int, rule: str) -> Score:
    real = float(torch.special.gammainc(torch.tensor(d / 2, dtype=torch.float64), torch.tensor(WITHIN**2 / 2)))
    protocol = f"share of samples {rule}; {real:.4f} for real ones"
    return share_score("quality", good, protocol, n=len(good), detail={"real": real})

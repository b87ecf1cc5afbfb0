"""The kernel distance, a squared maximum mean discrepancy of features; on Inception's features it is KID."""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import SettingError
from agon.metrics.intervals import NORMAL
from agon.metrics.moments import doubles, expect_features
from agon.metrics.score import Score
from agon.terminal.waiting import tracked

LEAST = 4  # the fewest samples of a subset: its variances have s - 3 degrees of freedom


def kernel_distance(
    real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], *, subsets: int = 100, size: int = 1000, seed: int = 2020
) -> Score:
    """The unbiased kernel distance between real and generated features; on Inception's features it is KID.

        E k(f, f') + E k(r, r') - 2 E k(f, r),   k(x, y) = (xᵀy/d + 1)³,

    with means over pairs of distinct samples, averaged over random subsets. The subsets are those of torch-fidelity
    when it takes the generated features first. Lower is better; if both sides have the same distribution, slightly
    negative values are correct.

    The "±" that papers print is the standard deviation over subsets, which mainly reflects their size; it is the detail
    "deviation". The standard error here describes new samples of both sides. It uses the variances of the Hoeffding
    decomposition's terms, estimated without bias in each subset: Var U(n, m) is exact, and B subsets of s samples add
    (Var U(s, s) - Var U(n, m)) / B.

    Memory: 3 s² + 2 s d float64 for any n. The order of the samples changes the subsets.

    Args:
        real: features of real samples, finite; at least `size` of them.
        fake: features of generated ones, as many or more.
        subsets: B, the number of subsets, at least 1.
        size: s, the samples of each subset, at least 4.
        seed: chooses the subsets, 0 to 2³² - 1.

    Returns:
        "kernel-distance", without a unit.

    Raises:
        DataError: the sides have different coordinates, fewer samples than `size`, or numbers that are not finite.
        SettingError: `subsets` or `size` is out of range.

    Source: Bińkowski et al. 2018, section 4 (KID); Gretton et al. 2012, equation 3; Hoeffding 1948 for the variance.

    >>> x = torch.randn(200, 8, generator=torch.Generator().manual_seed(0))
    >>> kernel_distance(x[:100], x[100:], size=50).value < 0.1 < kernel_distance(x[:100], x[100:] + 1, size=50).value
    True
    """
    if subsets < 1 or size < LEAST:
        raise SettingError(f"kernel distance: expected 1 subset of {LEAST} or more, got {subsets} of {size}")
    expect_features("kernel distance", real, fake, size, f"give more, or subsets of a smaller size than {size}")
    draws = np.random.RandomState(seed)
    results = []
    for _ in tracked(range(subsets), f"subsets of {size:,} samples", subsets):
        chosen = [draws.choice(len(features), size, replace=False) for features in (fake, real)]
        fake_subset, real_subset = (
            doubles(features[torch.from_numpy(i)]) for features, i in zip((fake, real), chosen, strict=True)
        )
        results.append(_subset(fake_subset, real_subset.to(fake_subset.device)))
    value = float(np.mean([result.value for result in results]))
    terms = _Terms(*np.mean([result.terms for result in results], axis=0).clip(min=0).tolist())
    all_samples, one_subset = terms.variance(len(fake), len(real)), terms.variance(size, size)
    error = math.sqrt(all_samples + (one_subset - all_samples) / subsets)
    return Score(
        name="kernel-distance",
        value=value,
        error=error,
        interval=(value - NORMAL * error, value + NORMAL * error),
        n=len(fake),
        n_real=len(real),
        protocol=f"{real.shape[1]} features, cubic kernel, {subsets} subsets of {size} drawn with seed {seed}",
        detail={"deviation": float(np.std([result.value for result in results])), "subsets": subsets, "size": size},
    )


class _Terms(NamedTuple):
    """Variances of the Hoeffding decomposition: of g(x) = E k(x, X') - E k(x, Y) for each side, and of the pairs."""

    x: float
    y: float
    xx: float
    yy: float
    xy: float

    def variance(self, n: int, m: int) -> float:
        """The variance of the unbiased estimate from n and m samples."""
        single = 4 * self.x / n + 4 * self.y / m
        pairs = 2 * self.xx / (n * (n - 1)) + 2 * self.yy / (m * (m - 1)) + 4 * self.xy / (n * m)
        return single + pairs


class _Subset(NamedTuple):
    value: float
    terms: _Terms


class _Block(NamedTuple):
    """A kernel matrix's summary: its mean, the means of its rows and columns, and the residual variance."""

    mean: float
    rows: Float[Tensor, " s"]
    columns: Float[Tensor, " s"]
    residual: float


def _subset(x: Float[Tensor, "s d"], y: Float[Tensor, "s d"]) -> _Subset:
    xx, yy, xy, s = _within(x), _within(y), _between(x, y), len(x)
    noise_x, noise_y = (same.residual / (s - 1) + xy.residual / s for same in (xx, yy))  # of a mean over s partners
    g_x, g_y = float((xx.rows - xy.rows).var()) - noise_x, float((yy.rows - xy.columns).var()) - noise_y
    return _Subset(xx.mean + yy.mean - 2 * xy.mean, _Terms(g_x, g_y, xx.residual, yy.residual, xy.residual))


def _within(x: Float[Tensor, "s d"]) -> _Block:
    """The summary for one side's pairs of distinct samples, without the diagonal."""
    K, s = _kernel(x, x).fill_diagonal_(0), len(x)
    rows = K.sum(1) / (s - 1)
    mean = float(rows.mean())
    effect = (rows - mean) * ((s - 1) / (s - 2))  # least squares of k_ij = mean + effect_i + effect_j, i ≠ j
    K.sub_(effect[:, None]).sub_(effect).sub_(mean).fill_diagonal_(0)
    return _Block(mean, rows, rows, float(K.square_().sum()) / (s * (s - 3)))


def _between(x: Float[Tensor, "s d"], y: Float[Tensor, "s d"]) -> _Block:
    K, s = _kernel(x, y), len(x)
    rows, columns = K.mean(1), K.mean(0)
    mean = float(rows.mean())
    K.sub_(rows[:, None]).sub_(columns).add_(mean)
    return _Block(mean, rows, columns, float(K.square_().sum()) / (s - 1) ** 2)


def _kernel(x: Float[Tensor, "s d"], y: Float[Tensor, "s d"]) -> Float[Tensor, "s s"]:
    return (x @ y.T).div_(x.shape[1]).add_(1).pow_(3)

"""The kernel distance, a squared maximum mean discrepancy of features; on Inception's features it is KID."""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.errors import SettingError
from agon.metrics import kernel_sums
from agon.metrics.intervals import NORMAL
from agon.metrics.moments import doubles, expect_features
from agon.metrics.score import Score
from agon.terminal.waiting import tracked

FEW = 100  # samples whose kernels show its size
PARTS = 4  # blocks of a symmetric matrix's rows
LEAST = 4  # the fewest samples of a subset: its variances have s - 3 degrees of freedom

Subsets = Int[Tensor, "B s"]
Kernel = Float[Tensor, "_ _"]


def kernel_distance(
    real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], *, subsets: int = 100, size: int = 1000, seed: int = 2020
) -> Score:
    """The unbiased kernel distance between real and generated features; on Inception's features it is KID.

        E k(f, f') + E k(r, r') - 2 E k(f, r),   k(x, y) = (xᵀy/d + 1)³,

    with means over pairs of distinct samples, averaged over random subsets. The subsets are those of torch-fidelity
    when it takes the generated features first. Lower is better; if both sides have the same distribution, slightly
    negative values are correct.

    Features of float32 are multiplied in float32, as torch-fidelity does; all else is float64. It moves values by 3e-8.

    The "±" that papers print is the standard deviation over subsets, which mainly reflects their size; it is the detail
    "deviation". The standard error here describes new samples of both sides. It uses the variances of the Hoeffding
    decomposition's terms, estimated without bias in each subset: Var U(n, m) is exact, and B subsets of s samples add
    (Var U(s, s) - Var U(n, m)) / B.

    Memory: 3 s² + 2 s d float64 for any n, and 10 B n more where each pair's kernel is computed once, since the subsets
    have more pairs than the sets. The order of the samples changes the subsets.

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
    pairs = [[draws.choice(len(side), size, replace=False) for side in (fake, real)] for _ in range(subsets)]
    device = doubles(fake[:0]).device
    chosen = [torch.from_numpy(np.stack(side)).to(device) for side in zip(*pairs, strict=True)]
    entries = len(fake) ** 2 + len(real) ** 2 + len(fake) * len(real)
    of_subsets = _of_all if entries <= 3 * size**2 * subsets else _of_each
    results = of_subsets(fake.to(device), real.to(device), *chosen)
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


def _of_all(x: Tensor, y: Tensor, of_x: Subsets, of_y: Subsets) -> list[_Subset]:
    """All subsets at once, by the kernels of all pairs."""
    M, N = kernel_sums.indicators(of_x, len(x)), kernel_sums.indicators(of_y, len(y))
    shift, s = float(kernel_sums.polynomial(x[:FEW], y[:FEW]).mean()), of_x.shape[1]  # so that squares keep digits
    xx, yy = kernel_sums.within(x, M, shift), kernel_sums.within(y, N, shift)
    xy = kernel_sums.between(x, y, M, N, shift)
    noise_x, noise_y = (same.residual / (s - 1) + xy.residual / s for same in (xx, yy))
    g_x = kernel_sums.variance(xx.rows - xy.rows, M) - noise_x
    g_y = kernel_sums.variance(yy.rows - xy.columns, N) - noise_y
    terms = torch.stack([g_x, g_y, xx.residual, yy.residual, xy.residual], 1).tolist()
    values = (xx.mean + yy.mean - 2 * xy.mean).tolist()
    return [_Subset(value, _Terms(*row)) for value, row in zip(values, terms, strict=True)]


def _of_each(x: Tensor, y: Tensor, of_x: Subsets, of_y: Subsets) -> list[_Subset]:
    """One subset after another, by the kernels of its own pairs."""
    results = []
    for i, j in tracked(list(zip(of_x, of_y, strict=True)), f"subsets of {of_x.shape[1]:,} samples", len(of_x)):
        one, other = x[i], y[j]
        results.append(_of_subset(_symmetric(one), _symmetric(other), kernel_sums.polynomial(one, other)))
    return results


def _symmetric(x: Float[Tensor, "s d"]) -> Kernel:
    """The kernel of one side's pairs, each of which is computed once, but for the diagonal blocks."""
    K, width = x.new_empty(len(x), len(x), dtype=torch.float64), -(-len(x) // PARTS)
    for start in range(0, len(x), width):
        end = start + width
        K[start:end, start:] = kernel_sums.polynomial(x[start:end], x[start:])
        K[end:, start:end] = K[start:end, end:].T
    return K


def _of_subset(xx: Kernel, yy: Kernel, xy: Kernel) -> _Subset:
    x, y, both, s = _within(xx), _within(yy), _between(xy), len(xy)
    noise_x, noise_y = (same.residual / (s - 1) + both.residual / s for same in (x, y))  # of a mean over s partners
    g_x, g_y = float((x.rows - both.rows).var()) - noise_x, float((y.rows - both.columns).var()) - noise_y
    return _Subset(x.mean + y.mean - 2 * both.mean, _Terms(g_x, g_y, x.residual, y.residual, both.residual))


def _within(K: Kernel) -> _Block:
    """The summary for one side's pairs of distinct samples, without the diagonal; K is overwritten."""
    K, s = K.fill_diagonal_(0), len(K)
    rows = K.sum(1) / (s - 1)
    mean = float(rows.mean())
    effect = (rows - mean) * ((s - 1) / (s - 2))  # least squares of k_ij = mean + effect_i + effect_j, i ≠ j
    K.sub_(effect[:, None]).sub_(effect).sub_(mean).fill_diagonal_(0)
    return _Block(mean, rows, rows, float(K.square_().sum()) / (s * (s - 3)))


def _between(K: Kernel) -> _Block:
    """The summary for pairs of the two sides; K is overwritten."""
    rows, columns, s = K.mean(1), K.mean(0), len(K)
    mean = float(rows.mean())
    K.sub_(rows[:, None]).sub_(columns).add_(mean)
    return _Block(mean, rows, columns, float(K.square_().sum()) / (s - 1) ** 2)

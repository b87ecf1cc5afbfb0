"""Sums of a kernel matrix over many subsets of its samples at once: products with the subsets' indicators.

With M "n B" whose columns are 1 at a subset's samples, K M has the sums of each row over each subset, and
Σ_i M_ib (K∘K M)_ib the sum of squares. So each kernel value is computed once, whatever the number of subsets.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.metrics.moments import doubles
from agon.metrics.pairwise import product_dtype
from agon.terminal.waiting import stage

BLOCK = 512  # rows of a kernel matrix in memory at a time


class Summary(NamedTuple):
    """What each subset's kernel matrix has.

    Attributes:
        mean: of its entries, without the diagonal within one side.
        rows: mean of each sample's row, for samples of the subset; 0 elsewhere.
        columns: the same of columns.
        residual: variance of what mean, rows and columns leave.
    """

    mean: Float[Tensor, " B"]
    rows: Float[Tensor, "n B"]
    columns: Float[Tensor, "m B"]
    residual: Float[Tensor, " B"]


def indicators(chosen: Int[Tensor, "B s"], n: int) -> Float[Tensor, "n B"]:
    """1 where a sample is in a subset."""
    return torch.zeros(n, len(chosen), dtype=torch.float64, device=chosen.device).scatter_(0, chosen.T, 1.0)


def polynomial(x: Float[Tensor, "s d"], y: Float[Tensor, "t d"]) -> Float[Tensor, "s t"]:
    """k(x, y) = (xᵀy/d + 1)³, in float64, but for the product of features that are float32 themselves."""
    dtype = torch.float64 if torch.float64 in (x.dtype, y.dtype) else product_dtype(x.device)
    return doubles(x.to(dtype) @ y.to(dtype).T).div_(x.shape[1]).add_(1).pow_(3)


def within(x: Float[Tensor, "n d"], subsets: Float[Tensor, "n B"], shift: float) -> Summary:
    """The summary for pairs of distinct samples of one side; `shift` is subtracted from the kernel."""
    rows, squares, s = torch.zeros_like(subsets), subsets.new_zeros(subsets.shape[1]), float(subsets[:, 0].sum())
    with stage("kernel of all pairs", len(x)) as advance:
        for start in range(0, len(x), BLOCK):
            block, rest = slice(start, start + BLOCK), slice(start + BLOCK, None)
            K = polynomial(x[block], x[start:]).sub_(shift)
            own, others = K[:, :BLOCK], K[:, BLOCK:]  # with themselves, and with later ones
            own.fill_diagonal_(0)
            rows[block] += K @ subsets[start:]
            rows[rest] += others.T @ subsets[block]
            K.square_()
            squares += ((own @ subsets[block] + 2 * (others @ subsets[rest])) * subsets[block]).sum(0)
            advance(len(K))
    rows = rows * subsets / (s - 1)
    mean = rows.sum(0) / s
    effects = ((rows - mean) * ((s - 1) / (s - 2)) * subsets).square().sum(0)  # of k_ij = mean + effect_i + effect_j
    left = squares - s * (s - 1) * mean.square() - 2 * (s - 2) * effects
    return Summary(mean, rows, rows, left.clamp_min(0) / (s * (s - 3)))


def between(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    of_x: Float[Tensor, "n B"],
    of_y: Float[Tensor, "m B"],
    shift: float,
) -> Summary:
    """The summary for pairs of the two sides."""
    rows, columns, s = torch.zeros_like(of_x), torch.zeros_like(of_y), float(of_x[:, 0].sum())
    squares = of_x.new_zeros(of_x.shape[1])
    with stage("kernel of all pairs", len(x)) as advance:
        for start in range(0, len(x), BLOCK):
            block = slice(start, start + BLOCK)
            K = polynomial(x[block], y).sub_(shift)
            rows[block] = K @ of_y
            columns += K.T @ of_x[block]
            squares += (K.square_() @ of_y * of_x[block]).sum(0)
            advance(len(K))
    rows, columns = rows * of_x / s, columns * of_y / s
    mean = rows.sum(0) / s
    effects = sum(((each - mean) * of).square().sum(0) for each, of in ((rows, of_x), (columns, of_y)))
    left = squares - s**2 * mean.square() - s * effects
    return Summary(mean, rows, columns, left.clamp_min(0) / (s - 1) ** 2)


def variance(values: Float[Tensor, "n B"], subsets: Float[Tensor, "n B"]) -> Float[Tensor, " B"]:
    """The unbiased variance of each subset's values, which are 0 elsewhere."""
    s = float(subsets[:, 0].sum())
    return ((values - values.sum(0) / s) * subsets).square().sum(0) / (s - 1)

"""The nearest samples of another set, exactly."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from agon.errors import SettingError
from agon.metrics.pairwise import Centring, bounds, framed, pair_squares, product_dtype, slack, together

SPARE = 8  # candidates beside the k, so that nearly every query is decided by its bounds


class Neighbours(NamedTuple):
    """The k nearest samples of each query, the nearest first.

    Attributes:
        distances: "n k", Euclidean, float64.
        indices: "n k", their numbers in the reference.
    """

    distances: Float[Tensor, "n k"]
    indices: Int[Tensor, "n k"]


class _Found(NamedTuple):
    """As `Neighbours`, with squared distances, and whether a query's are certain."""

    squares: Float[Tensor, "n k"]
    indices: Int[Tensor, "n k"]
    sure: Bool[Tensor, " n"]


def nearest_neighbours(queries: Shaped[Tensor, "n ..."], reference: Shaped[Tensor, "m ..."], k: int = 1) -> Neighbours:
    """The k nearest reference samples of each query, min_j |x_i - y_j|, by Euclidean distance.

    Exact: the distances are Σ (x - y)² summed in float64 (1e-14 relative), the neighbours are those that they say,
    a tie goes to the lower number, and a copy is at 0; whatever the blocks and the device. A query that is itself
    in the reference is its own nearest neighbour.

    Memory beside the inputs and the result: under 100 MB, and 100 (k + 8) bytes a query. Time: about that of the
    matrix product queries × reference in float32; only where many more than k samples are tied is it more.

    Args:
        queries: "n" samples of any shape, uint8 or floating.
        reference: "m" samples of the same shape.
        k: from 1 to m.

    Raises:
        DataError: no samples, of two shapes, or not finite.
        SettingError: k is not from 1 to m.

    >>> found = nearest_neighbours(torch.tensor([[0.9], [5.0]]), torch.tensor([[0.0], [1.0], [2.0]]), k=2)
    >>> found.indices.tolist()
    [[1, 0], [2, 1]]
    """
    queries, reference = together(queries, reference, ("queries", "reference"))
    squares, indices = nearest_squares(queries, reference, k)
    return Neighbours(squares.sqrt(), indices)


def nearest_squares(
    queries: Shaped[Tensor, "n d"], reference: Shaped[Tensor, "m d"], k: int, *, ties: bool = True
) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
    """Squared distances and numbers of the k nearest, exactly; of `flat` samples.

    Args:
        queries: uint8 or floating.
        reference: the same.
        k: from 1 to m.
        ties: whether to look for the lowest numbers among tied ones. Without, the distances are the same
            to 1e-12 of |a|² + |b|², and a collapsed set takes no longer than another one.
    """
    if not 1 <= k <= len(reference):
        raise SettingError(f"k: expected from 1 to the {len(reference)} samples of the reference, got {k}")
    frame = framed(reference, queries)
    found = _searched(queries, reference, k, frame, product_dtype(queries.device), ties)
    again = (~found.sure).nonzero()[:, 0]
    if len(again):
        better = _searched(queries[again], reference, k, frame, torch.float64, ties)
        for to, values in zip(found, better, strict=True):
            to[again] = values
    for row in (~found.sure).nonzero()[:, 0]:
        found.squares[row], found.indices[row] = _one(queries, reference, row, k)
    return found.squares, found.indices


def _searched(queries: Tensor, reference: Tensor, k: int, frame: Centring, dtype: torch.dtype, ties: bool) -> _Found:
    """The k nearest among the candidates, and whether no other sample can be nearer, or lower in number."""
    least, indices, gap = _candidates(queries, reference, k + SPARE, frame, dtype)
    near = least <= (least[:, k - 1] + gap)[:, None]  # no other candidate can be among the k
    squares, indices = _ordered(queries, reference, near, indices)
    squares, indices = squares[:, :k].contiguous(), indices[:, :k].contiguous()
    last, beyond = squares[:, -1] * frame.scale**2, least[:, -1]  # whoever is no candidate is beyond it
    if not ties and dtype == torch.float64:
        beyond = beyond + gap
    sure = (last < beyond) | (least.shape[1] == len(reference))
    return _Found(squares, indices, sure if ties else sure | (last == 0))


def _candidates(
    queries: Tensor, reference: Tensor, width: int, frame: Centring, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """The least lower bounds of each query, ascending, their samples, and how much above one the square may be."""
    n, width, device = len(queries), min(width, len(reference)), queries.device
    least = torch.full((n, width), torch.inf, dtype=dtype, device=device)
    indices = torch.zeros((n, width), dtype=torch.int64, device=device)
    norms, largest = torch.zeros(n, dtype=torch.float64, device=device), 0.0
    for row, column, lower in bounds(queries, reference, frame, dtype):
        values, places = lower.topk(min(width, lower.shape[1]), largest=False, sorted=False)
        values, places = torch.cat([least[row.rows], values], 1), places + column.start
        least[row.rows], chosen = values.topk(width, largest=False)
        indices[row.rows] = torch.cat([indices[row.rows], places], 1).gather(1, chosen)
        norms[row.rows], largest = row.norms, max(largest, float(column.norms.max()))
    return least.double(), indices, slack(queries.shape[1], dtype) * (norms + largest)


def _ordered(queries: Tensor, reference: Tensor, near: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Exact squares of the candidates that are `near`, each query's in ascending order, then by number."""
    indices, order = indices.sort(1)
    near = near.gather(1, order)
    squares = torch.full(near.shape, torch.inf, dtype=torch.float64, device=near.device)
    squares[near] = pair_squares(queries, reference, near.nonzero()[:, 0], indices[near])
    squares, order = squares.sort(dim=1, stable=True)
    return squares, indices.gather(1, order)


def _one(queries: Tensor, reference: Tensor, row: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of one query, by its exact distances to the whole reference."""
    every = torch.arange(len(reference), device=reference.device)
    squares, indices = pair_squares(queries, reference, row.expand(len(every)), every).sort(stable=True)
    return squares[:k], indices[:k]

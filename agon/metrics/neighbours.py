"""Exact nearest neighbours in another set of samples."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped, UInt8
from torch import Tensor

from agon.errors import SettingError
from agon.metrics import projected
from agon.metrics.intervals import mean_score
from agon.metrics.pairwise import Centring, bounds, flat, framed, pair_squares, product_dtype, slack, together
from agon.metrics.projected import Nearest
from agon.metrics.score import Score

SPARE = 8  # candidates beside the k, so that the bounds decide nearly every query


class Neighbours(NamedTuple):
    """The k nearest samples of each query, the nearest first.

    Attributes:
        distances: "n k", Euclidean, float64.
        indices: "n k", their indices in the reference.
    """

    distances: Float[Tensor, "n k"]
    indices: Int[Tensor, "n k"]


def nearest_neighbours(queries: Shaped[Tensor, "n ..."], reference: Shaped[Tensor, "m ..."], k: int = 1) -> Neighbours:
    """Find the k reference samples nearest to each query by Euclidean distance, min_j |x_i - y_j|.

    The result is exact and does not depend on blocks or the device: squared distances are Σ (x - y)² summed in float64
    (1e-14 relative), ties go to the lower index, and a copy has distance 0. A query that is in the reference is its own
    nearest neighbour.

    Memory beside the inputs and the result: under 100 MB, and 600 + 100 (k + 8) bytes per query. Time: about that of
    the float32 matrix product queries × reference, and more only if many more than k samples are tied; a third of it
    for samples of many coordinates that vary in few directions, as small images do (`projected`).

    Args:
        queries: "n" samples of any shape, uint8 or floating.
        reference: "m" samples of the same shape.
        k: from 1 to m.

    Returns:
        Distances and indices, the nearest first.

    Raises:
        DataError: a set is empty, shapes differ, or numbers are not finite.
        SettingError: k is not from 1 to m.

    >>> nearest = nearest_neighbours(torch.tensor([[0.9], [5.0]]), torch.tensor([[0.0], [1.0], [2.0]]), k=2)
    >>> nearest.indices.tolist()
    [[1, 0], [2, 1]]
    """
    queries, reference = together(queries, reference, ("queries", "reference"))
    squares, indices = nearest_squares(queries, reference, k)
    return Neighbours(squares.sqrt(), indices)


def nearest_others(samples: Shaped[Tensor, "n ..."]) -> Neighbours:
    """Find the nearest other sample of each, min_{j ≠ i} |x_i - x_j|; a sample that occurs twice has one at 0.

    Args:
        samples: at least 2 of any shape, uint8 or floating.

    Raises:
        DataError: there are fewer than 2 samples, or numbers are not finite.

    >>> nearest_others(torch.tensor([[0.0], [1.0], [3.0], [3.0]])).indices[:, 0].tolist()
    [1, 0, 3, 2]
    """
    samples = flat(samples, "samples", least=2)
    nearest = nearest_neighbours(samples, samples, k=2)
    own = torch.arange(len(samples), device=samples.device)
    second = (nearest.indices[:, 0] == own).long()[:, None]
    return Neighbours(nearest.distances.gather(1, second), nearest.indices.gather(1, second))


def nearest_squares(
    queries: Shaped[Tensor, "n d"], reference: Shaped[Tensor, "m d"], k: int, *, ties: bool = True
) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
    """Squared distances and indices of the k nearest samples, exactly; both sets must be `flat`.

    Args:
        queries: uint8 or floating.
        reference: the same.
        k: from 1 to m.
        ties: whether to look for the lowest indices among tied samples. Without it the distances are the same
            to 1e-12 of |a|² + |b|², and a collapsed set takes no longer than any other.
    """
    if not 1 <= k <= len(reference):
        raise SettingError(f"k: expected from 1 to the {len(reference)} samples of the reference, got {k}")
    frame, dtype = framed(reference, queries), product_dtype(queries.device)
    nearest = _unknown(queries, k)
    if dtype == torch.float32 and projected.pays(queries, reference):
        nearest = projected.search(queries, reference, k, frame)
    for precision in (dtype, torch.float64):
        unsure = (~nearest.sure).nonzero()[:, 0]
        if len(unsure):
            some = queries if len(unsure) == len(queries) else queries[unsure]
            refined = _search(some, reference, k, frame, precision, ties)
            for column, values in zip(nearest, refined, strict=True):
                column[unsure] = values
    for row in (~nearest.sure).nonzero()[:, 0]:
        nearest.squares[row], nearest.indices[row] = _exhaustive(queries, reference, row, k)
    return nearest.squares, nearest.indices


def _unknown(queries: Tensor, k: int) -> Nearest:
    """Nothing is certain yet."""
    squares = torch.full((len(queries), k), torch.inf, dtype=torch.float64, device=queries.device)
    return Nearest(squares, squares.long(), torch.zeros(len(queries), dtype=torch.bool, device=queries.device))


def _search(queries: Tensor, reference: Tensor, k: int, frame: Centring, dtype: torch.dtype, ties: bool) -> Nearest:
    """The k nearest among the candidates, and whether no other sample can be nearer or have a lower index."""
    least, indices, gap = _candidates(queries, reference, k + SPARE, frame, dtype)
    near = least <= (least[:, k - 1] + gap)[:, None]  # no other candidate can be among the k
    squares, indices = _sorted_exactly(queries, reference, near, indices)
    squares, indices = squares[:, :k].contiguous(), indices[:, :k].contiguous()
    last, beyond = squares[:, -1] * frame.scale**2, least[:, -1]  # whoever is no candidate is beyond it
    if not ties and dtype == torch.float64:
        beyond = beyond + gap
    sure = (last < beyond) | (least.shape[1] == len(reference))
    return Nearest(squares, indices, sure if ties else sure | (last == 0))


def _candidates(
    queries: Tensor, reference: Tensor, width: int, frame: Centring, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Each query's smallest lower bounds, ascending, their samples, and how far a square may lie above its bound."""
    n, width, device = len(queries), min(width, len(reference)), queries.device
    least = torch.full((n, width), torch.inf, dtype=dtype, device=device)
    indices = torch.zeros((n, width), dtype=torch.int64, device=device)
    norms, largest = torch.zeros(n, dtype=torch.float64, device=device), 0.0
    for row, column, lower in bounds(queries, reference, frame, dtype):
        values, positions = lower.topk(min(width, lower.shape[1]), largest=False, sorted=False)
        values, positions = torch.cat([least[row.rows], values], 1), positions + column.start
        least[row.rows], chosen = values.topk(width, largest=False)
        indices[row.rows] = torch.cat([indices[row.rows], positions], 1).gather(1, chosen)
        norms[row.rows], largest = row.norms, max(largest, float(column.norms.max()))
    return least.double(), indices, slack(queries.shape[1], dtype) * (norms + largest)


def _sorted_exactly(queries: Tensor, reference: Tensor, near: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Exact squares of the candidates that are `near`, sorted for each query by square, then by index."""
    indices, order = indices.sort(1)
    near = near.gather(1, order)
    squares = torch.full(near.shape, torch.inf, dtype=torch.float64, device=near.device)
    squares[near] = pair_squares(queries, reference, near.nonzero()[:, 0], indices[near])
    squares, order = squares.sort(dim=1, stable=True)
    return squares, indices.gather(1, order)


def _exhaustive(queries: Tensor, reference: Tensor, row: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of one query, by its exact distances to the whole reference."""
    every = torch.arange(len(reference), device=reference.device)
    squares, indices = pair_squares(queries, reference, row.expand(len(every)), every).sort(stable=True)
    return squares[:k], indices[:k]


def nearest_pixels(fake: UInt8[Tensor, "n c h w"], train: UInt8[Tensor, "m c h w"]) -> Score:
    """How far images lie from the nearest training image: "nearest", from 0 for copies to 1.

        mean_i min_j √(mean over pixels of (x_i - y_j)²), pixels from 0 to 1.

    Args:
        fake: images as bytes; at least 1.
        train: those of the training set.

    Source: yamazaki2017, figure 5.15, in a number.

    >>> black = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    >>> nearest_pixels(black + 51, black).value
    0.2
    """
    distances = nearest_neighbours(fake, train).distances[:, 0] / (255 * fake[0].numel() ** 0.5)
    protocol = "root mean square difference of pixels from 0 to 1 to the nearest training image, mean over images"
    return mean_score("nearest", distances, protocol, n=len(fake), n_real=len(train))

"""Squared Euclidean distances in blocks: bounds by one matrix product, exact ones of chosen pairs.

A matrix product is the only fast way to compute many distances, but |a|² + |b|² - 2ab loses digits, because it is a
small difference of large numbers. So this module uses products only for bounds that hold despite rounding. Where the
bounds do not decide, it computes Σ (a - b)² in float64, which depends on the pair alone: copies have distance 0, ties
stay ties, and (a, b) has the distance of (b, a), whatever the block.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agon.errors import DataError
from agon.terminal.waiting import stage

ROWS = 2048  # the most rows of a block of bounds
COLUMNS = 8192  # the most columns of a block of bounds
VALUES = 2**22  # the most coordinates of a block of samples
PAIRED = 2**16  # coordinates whose exact differences are in memory at a time: in a core's own cache


class Centring(NamedTuple):
    """The origin and the unit of a product, chosen so that its rounding is relative to the distances.

    Attributes:
        shift: a point in the middle of the reference, in float32, so that it is the same in every precision.
        scale: a power of two, so that scaling is exact; coordinates times `scale` are at most about 1.
    """

    shift: Float[Tensor, " d"]
    scale: float


class SampleBlock(NamedTuple):
    """One block of samples, ready for a product.

    Attributes:
        start: the index of its first sample.
        factors: the factor of the product, in the product's precision.
        norms: |a|² of its samples in the frame, float64, plus an allowance for underflow.
    """

    start: int
    factors: Float[Tensor, "n e"]
    norms: Float[Tensor, " n"]

    @property
    def rows(self) -> slice:
        """The block's samples as a slice of the whole set."""
        return slice(self.start, self.start + len(self.norms))


def flat(samples: Shaped[Tensor, "n ..."], what: str, least: int = 1) -> Shaped[Tensor, "n d"]:
    """Flatten samples to rows of uint8 or floating-point numbers.

    Args:
        samples: n samples of any shape and number type.
        what: names the samples in error messages.
        least: the least n.

    Raises:
        DataError: there are fewer than `least` samples, they have no coordinates, or numbers are not finite.
    """
    if samples.ndim < 2 or len(samples) < least or not samples[0].numel():
        raise DataError(
            f"{what}: expected at least {least} samples with coordinates, got the shape {tuple(samples.shape)}"
        )
    rows = samples.detach().flatten(1)
    rows = rows.cpu() if rows.device.type == "mps" else rows  # which has no float64
    rows = rows if rows.is_floating_point() or rows.dtype == torch.uint8 else rows.double()
    non_finite = sum(_count_non_finite(rows[part]) for part in parts(rows, ROWS))
    if non_finite:
        raise DataError(f"{what}: expected finite numbers, got {non_finite} of {len(rows)} samples that are not")
    return rows


def together(
    first: Shaped[Tensor, "n ..."], second: Shaped[Tensor, "m ..."], what: tuple[str, str], least: int = 1
) -> tuple[Shaped[Tensor, "n d"], Shaped[Tensor, "m d"]]:
    """Flatten two sets of samples to rows on the first set's device.

    Args:
        first: n samples of any shape.
        second: m samples of the same shape.
        what: names both sets in error messages.
        least: the least n and m.

    Raises:
        DataError: as for `flat`, or the shapes differ.
    """
    if first.shape[1:] != second.shape[1:]:
        shapes = f"{tuple(first.shape[1:])} and {tuple(second.shape[1:])}"
        raise DataError(f"{what[0]} and {what[1]}: expected samples of one shape, got {shapes}")
    first_rows = flat(first, what[0], least)
    return first_rows, flat(second, what[1], least).to(first_rows.device)


def framed(reference: Shaped[Tensor, "m d"], other: Shaped[Tensor, "n d"]) -> Centring:
    """The frame for two sets: its origin is near the first set's mean, its unit fits the largest coordinate."""
    total = torch.zeros(reference.shape[1], dtype=torch.float64, device=reference.device)
    for part in parts(reference, ROWS):
        total += reference[part].sum(0, dtype=torch.float64)
    sets = (other,) if other is reference else (reference, other)
    extremes = [torch.stack(x[part].aminmax()) for x in sets for part in parts(x, ROWS)]
    largest = float(torch.cat(extremes).double().abs().max())
    scale = 2.0 ** -torch.frexp(torch.tensor(largest, dtype=torch.float64)).exponent.item()
    return Centring((total / len(reference) * scale).float(), scale)


def bounds(
    rows: Shaped[Tensor, "n d"], columns: Shaped[Tensor, "m d"], frame: Centring, dtype: torch.dtype
) -> Iterator[tuple[SampleBlock, SampleBlock, Float[Tensor, "r c"]]]:
    """Yield lower bounds of all |a - b|² block by block: the block's rows, its columns, and the bounds.

    A bound is (1 - c)(|a|² + |b|²) - 2ab in units of the frame, with c = `rounding`. It is never above the exact
    square, and at most `slack` times the sum of the two norms below it. The next block overwrites the memory.
    """
    memory = frame.shift.new_empty(0, dtype=dtype)
    with stage("distances", len(rows) * len(columns)) as advance:
        for column in sides(columns, frame, dtype, columns=True):
            for row in sides(rows, frame, dtype):
                if not len(memory):
                    memory = memory.new_empty(len(row.norms), len(column.norms))
                lower = memory[: len(row.norms), : len(column.norms)]
                yield row, column, torch.mm(row.factors, column.factors.T, out=lower)
                advance(lower.numel())


def sides(
    samples: Shaped[Tensor, "n d"], frame: Centring, dtype: torch.dtype, *, columns: bool = False
) -> Iterator[SampleBlock]:
    """Yield the samples block by block, as rows or as columns of `bounds`; the next block overwrites the memory."""
    d, blocks = samples.shape[1], list(parts(samples, COLUMNS if columns else ROWS))
    memory = frame.shift.new_empty(blocks[0].stop, d + 2, dtype=dtype)
    for part in blocks:
        factors = memory[: part.stop - part.start]
        inner = factors[:, :d]
        _centre(samples[part], frame, inner)
        squares = torch.linalg.vector_norm(inner, dim=1).double().square()
        norms = squares + 8 * torch.finfo(dtype).tiny / torch.finfo(dtype).eps  # c of it is what underflows at most
        factors[:, d if columns else d + 1] = 1
        factors[:, d + 1 if columns else d] = squares - rounding(d, dtype) * norms
        if not columns:
            inner.mul_(-2)
        yield SampleBlock(part.start, factors, norms)


def slack(d: int, dtype: torch.dtype) -> float:
    """The largest distance of a lower bound below the exact square, in units of |a|² + |b|²."""
    return 2 * rounding(d, dtype)


def product_dtype(device: torch.device) -> torch.dtype:
    """float32, or float64 if float32 products may use reduced precision (TF32, autocast)."""
    reduced = torch.get_float32_matmul_precision() != "highest" or torch.is_autocast_enabled(device.type)
    return torch.float64 if reduced else torch.float32


def pair_squares(
    x: Shaped[Tensor, "n d"], y: Shaped[Tensor, "m d"], first: Int[Tensor, " p"], second: Int[Tensor, " p"]
) -> Float[Tensor, " p"]:
    """Exact |x_i - y_j|² of the pairs (i, j): squared differences summed in float64, to 1e-15 d^½ relative."""
    n, size = len(first), max(2, PAIRED // x.shape[1])
    if n == 1:  # a sum to a single number is divided between threads, and would round otherwise
        return pair_squares(x, y, first.repeat(2), second.repeat(2))[:1]
    squares = torch.empty(n, dtype=torch.float64, device=x.device)  # at once: pieces would tear the heap apart
    for start in range(0, n, size):
        part = slice(min(start, n - 2), start + size)
        squares[part] = (x[first[part]].double() - y[second[part]].double()).square_().sum(1)
    return squares


def rounding(d: int, dtype: torch.dtype) -> float:
    """c: the largest rounding error of d + 2 products and sums, factors included, in units of |a|² + |b|²."""
    return 3.1 * (d + 8) * torch.finfo(dtype).eps / 2


def _centre(samples: Shaped[Tensor, "n d"], frame: Centring, into: Float[Tensor, "n d"]) -> None:
    """Write samples in the frame, rounded once: the difference is computed in a precision that holds both."""
    wide = torch.float64 if samples.dtype == torch.float64 else into.dtype
    shift = frame.shift.to(wide)
    for part in parts(samples, max(1, PAIRED // samples.shape[1])):
        into[part] = (samples[part].to(wide) * frame.scale).sub_(shift)


def _count_non_finite(rows: Shaped[Tensor, "n d"]) -> int:
    """The number of rows that are not finite; a finite total sum proves quickly that there are none."""
    if not rows.is_floating_point() or rows.sum(dtype=torch.float64).isfinite():
        return 0
    return int((~rows.isfinite().all(1)).sum())


def parts(samples: Shaped[Tensor, "n d"], rows: int) -> Iterator[slice]:
    """Slices of at most `rows` samples and at most VALUES coordinates."""
    size = max(1, min(rows, VALUES // samples.shape[1]))
    return (slice(start, min(start + size, len(samples))) for start in range(0, len(samples), size))

"""Lower bounds of squared distances from few coordinates: principal directions, and the norm of what they leave.

For any contraction P of d coordinates to p, and ρ(x) = (|x|² - |Px|²)^½,

    |x - y|² >= |x|² + |y|² - 2 (Px)ᵀ(Py) - 2 ρ(x) ρ(y),

because xᵀy = (Px)ᵀ(Py) + xᵀ(I - PᵀP)y, whose last term is at most ρ(x) ρ(y) (Cauchy and Schwarz). So p + 1 coordinates
bound distances of d, closely if P holds most of the variance, and a search computes few distances in full. The
directions decide only how close the bounds are, never whether they hold.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from agon.metrics.pairwise import Centring, SampleBlock, pair_squares, parts, rounding
from agon.terminal.waiting import stage

DIRECTIONS = 128  # p
DEEP = 4  # times as many coordinates as directions, from which bounds by directions pay
WORTH = 2**34  # products of coordinates, from which the directions' own cost does not matter
FITTED, ITERATIONS = 1024, 3  # samples that choose the directions, and how often they are applied
ROWS, COLUMNS = 512, 8192  # of a block of bounds
GROUPS = 16  # columns of a block whose least bound is looked at first
FEW, MANY = 4, 0.001  # exact distances of a query, for each neighbour and as a share; with more, products are faster
MOST = 4  # times as many candidates of a query in one block, beyond which it is left to whole products
HOPELESS = 0.5  # share of such queries, beyond which all are


class Projection(NamedTuple):
    """A contraction to few coordinates.

    Attributes:
        frame: where samples are centred before.
        directions: P transposed, float64; its largest singular value is below 1.
    """

    frame: Centring
    directions: Float[Tensor, "d p"]


class Nearest(NamedTuple):
    """Squared distances and indices of the k nearest samples, and for which queries they are certain."""

    squares: Float[Tensor, "n k"]
    indices: Int[Tensor, "n k"]
    sure: Shaped[Tensor, " n"]


def pays(queries: Shaped[Tensor, "n d"], reference: Shaped[Tensor, "m d"]) -> bool:
    """Whether bounds by directions are worth their own cost, on a CPU."""
    n, d = queries.shape
    return queries.device.type == "cpu" and d >= DEEP * DIRECTIONS and n * len(reference) * d >= WORTH


def principal(reference: Shaped[Tensor, "m d"], frame: Centring) -> Projection:
    """About the directions of the largest variance of evenly chosen samples, scaled to a contraction despite rounding.

    By power iterations of a whole subspace, which no set of samples can make fail.
    """
    chosen = reference[torch.linspace(0, len(reference) - 1, min(FITTED, len(reference))).long()]
    x = _framed(chosen, frame).float()
    x = x - x.mean(0)
    directions = torch.randn(x.shape[1], DIRECTIONS, generator=torch.Generator().manual_seed(0))
    for _ in range(ITERATIONS):
        directions = torch.linalg.qr(x.T @ (x @ directions)).Q
    return Projection(frame, torch.linalg.qr(directions.double()).Q * (1 - 1e-9))


def projected(samples: Shaped[Tensor, "n d"], by: Projection, *, columns: bool = False) -> SampleBlock:
    """Samples as the rows or the columns of a product whose entries are the lower bounds, in float32."""
    d, p = by.directions.shape
    factors = torch.empty(len(samples), p + 3)
    norms = torch.empty(len(samples), dtype=torch.float64)
    for part in parts(samples, ROWS):
        x = _framed(samples[part], by.frame)
        inner = x @ by.directions
        norms[part] = x.square().sum(1)
        left = norms[part] - inner.square().sum(1) + 4 * (d + p) * torch.finfo(x.dtype).eps * norms[part]
        factors[part, :p], factors[part, p] = inner.float(), left.clamp_min(0).sqrt().float()
    norms += 8 * torch.finfo(torch.float32).tiny / torch.finfo(torch.float32).eps
    least = ((1 - rounding(p + 1, torch.float32)) * norms).float()
    if columns:
        factors[:, p + 1], factors[:, p + 2] = 1, least
    else:
        factors[:, : p + 1] *= -2
        factors[:, p + 1], factors[:, p + 2] = least, 1
    return SampleBlock(0, factors, norms)


def search(queries: Shaped[Tensor, "n d"], reference: Shaped[Tensor, "m d"], k: int, frame: Centring) -> Nearest:
    """The k nearest of each query, ties to the lower index; nothing is certain where the bounds decide too little."""
    by = principal(reference, frame)
    rows, found = projected(queries, by), _Found(queries, reference, k, frame.scale)
    memory = torch.empty(min(ROWS, len(queries)), min(COLUMNS, len(reference)))
    with stage("distances", len(queries) * len(reference)) as advance:
        for start in range(0, len(reference), COLUMNS):
            column = projected(reference[start : start + COLUMNS], by, columns=True)
            for at in range(0, len(queries), ROWS):
                strip = slice(at, min(at + ROWS, len(queries)))
                lower = memory[: strip.stop - at, : len(column.norms)]
                found.add(strip, start, torch.mm(rows.factors[strip], column.factors.T, out=lower))
                advance(lower.numel())
                if float((~found.sure[: strip.stop]).double().mean()) > HOPELESS:
                    found.sure[:] = False
                    return found.nearest
    return found.nearest


class _Found:
    """The nearest samples found so far, which become fewer candidates' bounds to beat from block to block."""

    def __init__(self, queries: Tensor, reference: Tensor, k: int, scale: float) -> None:
        self.queries, self.reference, self.k, self.scale = queries, reference, k, scale
        self.squares = torch.full((len(queries), k), torch.inf, dtype=torch.float64)
        self.indices = torch.zeros(len(queries), k, dtype=torch.int64)
        self.sure = torch.ones(len(queries), dtype=torch.bool)

    @property
    def nearest(self) -> Nearest:
        return Nearest(self.squares, self.indices, self.sure)

    def add(self, strip: slice, start: int, lower: Float[Tensor, "r c"]) -> None:
        """Take the samples from `start` on whose lower bounds to the strip's queries allow that they are near."""
        if not bool(self.squares[strip, -1].isfinite().all()):
            first = lower.topk(min(self.k, lower.shape[1]), largest=False, sorted=False).indices
            self._merge(strip, torch.arange(len(lower)).repeat_interleave(first.shape[1]), first.flatten() + start)
            lower.scatter_(1, first, torch.inf)  # above every limit
        limits = (self.squares[strip, -1] * self.scale**2).float()
        limits = limits.nextafter(limits.new_tensor(torch.inf)).clamp_max(torch.finfo(limits.dtype).max)
        limits = torch.where(self.sure[strip], limits, -torch.inf)
        most = MOST * (FEW * self.k + MANY * lower.shape[1])
        row, column, often = _below(lower, limits, most)
        self.sure[strip] &= ~often
        self._merge(strip, row, column + start)

    def _merge(self, strip: slice, row: Tensor, column: Tensor) -> None:
        """Keep the k nearest of those that are known and these pairs; ties go to the lower index."""
        known = self.squares[strip]
        old = known.isfinite().nonzero()[:, 0]
        square = pair_squares(self.queries, self.reference, row + strip.start, column)
        rows = torch.cat([old, row])
        squares = torch.cat([known[known.isfinite()], square])
        columns = torch.cat([self.indices[strip][known.isfinite()], column])
        order = columns.argsort()
        order = order[squares[order].argsort(stable=True)]
        order = order[rows[order].argsort(stable=True)]
        rows = rows[order]
        place = torch.arange(len(rows)) - torch.searchsorted(rows, rows)
        kept = place < self.k
        at = rows[kept] + strip.start, place[kept]
        self.squares[at], self.indices[at] = squares[order][kept], columns[order][kept]


def _below(
    lower: Float[Tensor, "r c"], limits: Float[Tensor, " r"], most: float
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"], Bool[Tensor, " r"]]:
    """Rows and columns of the entries that are at most their row's limit, and the rows that have too many of them.

    Entries of those rows are left out. Most are found by counting groups, before anything is listed.
    """
    whole = lower.shape[1] // GROUPS * GROUPS
    grouped = lower[:, :whole].reshape(len(lower), GROUPS, -1)
    near = grouped.amin(1) <= limits[:, None] if whole else lower.new_zeros(len(lower), 0).bool()
    often = near.sum(1) > most
    row, group = (near & ~often[:, None]).nonzero().T
    hit, member = (grouped[row, :, group] <= limits[row, None]).nonzero().T
    rest, beyond = ((lower[:, whole:] <= limits[:, None]) & ~often[:, None]).nonzero().T
    rows, columns = torch.cat([row[hit], rest]), torch.cat([member * (whole // GROUPS) + group[hit], beyond + whole])
    often |= rows.bincount(minlength=len(lower)) > most
    return rows[~often[rows]], columns[~often[rows]], often


def _framed(samples: Shaped[Tensor, "n d"], frame: Centring) -> Float[Tensor, "n d"]:
    """Samples in the frame, in float64."""
    return (samples.double() * frame.scale).sub_(frame.shift.double())

"""How far the distribution of samples is from a known density on the line or in the plane."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.data.order import generator
from agon.errors import DataError
from agon.metrics.intervals import NORMAL
from agon.metrics.score import Score

LogDensity = Callable[[Tensor], Tensor | None]  # points "n d" -> log p(x) in nats "n", as `agon.data.points.Toy` has it

CELLS = {1: 256, 2: 128}  # along each axis of the line, of the plane
NODES = {1: (8, 16, 32), 2: (2, 4, 8, 16)}  # of Gauss and Legendre's rule along each side of a cell, until it settles
CHANGE, TINY = 0.005, 1e-7  # of a cell's mass by more nodes, relative and absolute, that settles it: the error is less
NEGLIGIBLE = 30.0  # nats below the greatest density at a cell's middle, from which a cell of the plane has no mass
BLOCK = 16_384  # points whose density is asked for at once
DRAWS = 50  # of as many real samples, to tell what they would get
MARGIN = 0.1  # of the extent of real points, around them
BINS = 64  # of the distribution in the detail
ASTRAY = 1e-3  # that the masses may exceed 1 by


class Cells(NamedTuple):
    """A fixed grid with the true mass of each cell.

    Attributes:
        bounds: ((least, ...), (greatest, ...)) of the grid.
        masses: of each cell, the last coordinate the fastest, then of all that is outside; they sum to 1.
    """

    bounds: Float[Tensor, "2 d"]
    masses: Float[Tensor, " m"]


def support(points: Float[Tensor, "n d"], margin: float = MARGIN) -> Float[Tensor, "2 d"]:
    """The box around finite real points, each side longer by `margin` of itself at both ends.

    Args:
        points: real ones, at least 2; 10,000 leave next to nothing outside of the box.
        margin: from 0.

    Raises:
        DataError: fewer than 2 points, numbers that are not finite, or a side without extent.

    >>> support(torch.tensor([[0.0, 1.0], [10.0, 3.0]])).tolist()
    [[-1.0, 0.8], [11.0, 3.2]]
    """
    finite(points, "a box around points")
    low, high = points.double().cpu().amin(0), points.double().cpu().amax(0)
    if not bool((high > low).all()):
        raise DataError(f"a box around points: expected points that differ in each coordinate, got {low.tolist()}")
    wide = margin * (high - low)
    return torch.stack([low - wide, high + wide])


def jensen_shannon(
    samples: Float[Tensor, "n d"], log_density: LogDensity, bounds: Float[Tensor, "2 _"], cells: int | None = None
) -> Score:
    """The Jensen-Shannon divergence of the samples' distribution q from a known density p, 0 to log 2 nats.

    JS = ½ KL(p || m) + ½ KL(q || m), m = (p + q) / 2: what a minimax generator minimises, for
    V(D*, G) = 2 JS - 2 log 2. Of p and q each cell of a fixed grid keeps its mass: p's by integrating the density
    (Gauss and Legendre's rule), q's by counting; what is outside of the grid is one cell more. Cells only lose, so
    that this is no more than the true divergence: choose them no wider than the density's finest detail.

    Counts scatter, so that n real samples get more than 0: near (k - 1) / 8n, k the number of cells that hold p. The
    detail tells the mean of 50 draws of n real samples as "real", and their deviation as "spread". The standard
    error is the root of Var(½ log(2q / (p + q))) / n less the spread's square, and no less than the spread, which is
    what is left of it where q = p.

    Needs memory for BLOCK points' densities, and cells^d numbers; it does not depend on BLOCK. All is computed on the
    CPU in float64.

    Args:
        samples: finite numbers of d = 1 or 2 coordinates; at least 2 of them.
        log_density: log p(x) in nats of points "m d" (float64, CPU) as "m", such as a toy source's own.
        bounds: ((least, ...), (greatest, ...)) of the grid: `support` of real points.
        cells: along each axis, from 2; by default 256 of the line, 128 of the plane.

    Raises:
        DataError: other coordinates than 1 or 2 or than the bounds', too few samples, numbers that are not finite, or
            a density that is none, or is not resolved by the cells.

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", equation 4.1; as GANs' own measure Goodfellow
    et al. 2014, theorem 1, and tabak2016, section 2.

    >>> from agon.data import Gaussian
    >>> source = Gaussian(mean=0.0, std=1.0, points=1000)
    >>> box = torch.tensor([[-5.0], [5.0]])
    >>> for samples in (source.take(1000).real, torch.ones(1000, 1)):
    ...     print(round(jensen_shannon(samples, source.log_density, box).value, 2))
    0.02
    0.67
    """
    cells = CELLS.get(samples.shape[1], 2) if cells is None else cells
    points = _checked(samples, bounds, cells)
    grid = masses(log_density, bounds.double().cpu(), cells)
    p, n = grid.masses, len(points)
    counts = _counted(points, grid.bounds, cells)
    value, first = _divergence(counts, p)
    chosen = torch.multinomial(p, DRAWS * n, replacement=True, generator=generator("jensen-shannon", n))
    real = torch.stack([_divergence(torch.bincount(each, minlength=len(p)), p)[0] for each in torch.split(chosen, n)])
    spread = float(real.std())
    error = math.sqrt(max(float(first) / n - spread**2, spread**2))
    detail: dict[str, Any] = {"real": float(real.mean()), "spread": spread, "outside": int(counts[-1])}
    detail["told"] = f"{detail['real']:.4f} for as many real samples"
    if points.shape[1] == 1:
        detail["distribution"] = _distribution(counts, grid, points)
    return Score(
        name="jensen-shannon",
        value=float(value),
        error=error,
        interval=(max(0.0, float(value) - NORMAL * error), min(math.log(2), float(value) + NORMAL * error)),
        n=n,
        protocol=f"nats between the masses of the true density and of the samples in {_sized(cells, points)} cells",
        detail=detail,
    )


def masses(log_density: LogDensity, bounds: Float[Tensor, "2 d"], cells: int) -> Cells:
    """The mass of a density in each cell of a grid, and outside of it.

    By Gauss and Legendre's rule of more and more nodes. In the plane only cells within 30 nats of the greatest density
    at their middles are integrated: the others hold nothing.

    Args:
        log_density: of points "m d" as "m", in nats.
        bounds: ((least, ...), (greatest, ...)) of the grid, d = 1 or 2.
        cells: along each axis.

    Raises:
        DataError: there is no density, it is no number somewhere, or its masses exceed 1.
    """
    d = bounds.shape[1]
    side = (bounds[1] - bounds[0]) / cells  # d
    ticks = torch.arange(cells, dtype=torch.float64)
    corners = bounds[0] + side * torch.cartesian_prod(*([ticks] * d)).reshape(-1, d)  # m d
    held = torch.ones(len(corners), dtype=torch.bool)
    if d == 2:
        middle = _asked(log_density, corners + side / 2)
        held = middle > middle.max() - NEGLIGIBLE
    mass = torch.zeros(len(corners), dtype=torch.float64)
    mass[held] = _settled(log_density, corners[held], side)
    total = float(mass.sum())
    if total > 1 + ASTRAY:
        raise DataError(
            f"a density: expected masses of cells that sum to at most 1, got {total:.4f}; take smaller bounds or more "
            "cells, so that they are no wider than its finest detail"
        )
    outside = torch.tensor([max(0.0, 1 - total)], dtype=torch.float64)
    mass = torch.cat([mass, outside])
    return Cells(bounds, mass / mass.sum())


def finite(points: Float[Tensor, "n d"], wanted: str) -> None:
    """Refuse fewer than 2 points, and numbers that are not finite."""
    if len(points) < 2:
        raise DataError(f"{wanted}: expected at least 2 points, got {len(points)}")
    lost = int((~points.isfinite().all(dim=1)).sum())
    if lost:
        raise DataError(f"{wanted}: expected finite points, got {lost} of {len(points)} that are not")


def _checked(samples: Tensor, bounds: Tensor, cells: int) -> Float[Tensor, "n d"]:
    d = samples.shape[1]
    if d not in (1, 2) or bounds.shape[1] != d or cells < 2 or not bool((bounds[1] > bounds[0]).all()):
        raise DataError(
            "jensen-shannon: expected points of 1 or 2 coordinates, bounds of as many that grow, and 2 cells or more, "
            f"got samples of shape {tuple(samples.shape)}, bounds {bounds.tolist()} and {cells} cells"
        )
    finite(samples, "jensen-shannon")
    return samples.detach().double().cpu()


def _rule(nodes: int, d: int) -> tuple[Float[Tensor, "k d"], Float[Tensor, " k"]]:
    """Places in the unit cube, and their weights: Gauss and Legendre's rule along each axis."""
    import numpy as np

    place, weight = (torch.from_numpy(each) / 2 for each in np.polynomial.legendre.leggauss(nodes))
    places = torch.cartesian_prod(*([place + 0.5] * d)).reshape(-1, d)
    return places, torch.cartesian_prod(*([weight] * d)).reshape(-1, d).prod(1)


def _settled(log_density: LogDensity, corners: Float[Tensor, "m d"], side: Float[Tensor, " d"]) -> Float[Tensor, " m"]:
    """The mass of each cell that begins at a corner, by more and more nodes until they change it no more."""
    first, *others = NODES[corners.shape[1]]
    mass = _integrated(log_density, corners, side, first)
    unsure = torch.arange(len(corners))
    for nodes in others:
        better = _integrated(log_density, corners[unsure], side, nodes)
        moved = (better - mass[unsure]).abs() > torch.clamp(CHANGE * better, min=TINY)
        mass[unsure] = better
        unsure = unsure[moved]
        if not len(unsure):
            return mass
    raise DataError(
        f"a density: expected one that is smooth within a cell, got {len(unsure)} cells whose masses {others[-1]} "
        "nodes along each side do not tell; take more cells or smaller bounds"
    )


def _integrated(log_density: LogDensity, corners: Tensor, side: Tensor, nodes: int) -> Float[Tensor, " m"]:
    place, weight = _rule(nodes, corners.shape[1])  # k d, k
    parts = []
    for block in torch.split(corners, max(1, BLOCK // len(place))):
        logs = _asked(log_density, (block[:, None] + side * place).flatten(0, 1))  # b·k
        parts.append((logs.exp().reshape(len(block), -1) @ weight) * side.prod())
    return torch.cat(parts)


def _asked(log_density: LogDensity, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """log p at points, block by block."""
    parts = []
    for block in torch.split(points, BLOCK):
        part = log_density(block)
        if part is None:
            raise DataError("expected a distribution with a density, got one that has none; compare its modes instead")
        parts.append(part.double())
    told = torch.cat(parts)
    if bool(told.isnan().any()) or bool((told == math.inf).any()):
        raise DataError("a density: expected log p(x) below infinity at every point, got one that is no number there")
    return told


def _counted(points: Float[Tensor, "n d"], bounds: Float[Tensor, "2 d"], cells: int) -> Int[Tensor, " m"]:
    """How many points each cell holds; in the last place those that are outside."""
    d = points.shape[1]
    along = ((points - bounds[0]) / (bounds[1] - bounds[0]) * cells).floor()  # n d
    inside = ((along >= 0) & (along < cells)).all(dim=1)
    radix = torch.tensor([cells**k for k in range(d)][::-1])
    index = torch.where(inside, (along.clamp(0, cells - 1).long() * radix).sum(dim=1), cells**d)
    return torch.bincount(index, minlength=cells**d + 1)


def _divergence(counts: Int[Tensor, " m"], p: Float[Tensor, " m"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """JS of the counts' shares from p, and the variance of ½ log(2q / (p + q)) over samples."""
    held = counts > 0  # elsewhere ½ p log 2
    q, of_p = counts[held] / counts.sum().double(), p[held]
    m = (of_p + q) / 2
    logs = (q / m).log()
    real = torch.where(of_p > 0, of_p * (of_p.clamp_min(1e-300) / m).log(), 0.0).sum()
    rest = (1 - of_p.sum()).clamp_min(0.0) * math.log(2)
    value = (real + rest + (q * logs).sum()) / 2
    variance = ((q * logs.square()).sum() - (q * logs).sum().square()) / 4
    return value.clamp(0.0, math.log(2)), variance.clamp_min(0.0)


def _distribution(counts: Int[Tensor, " m"], grid: Cells, points: Float[Tensor, "n 1"]) -> dict[str, object]:
    """Densities in at most BINS bins of the line, and medians, for the report."""
    cells = len(counts) - 1
    together = -(-cells // BINS)
    edges = torch.linspace(float(grid.bounds[0]), float(grid.bounds[1]), cells + 1, dtype=torch.float64)
    edges = torch.cat([edges[:-1:together], edges[-1:]])
    wide = edges.diff()

    def binned(masses: Tensor) -> list[float]:
        sums = torch.stack([each.sum() for each in torch.split(masses[:-1], together)])
        return list((sums / wide).tolist())

    half = int((grid.masses[:-1].cumsum(0) < 0.5).sum())
    middle = float(grid.bounds[0]) + (half + 0.5) * float(grid.bounds[1] - grid.bounds[0]) / cells
    return {
        "edges": edges.tolist(),
        "data": binned(grid.masses),
        "model": binned(counts / counts.sum().double()),
        "medians": {"data": middle, "model": float(points.median())},
    }


def _sized(cells: int, points: Tensor) -> str:
    return "x".join([str(cells)] * points.shape[1])

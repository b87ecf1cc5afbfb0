"""The Jensen-Shannon divergence of samples from a known density on the line or in the plane."""

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

CELLS = {1: 256, 2: 128}  # cells along each axis, by the number of axes
NODES = {1: (8, 16, 32), 2: (2, 4, 8, 16)}  # Gauss-Legendre nodes along a cell's side, in turn until masses converge
CHANGE, TINY = 0.005, 1e-7  # a cell's mass has converged if more nodes change it by less, relative or absolute
NEGLIGIBLE = 30.0  # a cell of the plane is empty if its middle is so many nats below the greatest density
BLOCK = 16_384  # points whose density is computed at a time
DRAWS = 50  # draws of as many real samples, for the score that they would get
MARGIN = 0.1  # the box's margin around real points, relative to their extent
BINS = 64  # the most bins of the detail's distribution
ASTRAY = 1e-3  # how far the masses may exceed 1 in total


class Cells(NamedTuple):
    """A fixed grid with the true probability mass of each cell.

    Attributes:
        bounds: ((least, ...), (greatest, ...)) of the grid.
        masses: the mass of each cell, the last coordinate varying fastest, then the mass outside the grid; sum 1.
    """

    bounds: Float[Tensor, "2 d"]
    masses: Float[Tensor, " m"]


def support(points: Float[Tensor, "n d"], margin: float = MARGIN) -> Float[Tensor, "2 d"]:
    """The box around finite real points, extended at both ends of each side by `margin` times the side's length.

    Args:
        points: at least 2 real points; with 10,000, almost no mass lies outside the box.
        margin: 0 or more.

    Returns:
        ((least, ...), (greatest, ...)), float64.

    Raises:
        DataError: there are fewer than 2 points, numbers are not finite, or a side has no extent.

    >>> support(torch.tensor([[0.0, 1.0], [10.0, 3.0]])).tolist()
    [[-1.0, 0.8], [11.0, 3.2]]
    """
    finite(points, "a box around points")
    low, high = points.double().cpu().amin(0), points.double().cpu().amax(0)
    if not bool((high > low).all()):
        raise DataError(f"a box around points: expected points that differ in each coordinate, got {low.tolist()}")
    padding = margin * (high - low)
    return torch.stack([low - padding, high + padding])


def jensen_shannon(
    samples: Float[Tensor, "n d"], log_density: LogDensity, bounds: Float[Tensor, "2 _"], cells: int | None = None
) -> Score:
    """The Jensen-Shannon divergence of the samples' distribution q from a known density p, 0 to log 2 nats.

        JS = ½ KL(p || m) + ½ KL(q || m),   m = (p + q) / 2.

    A minimax generator minimises it, since V(D*, G) = 2 JS - 2 log 2. A fixed grid reduces both distributions to masses
    of cells: the density is integrated by Gauss-Legendre quadrature, the samples are counted, and everything outside
    the grid is one more cell. Binning can only lower the divergence, so choose cells no wider than the density's
    finest detail.

    Counts are random, so n real samples get more than 0: about (k - 1) / 8n for k cells that hold mass of p. The
    details "real" and "spread" are the mean and the standard deviation of 50 draws of n real samples. The squared
    standard error is Var(½ log(2q / (p + q))) / n minus the squared spread, but at least the squared spread, which is
    the variance at q = p.

    Memory: the densities of BLOCK points, and cells^d numbers. The result does not depend on BLOCK. All arithmetic is
    float64 on the CPU.

    Args:
        samples: at least 2 points of d = 1 or 2 finite coordinates.
        log_density: maps points "m d" (float64, CPU) to log p(x) in nats, "m"; a toy source has such a method.
        bounds: ((least, ...), (greatest, ...)) of the grid; use `support` of real points.
        cells: the number of cells along each axis, from 2; by default 256 on the line, 128 in the plane.

    Returns:
        "jensen-shannon" in nats, with a standard error and an interval.

    Raises:
        DataError: d is not 1 or 2 or differs from the bounds', there are too few samples, numbers are not finite,
            there is no density, or the cells do not resolve it.

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", equation 4.1; for GANs Goodfellow et al.
    2014, theorem 1, and tabak2016, section 2.

    >>> from agon.data import Gaussian
    >>> source = Gaussian(mean=0.0, std=1.0, points=1000)
    >>> box = torch.tensor([[-5.0], [5.0]])
    >>> for samples in (source.take(1000).real, torch.ones(1000, 1)):
    ...     print(round(jensen_shannon(samples, source.log_density, box).value, 2))
    0.02
    0.67
    """
    cells = CELLS.get(samples.shape[1], 2) if cells is None else cells
    points = _validated(samples, bounds, cells)
    grid = masses(log_density, bounds.double().cpu(), cells)
    p, n = grid.masses, len(points)
    counts = _cell_counts(points, grid.bounds, cells)
    value, variance = _divergence(counts, p)
    drawn_cells = torch.multinomial(p, DRAWS * n, replacement=True, generator=generator("jensen-shannon", n))
    real = torch.stack(
        [_divergence(torch.bincount(draw, minlength=len(p)), p)[0] for draw in torch.split(drawn_cells, n)]
    )
    spread = float(real.std())
    error = math.sqrt(max(float(variance) / n - spread**2, spread**2))
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
        protocol=f"nats between the masses of the true density and of the samples in {_grid_size(cells, points)} cells",
        detail=detail,
    )


def masses(log_density: LogDensity, bounds: Float[Tensor, "2 d"], cells: int) -> Cells:
    """Integrate a density over each cell of a grid, and find the mass outside of the grid.

    Gauss-Legendre quadrature uses more and more nodes until the masses converge. In the plane only cells whose log
    density in the middle is within 30 nats of the greatest are integrated; the others count as empty.

    Args:
        log_density: maps points "m d" to log p(x) in nats, "m".
        bounds: ((least, ...), (greatest, ...)) of the grid, d = 1 or 2.
        cells: the number of cells along each axis.

    Raises:
        DataError: there is no density, it is NaN or infinite at a point, or the masses sum to more than 1.
    """
    d = bounds.shape[1]
    sides = (bounds[1] - bounds[0]) / cells  # d
    ticks = torch.arange(cells, dtype=torch.float64)
    corners = bounds[0] + sides * torch.cartesian_prod(*([ticks] * d)).reshape(-1, d)  # m d
    has_mass = torch.ones(len(corners), dtype=torch.bool)
    if d == 2:
        log_middles = _log_densities(log_density, corners + sides / 2)
        has_mass = log_middles > log_middles.max() - NEGLIGIBLE
    mass = torch.zeros(len(corners), dtype=torch.float64)
    mass[has_mass] = _converged_masses(log_density, corners[has_mass], sides)
    total = float(mass.sum())
    if total > 1 + ASTRAY:
        raise DataError(
            f"a density: expected masses of cells that sum to at most 1, got {total:.4f}; take smaller bounds or more "
            "cells, so that they are no wider than its finest detail"
        )
    outside = torch.tensor([max(0.0, 1 - total)], dtype=torch.float64)
    mass = torch.cat([mass, outside])
    return Cells(bounds, mass / mass.sum())


def finite(points: Float[Tensor, "n d"], what: str) -> None:
    """Raise DataError if there are fewer than 2 points or numbers are not finite."""
    if len(points) < 2:
        raise DataError(f"{what}: expected at least 2 points, got {len(points)}")
    non_finite = int((~points.isfinite().all(dim=1)).sum())
    if non_finite:
        raise DataError(f"{what}: expected finite points, got {non_finite} of {len(points)} that are not")


def _validated(samples: Tensor, bounds: Tensor, cells: int) -> Float[Tensor, "n d"]:
    d = samples.shape[1]
    if d not in (1, 2) or bounds.shape[1] != d or cells < 2 or not bool((bounds[1] > bounds[0]).all()):
        raise DataError(
            "jensen-shannon: expected points of 1 or 2 coordinates, bounds of as many that grow, and 2 cells or more, "
            f"got samples of shape {tuple(samples.shape)}, bounds {bounds.tolist()} and {cells} cells"
        )
    finite(samples, "jensen-shannon")
    return samples.detach().double().cpu()


def _rule(nodes: int, d: int) -> tuple[Float[Tensor, "k d"], Float[Tensor, " k"]]:
    """Nodes in the unit cube and their weights: the Gauss-Legendre rule along each axis."""
    import numpy as np

    axis_positions, axis_weights = (torch.from_numpy(values) / 2 for values in np.polynomial.legendre.leggauss(nodes))
    positions = torch.cartesian_prod(*([axis_positions + 0.5] * d)).reshape(-1, d)
    return positions, torch.cartesian_prod(*([axis_weights] * d)).reshape(-1, d).prod(1)


def _converged_masses(
    log_density: LogDensity, corners: Float[Tensor, "m d"], sides: Float[Tensor, " d"]
) -> Float[Tensor, " m"]:
    """The mass of the cell at each corner, by more and more nodes until the mass converges."""
    first, *others = NODES[corners.shape[1]]
    mass = _integrate(log_density, corners, sides, first)
    unsure = torch.arange(len(corners))
    for nodes in others:
        refined = _integrate(log_density, corners[unsure], sides, nodes)
        unconverged = (refined - mass[unsure]).abs() > torch.clamp(CHANGE * refined, min=TINY)
        mass[unsure] = refined
        unsure = unsure[unconverged]
        if not len(unsure):
            return mass
    raise DataError(
        f"a density: expected one that is smooth within a cell, got {len(unsure)} cells whose masses {others[-1]} "
        "nodes along each side do not tell; take more cells or smaller bounds"
    )


def _integrate(log_density: LogDensity, corners: Tensor, sides: Tensor, nodes: int) -> Float[Tensor, " m"]:
    positions, weights = _rule(nodes, corners.shape[1])  # k d, k
    parts = []
    for block in torch.split(corners, max(1, BLOCK // len(positions))):
        logs = _log_densities(log_density, (block[:, None] + sides * positions).flatten(0, 1))  # b·k
        parts.append((logs.exp().reshape(len(block), -1) @ weights) * sides.prod())
    return torch.cat(parts)


def _log_densities(log_density: LogDensity, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """log p at points, computed block by block."""
    parts = []
    for block in torch.split(points, BLOCK):
        part = log_density(block)
        if part is None:
            raise DataError("expected a distribution with a density, got one that has none; compare its modes instead")
        parts.append(part.double())
    log_p = torch.cat(parts)
    if bool(log_p.isnan().any()) or bool((log_p == math.inf).any()):
        raise DataError("a density: expected log p(x) below infinity at every point, got one that is no number there")
    return log_p


def _cell_counts(points: Float[Tensor, "n d"], bounds: Float[Tensor, "2 d"], cells: int) -> Int[Tensor, " m"]:
    """The number of points in each cell; the last entry counts the points outside the grid."""
    d = points.shape[1]
    along = ((points - bounds[0]) / (bounds[1] - bounds[0]) * cells).floor()  # n d
    inside = ((along >= 0) & (along < cells)).all(dim=1)
    radix = torch.tensor([cells**k for k in range(d)][::-1])
    index = torch.where(inside, (along.clamp(0, cells - 1).long() * radix).sum(dim=1), cells**d)
    return torch.bincount(index, minlength=cells**d + 1)


def _divergence(counts: Int[Tensor, " m"], p: Float[Tensor, " m"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """JS between the counts' shares q and p, and the variance of ½ log(2q / (p + q)) over samples."""
    occupied = counts > 0  # elsewhere ½ p log 2
    q, of_p = counts[occupied] / counts.sum().double(), p[occupied]
    m = (of_p + q) / 2
    logs = (q / m).log()
    real = torch.where(of_p > 0, of_p * (of_p.clamp_min(1e-300) / m).log(), 0.0).sum()
    empty_part = (1 - of_p.sum()).clamp_min(0.0) * math.log(2)
    value = (real + empty_part + (q * logs).sum()) / 2
    variance = ((q * logs.square()).sum() - (q * logs).sum().square()) / 4
    return value.clamp(0.0, math.log(2)), variance.clamp_min(0.0)


def _distribution(counts: Int[Tensor, " m"], grid: Cells, points: Float[Tensor, "n 1"]) -> dict[str, object]:
    """Both densities in at most BINS bins of the line, and both medians, for the report."""
    cells = len(counts) - 1
    cells_per_bin = -(-cells // BINS)
    edges = torch.linspace(float(grid.bounds[0]), float(grid.bounds[1]), cells + 1, dtype=torch.float64)
    edges = torch.cat([edges[:-1:cells_per_bin], edges[-1:]])
    widths = edges.diff()

    def binned(masses: Tensor) -> list[float]:
        sums = torch.stack([part.sum() for part in torch.split(masses[:-1], cells_per_bin)])
        return list((sums / widths).tolist())

    half = int((grid.masses[:-1].cumsum(0) < 0.5).sum())
    median = float(grid.bounds[0]) + (half + 0.5) * float(grid.bounds[1] - grid.bounds[0]) / cells
    return {
        "edges": edges.tolist(),
        "data": binned(grid.masses),
        "model": binned(counts / counts.sum().double()),
        "medians": {"data": median, "model": float(points.median())},
    }


def _grid_size(cells: int, points: Tensor) -> str:
    return "x".join([str(cells)] * points.shape[1])

"""The logistic model of who fools whom, fitted by penalised maximum likelihood.

    logit p_ij = g_i - d_j + home·[i and j are one training] + ε_ij,   ε_ij ~ N(0, τ²)

It is a Bradley-Terry model of generators against critics, in which what a single rating cannot say of a meeting is ε.
Source: Bradley and Terry 1952; ε and the fit by penalised quasi-likelihood from Breslow and Clayton 1993.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float64

from agon.arena.ratings.meetings import Meetings
from agon.errors import require

PRIOR = 5.0  # standard deviation of g, d and home before any meeting, in logits: e^5 is odds of 150
ROUNDS, HALVINGS, EXACT = 100, 30, 1e-13
MOST = 4.0**10  # τ² that is not exceeded

# working logits and their weights -> coefficients: one step of Newton's method
Solver: TypeAlias = Callable[[Float64[np.ndarray, "g c"], Float64[np.ndarray, "g c"]], Float64[np.ndarray, " k"]]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The model at its maximum.

    Attributes:
        coefficients: g of all generators, d of all critics, home.
        variance: τ².
        cells: logit p_ij.
        working: the logits that the weighted least squares of the last step explain, 0 where there was no meeting.
        weights: 1 / (sampling variance + τ²) of these logits, 0 where there was no meeting.
    """

    coefficients: Float64[np.ndarray, " k"]
    variance: float
    cells: Float64[np.ndarray, "g c"]
    working: Float64[np.ndarray, "g c"]
    weights: Float64[np.ndarray, "g c"]


def fit(meetings: Meetings, variance: float | None = None) -> Fit:
    """Fit g, d and home; with τ² = 0 it is the logistic regression of the areas, weighted by the meetings' sizes.

    g, d and home have a normal prior of mean 0 and standard deviation `PRIOR`, so that areas of 0 and 1 and a matrix
    that cannot tell home from the rest give finite values. Guests are rated last, with all else as it was found
    without them.

    Args:
        meetings: at least 1.
        variance: τ²; None to estimate it, so that the residuals have the size that it and the samples' noise predict.
    """
    others = meetings.of(~meetings.guests)
    if variance is None:
        variance = _variance(others)
    solve = _solver(others)
    return _with_guests(meetings, _maximum(others, _start(others, solve), variance, solve))


def predicted(coefficients: Float64[np.ndarray, " k"], meetings: Meetings) -> Float64[np.ndarray, "g c"]:
    """g_i - d_j + home·[at home]."""
    rows = meetings.sizes.shape[0]
    g, d, home = coefficients[:rows], coefficients[rows:-1], coefficients[-1]
    eta: Float64[np.ndarray, "g c"] = g[:, None] - d[None, :] + home * meetings.at_home
    return eta


def least_squares(
    targets: Float64[np.ndarray, "g c"],
    weights: Float64[np.ndarray, "g c"],
    at_home: Bool[np.ndarray, "g c"],
    guests: Bool[np.ndarray, " g"],
) -> Float64[np.ndarray, " k"]:
    """Explain targets by g_i - d_j + home·[at home] under the prior: solve (Xᵀ W X + 1 / PRIOR²) θ = Xᵀ W y.

    The block of the g is diagonal and is eliminated, which leaves a system of the size of the critics. The g of guests
    follow from its solution and are not part of it.
    """
    home, pulls, prior, kept = weights * at_home, weights * targets, 1 / PRIOR**2, ~guests
    of_g, of_rest = pulls.sum(1), np.append(-pulls[kept].sum(0), (pulls * at_home)[kept].sum())
    scale = 1 / (weights.sum(1) + prior)
    shared = np.column_stack([-weights, home.sum(1)])  # Xᵀ W X between the g and the rest
    scaled = (scale[:, None] * shared)[kept]
    rest = np.diag(np.append(weights[kept].sum(0), home[kept].sum()) + prior)
    rest[-1, :-1] = rest[:-1, -1] = -home[kept].sum(0)
    solved = np.linalg.solve(rest - shared[kept].T @ scaled, of_rest - scaled.T @ of_g[kept])
    return np.concatenate([scale * (of_g - shared @ solved), solved])


def freedom(meetings: Meetings) -> int:
    """Number of meetings beyond the number of coefficients that they can tell."""
    rows, columns = meetings.sizes.shape
    spare: int = int(meetings.met.sum()) - (rows + columns - 1)
    return max(0, spare - int(np.any(meetings.at_home & meetings.met)))


def _with_guests(meetings: Meetings, others: Fit) -> Fit:
    """The fit of all: of the others, then of the guests with d, home and τ² as they are."""
    if not meetings.guests.any():
        return others
    kept, guests = ~meetings.guests, meetings.of(meetings.guests)
    rest = others.coefficients[kept.sum() :]

    def solve(working: Float64[np.ndarray, "g c"], weights: Float64[np.ndarray, "g c"]) -> Float64[np.ndarray, " k"]:
        pulls = weights * (working + rest[:-1] - rest[-1] * guests.at_home)
        return np.concatenate([pulls.sum(1) / (weights.sum(1) + 1 / PRIOR**2), rest])

    last = _maximum(guests, _start(guests, solve), others.variance, solve)
    rows = np.argsort(np.concatenate([np.flatnonzero(kept), np.flatnonzero(~kept)]))
    g = np.concatenate([others.coefficients[: kept.sum()], last.coefficients[: (~kept).sum()]])[rows]
    return Fit(
        coefficients=np.concatenate([g, rest]),
        variance=others.variance,
        cells=np.vstack([others.cells, last.cells])[rows],
        working=np.vstack([others.working, last.working])[rows],
        weights=np.vstack([others.weights, last.weights])[rows],
    )


def _solver(meetings: Meetings) -> Solver:
    return lambda working, weights: least_squares(working, weights, meetings.at_home, meetings.guests)


def _start(meetings: Meetings, solve: Solver) -> Fit:
    """Least squares on the logits of the areas, all of the same weight."""
    logits, weights = np.nan_to_num(meetings.logits), 1.0 * meetings.met
    return Fit(coefficients=solve(logits, weights), variance=1.0, cells=logits, working=logits, weights=weights)


def _maximum(meetings: Meetings, start: Fit, variance: float, solve: Solver) -> Fit:
    """Newton's method on coefficients and cells' logits u = logit p together; their likelihood is concave."""
    theta = start.coefficients
    u = start.cells if variance else predicted(theta, meetings)
    height = _height(meetings, theta, u, variance)
    for _ in range(ROUNDS):
        working, weights = _working(meetings, u, variance)
        new = solve(working, weights)
        eta = predicted(new, meetings)
        move, turn = new - theta, eta + variance * weights * (working - eta) - u
        for halving in range(HALVINGS):
            share = 0.5**halving
            there = _height(meetings, theta + share * move, u + share * turn, variance)
            if there >= height - EXACT * abs(height):
                break
        theta, u, height = theta + share * move, u + share * turn, there
        if np.abs(share * move).max() <= EXACT * (1 + np.abs(theta).max()):
            break
    working, weights = _working(meetings, u, variance)
    return Fit(coefficients=theta, variance=variance, cells=u, working=working, weights=weights)


def _working(
    meetings: Meetings, u: Float64[np.ndarray, "g c"], variance: float
) -> tuple[Float64[np.ndarray, "g c"], Float64[np.ndarray, "g c"]]:
    """The logits u + (a - p) / (p (1 - p)) and their weights 1 / (1 / (size · p (1 - p)) + τ²)."""
    p = _expit(u)
    information = meetings.sizes * p * (1 - p)
    working = np.where(meetings.met, u + (meetings.areas - p) / (p * (1 - p)), 0.0)
    return working, information / (1 + variance * information)


def _height(
    meetings: Meetings, theta: Float64[np.ndarray, " k"], u: Float64[np.ndarray, "g c"], variance: float
) -> float:
    """The penalised log-likelihood, up to a constant."""
    gain = meetings.sizes * (meetings.areas * u - np.logaddexp(0, u))
    apart = (u - predicted(theta, meetings))[meetings.met] if variance else np.zeros(1)
    spread = float(apart @ apart) / (2 * variance) if variance else 0.0
    return float(gain.sum()) - spread - float(theta @ theta) / (2 * PRIOR**2)


def _variance(meetings: Meetings) -> float:
    """The τ² at which Σ r² / (sampling variance + τ²) of its own fit is the number of degrees of freedom.

    It is 0 if the sum is less at 0, or if there is no degree of freedom. Source: Paule and Mandel 1982.
    """
    require("scipy")
    from scipy.optimize import brentq

    solve = _solver(meetings)
    spare, last = freedom(meetings), _start(meetings, solve)

    def excess(variance: float) -> float:
        nonlocal last
        last = _maximum(meetings, last, variance, solve)
        squares = last.weights * (last.working - predicted(last.coefficients, meetings)) ** 2
        return float(squares.sum()) - spare

    high = 1.0
    while spare and excess(high) > 0 and high < MOST:
        high *= 4
    if not spare or excess(0.0) <= 0 or high >= MOST:
        return MOST if high >= MOST else 0.0
    return float(brentq(excess, 0.0, high, xtol=1e-13, rtol=1e-13))


def _expit(logits: Float64[np.ndarray, "g c"]) -> Float64[np.ndarray, "g c"]:
    p: Float64[np.ndarray, "g c"] = np.exp(-np.logaddexp(0, -np.clip(logits, -500, 500)))
    return p

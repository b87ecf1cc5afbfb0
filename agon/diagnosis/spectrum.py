"""Eigenvalues of a game's steps, and what they say of the rules by which players move.

A step of rate h along a field with Jacobian J is, near an equilibrium, the linear map I - M with M = hJ; with a rate
for each weight, as Adam has, M = SJ with the diagonal S of the rates. For an eigenvalue μ of M the step multiplies the
distance from the equilibrium, along its eigenvector, by

| rule | factor |
|---|---|
| plain, simultaneous | 1 - μ |
| with c times the rate | 1 - cμ |
| extragradient | 1 - μ + μ² |
| in turns | an eigenvalue of (I - P_k M) ... (I - P_1 M), with P_i the projection on the players of turn i |

It is damped where that is under 1 in size. Plain steps damp μ if 2 Re μ > |μ|²: no imaginary μ, and others only with
small steps. Extragradient damps imaginary μ of a size under 1.

Source: Mescheder et al. 2017, section 3; Gidel et al. 2019, section 3.2, and Gidel et al. 2019b ("Negative momentum"),
section 4, for turns; Nagarajan and Kolter 2017.
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from jaxtyping import Complex128

from agon.diagnosis.vector_field import Product, Vector, VectorField
from agon.errors import require

Eigenvalues = Complex128[np.ndarray, " _"]

DENSE = 256  # the most parameters for which all eigenvalues are computed
LEADING, ENDS = 6, ("LM", "LI")  # eigenvalues at each end of the spectrum: the largest, and the most imaginary
BASIS, ROUNDS = 24, 40  # vectors that ARPACK keeps, and how often it begins again with them
PRECISION = 1e-6  # relative, of an eigenvalue


def step_products(field: VectorField, rates: Vector) -> Product:
    """uᵀM for M = SJ, with the rates S of each coordinate, "n"."""

    def of_steps(u: Vector) -> Vector:
        return field.vjp(rates * u)

    return of_steps


def turns_product(product: Product, players: np.ndarray, turns: Sequence[Collection[int]]) -> Product:
    """uᵀN with I - N = (I - P_k M) ... (I - P_1 M), the map of a round of turns.

    Args:
        product: u -> uᵀM.
        players: the number of each coordinate's player, "n".
        turns: the players of each turn, from the first to the last.

    >>> matrix = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> in_turns = turns_product(lambda u: matrix.T @ u, np.array([0, 1]), [[0], [1]])
    >>> np.stack([in_turns(unit) for unit in np.eye(2)]).tolist()
    [[0.0, 1.0], [-1.0, 1.0]]
    """
    masks = [np.isin(players, list(turn)).astype(float) for turn in turns]

    def in_turns(u: Vector) -> Vector:
        moved = u
        for mask in reversed(masks):  # uᵀ(I - P_k M) first
            moved = moved - product(mask * moved)
        return np.asarray(u - moved)

    return in_turns


def eigenvalues(product: Product, n: int, seed: int = 0) -> Eigenvalues:
    """Leading eigenvalues of the n x n matrix with products `product`: all of a small one.

    Of a matrix of more than `DENSE` rows the `LEADING` largest and the `LEADING` most imaginary ones, by ARPACK. Those
    that have not converged are left out.

    Raises:
        NotInstalledError: scipy is not installed.
    """
    if n <= DENSE:
        found = np.linalg.eigvals(np.stack([product(unit) for unit in np.eye(n)])) if n else np.zeros(0)
        return np.asarray(found, dtype=np.complex128)
    require("scipy")
    ends = [_arpack(product, n, end, seed) for end in ENDS]
    return _different(np.concatenate(ends))


def _arpack(product: Product, n: int, end: str, seed: int) -> Eigenvalues:
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigs

    operator = LinearOperator((n, n), matvec=lambda u: product(np.asarray(u, dtype=float).reshape(-1)), dtype=float)
    start = np.random.default_rng(seed).normal(size=n)
    settings = {"which": end, "ncv": BASIS, "maxiter": ROUNDS, "tol": PRECISION, "return_eigenvectors": False}
    try:
        found = eigs(operator, LEADING, v0=start, **settings)
    except ArpackNoConvergence as stopped:
        found = stopped.eigenvalues
    except ArpackError:  # the matrix is zero
        found = np.zeros(0)
    return np.asarray(found, dtype=np.complex128)


def _different(values: Eigenvalues) -> Eigenvalues:
    """Without those that were found at both ends."""
    kept: list[complex] = []
    for value in values.tolist():
        if all(abs(value - other) > 10 * PRECISION * abs(value) for other in kept):
            kept.append(value)
    return np.array(kept, dtype=np.complex128)


def plain(values: Eigenvalues) -> Eigenvalues:
    """1 - μ."""
    return np.asarray(1 - values)


def smaller(values: Eigenvalues, part: float = 0.1) -> Eigenvalues:
    """1 - cμ, with a part c of the rate."""
    return np.asarray(1 - part * values)


def extragradient(values: Eigenvalues) -> Eigenvalues:
    """1 - μ + μ²."""
    return np.asarray(1 - values + values**2)


def rotating(values: Eigenvalues) -> Eigenvalues:
    """Those that turn more than they stretch: |Im μ| > |Re μ|."""
    turning: Eigenvalues = values[np.abs(values.imag) > np.abs(values.real)]
    return turning


def after_a_turn(factors: Eigenvalues) -> np.ndarray:
    """|f|^(2π / |arg f|), what is left of the distance after a whole turn; inf or 0 for factors that do not turn.

    It hardly depends on the size of small steps: for μ = a + ib it tends to exp(-2π a / |b|), where 1 is an orbit.

    >>> after_a_turn(np.array([1j, 0.5j, 1 - 0.001j])).round(4).tolist()
    [1.0, 0.0625, 1.0031]
    """
    with np.errstate(divide="ignore", over="ignore"):
        left: np.ndarray = np.exp(np.log(np.abs(factors)) * 2 * np.pi / np.abs(np.angle(factors)))
    return left


Rule = Callable[[Eigenvalues], Eigenvalues]
RULES: dict[str, Rule] = {"plain": plain, "a tenth of the rate": smaller, "extragradient": extragradient}

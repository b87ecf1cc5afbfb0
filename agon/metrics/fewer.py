"""The Fréchet distance of fewer samples than features, by products of samples in the place of covariances.

With shrunk covariances Σ = (1 - a) S + α I, all that is not a multiple of the identity lies in the span of both sides'
centred samples, of r <= n + m dimensions. Outside of it both are multiples of the identity, so there

    tr (Σ Σ')^{1/2} = (d - r) (α α')^{1/2},

and inside it everything is made of the products of samples, XXᵀ, YXᵀ and YYᵀ: the result is that of d x d matrices, but
the largest that is decomposed is r x r.
"""

import math
import time
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.metrics.moments import doubles, shrunk_by
from agon.terminal.waiting import stage

PROBED = 4  # times smaller products are decomposed to estimate the time
LEAST = 1e-10  # of a side's largest variance: what varies less is left to α, which is larger


class Parts(NamedTuple):
    """What the distance is made of.

    Attributes:
        mean: |μ_r - μ_f|².
        covariance: tr Σ_r + tr Σ_f - 2 tr (Σ_r Σ_f)^{1/2}.
        variance: of the distance, by the delta method.
        real_values, fake_values: eigenvalues of the sample covariances, those that can be above 0.
        shrinkage: a of the real and of the generated side.
    """

    mean: float
    covariance: float
    variance: float
    real_values: Float[Tensor, " n"]
    fake_values: Float[Tensor, " m"]
    shrinkage: tuple[float, float]


def of_fewer(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"]) -> Parts | None:
    """The parts of the distance with shrunk covariances, for d > n + m.

    In coordinates in which Σ_r is diagonal, M = Σ_r^{1/2} Σ_f Σ_r^{1/2} = E μ Eᵀ; the distance has the trace of its
    root, and the map of the real normal distribution to the other is Σ_r^{-1/2} M^{1/2} Σ_r^{-1/2}.

    Returns:
        None if a covariance is not shrunk at all though samples vary (as of two samples): then it has no inverse.
    """
    X, Y = _centred(real), _centred(fake)
    difference = X.mean - Y.mean
    one, other = _side(X, difference), _side(Y, -difference)
    if any(side.total > 0 and not side.share for side in (one, other)):
        return None
    d, most = real.shape[1], len(real) + len(fake)
    with stage(f"decompositions of up to {most:,} x {most:,} products", seconds=partial(_seconds, most)):
        places = _places(one, other)
        r = len(places.values)
        root = ((1 - one.share) * places.values + one.level).sqrt()  # of Σ_r's diagonal
        scaled = places.fake * root * math.sqrt((1 - other.share) / len(fake))
        M = scaled.T @ scaled + torch.diag(other.level * root.square())
        squares, E = torch.linalg.eigh(M)
    squares = squares.clamp_min(one.level * other.level)  # M is at least that
    positive = squares > torch.finfo(squares.dtype).eps * r * _largest(squares)
    E, quarter = E[:, positive], squares[positive] ** 0.25
    trace = float(quarter.square().sum()) + (d - r) * math.sqrt(one.level * other.level)
    to_fake, to_real = torch.where(root > 0, 1 / root, 0.0)[:, None] * E * quarter, root[:, None] * E / quarter
    variance = _variance(one, other, places.real, to_fake) + _variance(other, one, places.fake, to_real)
    return Parts(
        float(difference.square().sum()),
        one.total + other.total - 2 * trace,
        variance,
        places.values[places.values > 0],
        places.fake_values,
        (one.share, other.share),
    )


class _Centred(NamedTuple):
    """Samples less their mean."""

    mean: Float[Tensor, " d"]
    samples: Float[Tensor, "n d"]


class _Side(NamedTuple):
    """One side of the comparison.

    Attributes:
        samples: X, centred.
        products: XXᵀ / n, whose eigenvalues are those of S, but for zeros.
        share: a.
        level: α = a tr S / d.
        offset: X (μ - μ'), μ' the other side's mean.
    """

    samples: Float[Tensor, "n d"]
    products: Float[Tensor, "n _"]
    share: float
    level: float
    offset: Float[Tensor, " n"]

    @property
    def total(self) -> float:
        """tr Σ, which is tr S."""
        return float(self.products.trace())


class _Places(NamedTuple):
    """Samples in coordinates of their span.

    Attributes:
        values: the eigenvalues of the real side's S, which is diagonal here.
        real, fake: the samples.
        fake_values: the eigenvalues of the generated side's S, but for zeros.
    """

    values: Float[Tensor, " r"]
    real: Float[Tensor, "n r"]
    fake: Float[Tensor, "m r"]
    fake_values: Float[Tensor, " m"]


def _centred(features: Float[Tensor, "n d"]) -> _Centred:
    exact = doubles(features)
    mean = exact.mean(0)
    return _Centred(mean, exact - mean)


def _side(centred: _Centred, offset: Float[Tensor, " d"]) -> _Side:
    X, d = centred.samples, len(offset)
    products = X @ X.T / len(X)
    norms, trace = products.diagonal() * len(X), float(products.trace())
    share = shrunk_by(norms, float(products.square().sum()), trace, d)  # |XXᵀ| = |XᵀX|
    return _Side(X, products, share, share * trace / d, X @ offset)


def _places(one: _Side, other: _Side) -> _Places:
    """The real side's principal directions, then those of what the generated side has beside them."""
    n, m = len(one.samples), len(other.samples)
    values, vectors = torch.linalg.eigh(one.products)
    kept = values > LEAST * _largest(values)
    values, lengths = values[kept], (n * values[kept]).sqrt()
    along = (other.samples @ one.samples.T) @ (vectors[:, kept] / lengths)
    fake_values = torch.linalg.eigvalsh(other.products)
    rest, directions = torch.linalg.eigh(other.products * m - along @ along.T)
    beside = rest > LEAST * m * _largest(fake_values)
    beyond = directions[:, beside] * rest[beside].sqrt()
    more = values.new_zeros(beyond.shape[1])
    real = torch.cat([vectors[:, kept] * lengths, values.new_zeros(n, len(more))], dim=1)
    return _Places(torch.cat([values, more]), real, torch.cat([along, beyond], dim=1), fake_values)


def _variance(side: _Side, other: _Side, places: Float[Tensor, "n r"], plan: Float[Tensor, "r k"]) -> float:
    """The variance of one sample's influence on the distance, over their number; as `fid` has it, with T = P Pᵀ."""
    d, a, outside = side.samples.shape[1], side.share, 0.0
    if side.level:
        outside = (d - len(plan)) * math.sqrt(other.level / side.level)
    trace = a * (1 - (float(plan.square().sum()) + outside) / d)
    square = side.products.diagonal() * len(side.samples)
    influences = 2 * side.offset + (1 - a) * (square - (places @ plan).square().sum(1)) + trace * square
    return float(influences.var()) / len(influences)


def _largest(values: Float[Tensor, " n"]) -> float:
    return float(values.max()) if len(values) else 0.0


def _seconds(most: int) -> float:
    """Estimate the time of a decomposition of this size and two of half of it, by a small one."""
    small = max(most // PROBED, 1)
    matrix = torch.randn(small, small, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = time.perf_counter()
    torch.linalg.eigh(matrix @ matrix.T)
    return 1.3 * PROBED**3 * (time.perf_counter() - start)

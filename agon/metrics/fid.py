"""The Fréchet distance between Gaussians of the same moments as two sets of features."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import Change, DataError, SettingError
from agon.metrics.intervals import NORMAL
from agon.metrics.moments import BLOCK, Moments, doubles, expect_features, shrinkage
from agon.metrics.score import Score

FLAT = 1e-6  # of the largest real variance: directions with less do not count in a rank
COLLAPSED = 0.5  # of the rank that n samples of real features would have: with less, the generator has collapsed


def frechet_distance(real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], *, covariance: str = "sample") -> Score:
    """How far the mean and covariance of generated features are from those of real ones; FID on Inception's.

    |μ_r - μ_f|² + tr Σ_r + tr Σ_f - 2 tr (Σ_r Σ_f)^{1/2}, 0 for equal moments. A finite n makes it larger
    (by about d²/2n where both sides have variances of 1 and n samples, many more than d): values compare at
    equal n only, and the error does not cover that. It is the standard error by the delta method:
    a generated x moves the value by 2(μ_f - μ_r)ᵀ(x - μ_f) + (x - μ_f)ᵀ(I - T)(x - μ_f), T the linear map that
    carries N(0, Σ_f) to N(0, Σ_r), and a real one likewise. Where both sides are alike, it is too
    large by up to 1.5 times.

    A generator that has collapsed gets its right value, and is told by its rank in the detail.
    Memory: 8 d² float64, and 4 `BLOCK` features; the result does not depend on the order of samples
    or on `BLOCK` beyond 1e-9 of the traces.

    Args:
        real: features of real samples, finite.
        fake: features of generated samples, finite.
        covariance: "sample", with n - 1, which takes d + 1 samples or more on each side; or "shrunk", Ledoit and Wolf's
            estimate, which takes 2, and is another protocol: its values compare with each other only. Its
            shrinkage counts as given in the error.

    Raises:
        DataError: other coordinates, too few samples, or numbers that are not finite.
        SettingError: another covariance.

    Source: Heusel et al. 2017, equation 6; Dowson and Landau 1982 for the distance; Ledoit and Wolf 2004.

    >>> x = torch.tensor([[0.0], [2.0], [4.0]])
    >>> frechet_distance(x, x + 3).value
    9.0
    """
    if covariance not in ("sample", "shrunk"):
        raise SettingError(f"Fréchet distance: expected covariance 'sample' or 'shrunk', got {covariance!r}")
    d = real.shape[1]
    least = d + 1 if covariance == "sample" else 2
    fewer = Change("covariance", "shrunk", "--metrics fid-shrunk")
    advice = f"{d} features have no sample covariance of full rank from fewer: give more, or choose {fewer}"
    expect_features("Fréchet distance", real, fake, least, advice if covariance == "sample" else "give more", fewer)
    real = real.to(fake.device)
    ours, theirs = _side(fake, covariance), _side(real, covariance)
    U, s, Vh = torch.linalg.svd(ours.root.T @ theirs.root, full_matrices=False)
    value, apart = _distance(ours, theirs, s), ours.mean - theirs.mean
    variance = _variance(fake, ours, apart, U * s.sqrt()) / len(fake)
    variance += _variance(real, theirs, -apart, Vh.T * s.sqrt()) / len(real)
    error = math.sqrt(variance)
    rank = _ranks(ours, theirs, len(fake))
    return Score(
        name="frechet-distance",
        value=value,
        error=error,
        interval=(max(0.0, value - NORMAL * error), value + NORMAL * error),
        n=len(fake),
        n_real=len(real),
        protocol=f"{d} features, {covariance} covariance; larger for fewer samples, which the error does not cover",
        detail={
            "mean": float(apart.square().sum()),
            "covariance": value - float(apart.square().sum()),
            "rank": rank.fake,
            "rank_real": rank.real,
            "collapsed": rank.collapsed,
            "shrinkage": [theirs.shrinkage, ours.shrinkage],
            **({"told": rank.told} if rank.collapsed else {}),
        },
    )


def frechet_distance_of_moments(
    mean: Float[Tensor, " d"],
    covariance: Float[Tensor, "_ _"],
    other_mean: Float[Tensor, " _"],
    other_covariance: Float[Tensor, "_ _"],
) -> float:
    """The Fréchet distance between two Gaussians, |μ - μ'|² + tr Σ + tr Σ' - 2 tr (ΣΣ')^{1/2}.

    Never negative, never complex, and exact where covariances have no full rank: the last trace is the sum of the
    singular values of Σ^{1/2}Σ'^{1/2}, with roots of symmetric matrices.

    Args:
        mean: μ, finite.
        covariance: Σ "d d", symmetric, without negative eigenvalues beyond rounding.
        other_mean: μ' "d".
        other_covariance: Σ' "d d".

    Raises:
        DataError: shapes that do not fit each other, numbers that are not finite, or no covariance.

    Source: Dowson and Landau 1982; Heusel et al. 2017, equation 6.

    >>> I = torch.eye(5)
    >>> frechet_distance_of_moments(torch.zeros(5), I, torch.ones(5), 4 * I)
    10.0
    """
    a, b = _given(mean, covariance), _given(other_mean, other_covariance)
    if len(a.mean) != len(b.mean):
        raise DataError(f"Fréchet distance: expected means of one length, got {len(a.mean)} and {len(b.mean)}")
    b = b._replace(mean=b.mean.to(a.mean.device), values=b.values.to(a.mean.device), root=b.root.to(a.mean.device))
    return _distance(a, b, torch.linalg.svdvals(a.root.T @ b.root))


class _Side(NamedTuple):
    """The moments of one side.

    Attributes:
        mean: "d", μ.
        values: "d", the eigenvalues of the sample covariance S.
        total: tr Σ.
        root: "d r", with Σ = root rootᵀ, r the rank.
        inverse: "d r", the transposed pseudo-inverse of the root.
        shrinkage: a in Σ = (1 - a) S + a (tr S / d) I.
    """

    mean: Float[Tensor, " d"]
    values: Float[Tensor, " d"]
    total: float
    root: Float[Tensor, "d r"]
    inverse: Float[Tensor, "d r"]
    shrinkage: float


class _Ranks(NamedTuple):
    """In how many directions features vary, by the scale of the real ones."""

    fake: int
    real: int
    collapsed: bool
    told: str


def _side(features: Float[Tensor, "n d"], how: str) -> _Side:
    moments = Moments().add(features)
    if how == "sample":
        return _decomposed(moments.mean, moments.covariance, 0.0)
    return _decomposed(moments.mean, moments.scatter / moments.n, shrinkage(features, moments))


def _given(mean: Float[Tensor, " d"], covariance: Float[Tensor, "_ _"]) -> _Side:
    mean, covariance = doubles(mean), doubles(covariance)
    if covariance.shape != (len(mean), len(mean)):
        raise DataError(
            f"Fréchet distance: expected a covariance of {len(mean)} x {len(mean)} for a mean of {len(mean)}, got "
            f"{' x '.join(map(str, covariance.shape))}"
        )
    if not bool(mean.isfinite().all() and covariance.isfinite().all()):
        raise DataError("Fréchet distance: expected finite moments, got some that are not")
    largest = float(covariance.abs().max())
    if float((covariance - covariance.T).abs().max()) > 1e-5 * largest:
        raise DataError("Fréchet distance: expected symmetric covariances, got one that is not")
    side = _decomposed(mean, (covariance + covariance.T) / 2, 0.0)
    if float(side.values.min()) < -1e-5 * largest:
        raise DataError(
            f"Fréchet distance: expected covariances, got a matrix with the eigenvalue {float(side.values.min()):.3g}"
        )
    return side


def _decomposed(mean: Float[Tensor, " d"], covariance: Float[Tensor, "d d"], share: float) -> _Side:
    values, vectors = torch.linalg.eigh(covariance)
    shrunk = (1 - share) * values + share * values.mean()
    kept = shrunk > _rounding(shrunk)  # what is left has a root that is no noise
    scale, vectors = shrunk[kept].sqrt(), vectors[:, kept]
    return _Side(mean, values, float(scale.square().sum()), vectors * scale, vectors / scale, share)


def _rounding(values: Float[Tensor, " d"]) -> float:
    """Below it, an eigenvalue of a matrix with these eigenvalues is not told from 0."""
    return torch.finfo(torch.float64).eps * len(values) * float(values.abs().max())


def _distance(a: _Side, b: _Side, singular: Float[Tensor, " r"]) -> float:
    return max(0.0, float((a.mean - b.mean).square().sum()) + a.total + b.total - 2 * float(singular.sum()))


def _variance(
    features: Float[Tensor, "n d"], side: _Side, apart: Float[Tensor, " d"], plan: Float[Tensor, "r k"]
) -> float:
    """Of one sample's influence on the distance.

    T is P Pᵀ, P = Σ^{-1/2} U s^{1/2}, U s Vᵀ = Σ^{1/2}Σ'^{1/2}; a shrunk Σ passes on a share of I - T and of its trace.
    """
    P, a, d = side.inverse @ plan, side.shrinkage, len(apart)
    trace = a * (1 - float(P.square().sum()) / d)
    found = []
    for block in torch.split(features, BLOCK):
        x = doubles(block) - side.mean
        square = x.square().sum(1)
        carried = (x @ P).square().sum(1)
        found.append(2 * (x @ apart) + (1 - a) * (square - carried) + trace * square)
    return float(torch.cat(found).var())


def _ranks(ours: _Side, theirs: _Side, n: int) -> _Ranks:
    flat = FLAT * float(theirs.values.max())
    fake, real = (int((side.values > max(flat, _rounding(side.values))).sum()) for side in (ours, theirs))
    collapsed = fake < COLLAPSED * min(real, n - 1)
    told = f"the generated features have rank {fake}, where the real ones have {real}, of {len(ours.mean)}: collapse"
    return _Ranks(fake, real, collapsed, told)

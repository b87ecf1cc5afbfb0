"""The Fréchet distance between the Gaussians fitted to two sets of features; on Inception's features it is FID."""

import math
import time
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import DataError
from agon.metrics.fewer import Parts, of_fewer
from agon.metrics.intervals import NORMAL
from agon.metrics.moments import BLOCK, Moments, doubles, expect_comparable, expect_finite, shrinkage
from agon.metrics.score import Score
from agon.terminal.waiting import stage

PROBED = 8  # times smaller matrices are decomposed to estimate the time
FLAT = 1e-6  # a direction counts in a rank if its variance exceeds this part of the largest real one
COLLAPSED = 0.5  # a generator has collapsed if its rank is under this part of the rank expected of n real samples


def frechet_distance(real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], *, covariance: str = "sample") -> Score:
    """The Fréchet distance between real and generated features; on Inception's features it is FID.

        |μ_r - μ_f|² + tr Σ_r + tr Σ_f - 2 tr (Σ_r Σ_f)^{1/2},

    which is 0 for equal moments; lower is better. The value is biased upwards for finite n, by about d²/2n if both
    sides have unit variances and n samples, n much larger than d. So compare values at equal n only; the error does not
    include this bias.

    The standard error comes from the delta method. A generated x moves the value by
    2(μ_f - μ_r)ᵀ(x - μ_f) + (x - μ_f)ᵀ(I - T)(x - μ_f), where the linear map T carries N(0, Σ_f) to N(0, Σ_r); a real
    sample moves it likewise. If both sides have the same distribution, the error is too large by up to 1.5 times.

    A collapsed generator still gets the correct value; the detail reports the collapse by the features' ranks.
    Memory: 8 d² float64, and 4 `BLOCK` features; with shrunk covariances of fewer samples than features, 8 (n + m)²
    and the samples, as the same then comes from products of samples (see `fewer`). The result does not depend on the
    order of samples, or on `BLOCK` beyond 1e-9 of the traces.

    Args:
        real: features of real samples, finite.
        fake: features of generated samples, finite.
        covariance: "sample" divides by n - 1 and needs d + 1 samples on each side; "shrunk" is Ledoit and Wolf's
            estimate and needs 2. They are different protocols: do not compare their values with each other. The
            error treats the amount of shrinkage as given.

    Returns:
        "frechet-distance", from 0, in squared units of the features.

    Raises:
        DataError: the two sides have different coordinates, too few samples, or numbers that are not finite.
        SettingError: `covariance` is neither of the two.

    Source: Heusel et al. 2017, equation 6; Dowson and Landau 1982 for the distance; Ledoit and Wolf 2004.

    >>> x = torch.tensor([[0.0], [2.0], [4.0]])
    >>> frechet_distance(x, x + 3).value
    9.0
    """
    expect_comparable(real, fake, covariance)
    d = real.shape[1]
    real = real.to(fake.device)
    of_few = of_fewer(real, fake) if covariance == "shrunk" and d > len(real) + len(fake) else None
    parts = of_few or _of_covariances(real, fake, covariance)
    value = max(0.0, parts.mean + parts.covariance)
    error = math.sqrt(parts.variance)
    rank = _ranks(parts.fake_values, parts.real_values, len(fake), d)
    return Score(
        name="frechet-distance",
        value=value,
        error=error,
        interval=(max(0.0, value - NORMAL * error), value + NORMAL * error),
        n=len(fake),
        n_real=len(real),
        protocol=f"{d} features, {covariance} covariance; larger for fewer samples, which the error does not cover",
        detail={
            "mean": parts.mean,
            "covariance": value - parts.mean,
            "rank": rank.fake,
            "rank_real": rank.real,
            "collapsed": rank.collapsed,
            "shrinkage": list(parts.shrinkage),
            **({"told": rank.sentence} if rank.collapsed else {}),
        },
    )


def _of_covariances(real: Float[Tensor, "n d"], fake: Float[Tensor, "m d"], covariance: str) -> Parts:
    """The distance's parts by d x d matrices."""
    d = real.shape[1]
    with stage(f"decompositions of {d:,} x {d:,} covariances", seconds=partial(_seconds, d)):
        fake_gaussian, real_gaussian = _gaussian_of(fake, covariance), _gaussian_of(real, covariance)
        U, s, Vh = torch.linalg.svd(fake_gaussian.root.T @ real_gaussian.root, full_matrices=False)
    offset = fake_gaussian.mean - real_gaussian.mean
    variance = _variance(fake, fake_gaussian, offset, U * s.sqrt()) / len(fake)
    variance += _variance(real, real_gaussian, -offset, Vh.T * s.sqrt()) / len(real)
    return Parts(
        float(offset.square().sum()),
        fake_gaussian.total + real_gaussian.total - 2 * float(s.sum()),
        variance,
        real_gaussian.values,
        fake_gaussian.values,
        (real_gaussian.shrinkage, fake_gaussian.shrinkage),
    )


def frechet_distance_to_moments(
    mean: Float[Tensor, " d"], covariance: Float[Tensor, "_ _"], fake: Float[Tensor, "n _"], n_real: int | None = None
) -> Score:
    """The Fréchet distance of generated features to known moments of the real ones, as `frechet_distance` has it.

    The error does not cover the real samples behind the moments.

    Args:
        mean: μ of the real features.
        covariance: Σ "d d" of them.
        fake: features of generated samples, at least d + 1.
        n_real: how many real samples the moments come from, if that is known.

    Raises:
        DataError: shapes differ, there are too few samples, numbers are not finite, or Σ is no covariance.

    >>> x = torch.tensor([[3.0], [5.0], [7.0]])
    >>> frechet_distance_to_moments(torch.tensor([2.0]), torch.tensor([[4.0]]), x).value
    9.0
    """
    d = len(mean)
    if fake.shape[1] != d or len(fake) < d + 1:
        raise DataError(
            f"Fréchet distance: expected at least {d + 1} generated samples of {d} features, got {len(fake)} of "
            f"{fake.shape[1]}; {d} features have no sample covariance of full rank from fewer: give more"
        )
    expect_finite("Fréchet distance", "generated", fake)
    with stage(f"decompositions of {d:,} x {d:,} covariances", seconds=partial(_seconds, d)):
        fake_gaussian, real_gaussian = _gaussian_of(fake, "sample"), _gaussian_of_moments(mean, covariance)
        U, s, _ = torch.linalg.svd(fake_gaussian.root.T @ real_gaussian.root, full_matrices=False)
    value, offset = _distance(fake_gaussian, real_gaussian, s), fake_gaussian.mean - real_gaussian.mean
    error = math.sqrt(_variance(fake, fake_gaussian, offset, U * s.sqrt()) / len(fake))
    return Score(
        name="frechet-distance",
        value=value,
        error=error,
        interval=(max(0.0, value - NORMAL * error), value + NORMAL * error),
        n=len(fake),
        n_real=n_real,
        protocol=f"{d} features, sample covariance, to given moments; larger for fewer samples, which the error does "
        "not cover",
    )


def frechet_distance_of_moments(
    mean: Float[Tensor, " d"],
    covariance: Float[Tensor, "_ _"],
    other_mean: Float[Tensor, " _"],
    other_covariance: Float[Tensor, "_ _"],
) -> float:
    """The Fréchet distance between two Gaussians, |μ - μ'|² + tr Σ + tr Σ' - 2 tr (ΣΣ')^{1/2}.

    The last trace is computed as the sum of the singular values of Σ^{1/2}Σ'^{1/2}, with symmetric matrix roots. So the
    result is never negative or complex, and it is exact for covariances without full rank.

    Args:
        mean: μ, finite.
        covariance: Σ "d d", symmetric, without negative eigenvalues beyond rounding.
        other_mean: μ' "d".
        other_covariance: Σ' "d d".

    Raises:
        DataError: shapes do not match, numbers are not finite, or a matrix is not a covariance.

    Source: Dowson and Landau 1982; Heusel et al. 2017, equation 6.

    >>> I = torch.eye(5)
    >>> frechet_distance_of_moments(torch.zeros(5), I, torch.ones(5), 4 * I)
    10.0
    """
    a, b = _gaussian_of_moments(mean, covariance), _gaussian_of_moments(other_mean, other_covariance)
    if len(a.mean) != len(b.mean):
        raise DataError(f"Fréchet distance: expected means of one length, got {len(a.mean)} and {len(b.mean)}")
    b = b._replace(mean=b.mean.to(a.mean.device), values=b.values.to(a.mean.device), root=b.root.to(a.mean.device))
    return _distance(a, b, torch.linalg.svdvals(a.root.T @ b.root))


def _seconds(d: int) -> float:
    """Estimate the time of two eigenvalue and one singular value decompositions, which grow as d³, by small ones."""
    small = max(d // PROBED, 1)
    matrix = torch.randn(small, small, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = time.perf_counter()
    torch.linalg.eigh(matrix @ matrix.T)
    middle = time.perf_counter()
    torch.linalg.svd(matrix)
    return PROBED**3 * (2 * (middle - start) + time.perf_counter() - middle)


class _Gaussian(NamedTuple):
    """The Gaussian fitted to one set of features.

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
    """The number of directions in which each side's features vary, relative to the real features' scale."""

    fake: int
    real: int
    collapsed: bool
    sentence: str


def _gaussian_of(features: Float[Tensor, "n d"], how: str) -> _Gaussian:
    moments = Moments().add(features)
    if how == "sample":
        return _decompose(moments.mean, moments.covariance, 0.0)
    return _decompose(moments.mean, moments.scatter / moments.n, shrinkage(features, moments))


def _gaussian_of_moments(mean: Float[Tensor, " d"], covariance: Float[Tensor, "_ _"]) -> _Gaussian:
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
    gaussian = _decompose(mean, (covariance + covariance.T) / 2, 0.0)
    if float(gaussian.values.min()) < -1e-5 * largest:
        raise DataError(
            "Fréchet distance: expected covariances, got a matrix with the eigenvalue "
            f"{float(gaussian.values.min()):.3g}"
        )
    return gaussian


def _decompose(mean: Float[Tensor, " d"], covariance: Float[Tensor, "d d"], share: float) -> _Gaussian:
    values, vectors = torch.linalg.eigh(covariance)
    shrunk = (1 - share) * values + share * values.mean()
    positive = shrunk > _rounding(shrunk)  # what is left has a root that is no noise
    scale, vectors = shrunk[positive].sqrt(), vectors[:, positive]
    return _Gaussian(mean, values, float(scale.square().sum()), vectors * scale, vectors / scale, share)


def _rounding(values: Float[Tensor, " d"]) -> float:
    """The rounding error of these eigenvalues: one below it cannot be distinguished from 0."""
    return torch.finfo(torch.float64).eps * len(values) * float(values.abs().max()) if len(values) else 0.0


def _distance(a: _Gaussian, b: _Gaussian, singular: Float[Tensor, " r"]) -> float:
    return max(0.0, float((a.mean - b.mean).square().sum()) + a.total + b.total - 2 * float(singular.sum()))


def _variance(
    features: Float[Tensor, "n d"], gaussian: _Gaussian, offset: Float[Tensor, " d"], plan: Float[Tensor, "r k"]
) -> float:
    """The variance of one sample's influence on the distance.

    T is P Pᵀ, P = Σ^{-1/2} U s^{1/2}, U s Vᵀ = Σ^{1/2}Σ'^{1/2}; a shrunk Σ passes on a share of I - T and of its trace.
    """
    P, a, d = gaussian.inverse @ plan, gaussian.shrinkage, len(offset)
    trace = a * (1 - float(P.square().sum()) / d)
    influences = []
    for block in torch.split(features, BLOCK):
        x = doubles(block) - gaussian.mean
        square = x.square().sum(1)
        carried = (x @ P).square().sum(1)
        influences.append(2 * (x @ offset) + (1 - a) * (square - carried) + trace * square)
    return float(torch.cat(influences).var())


def _ranks(fake_values: Float[Tensor, " k"], real_values: Float[Tensor, " l"], n: int, d: int) -> _Ranks:
    flat = FLAT * float(real_values.max()) if len(real_values) else 0.0
    fake, real = (int((values > max(flat, _rounding(values))).sum()) for values in (fake_values, real_values))
    collapsed = fake < COLLAPSED * min(real, n - 1)
    sentence = f"the generated features have rank {fake}, where the real ones have {real}, of {d}: collapse"
    return _Ranks(fake, real, collapsed, sentence)

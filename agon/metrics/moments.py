"""Mean and covariance of features that arrive in parts, and Ledoit-Wolf shrinkage for few samples."""

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import Change, DataError, SettingError

BLOCK = 1024  # features that are in memory in float64 at a time


class Moments:
    """The mean "d" and covariance "d d" of features that are added in parts, accumulated in float64.

    Two groups a and b are merged by Chan's update: with δ = μ_b - μ_a, μ = μ_a + δ n_b / n and
    M = M_a + M_b + δδᵀ n_a n_b / n, where M holds the sums of squares and products about the mean. The result depends
    on the parts and their order by at most 1e-12 of its size. Memory: 3 d² float64, and twice `BLOCK` features.

    Attributes:
        n: the number of features added so far.
        mean: "d", μ; on the device of the first features.
        scatter: "d d", M.

    Source: Chan, Golub and LeVeque 1979, equations 2.1.

    >>> Moments().add(torch.tensor([[0.0], [1.0]])).add(torch.tensor([[5.0]])).covariance
    tensor([[7.]], dtype=torch.float64)
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean: Float[Tensor, " d"] = torch.zeros(0)
        self.scatter: Float[Tensor, "d d"] = torch.zeros(0, 0)

    def add(self, features: Float[Tensor, "n d"]) -> "Moments":
        """Add features to these moments.

        Args:
            features: finite; n may be 0, and d must be that of the features added before.

        Returns:
            These moments themselves.

        Raises:
            DataError: numbers are not finite, or d differs.
        """
        for block in torch.split(features, BLOCK):
            if not bool(block.isfinite().all()):
                raise DataError("moments: expected finite features, got some that are not")
            exact, part = doubles(block), Moments()
            if len(exact):
                part.n, part.mean = len(exact), exact.mean(0)
                centred = exact - part.mean
                part.scatter = centred.T @ centred
            self.merge(part)
        return self

    def merge(self, other: "Moments") -> "Moments":
        """Add the features of other moments to these.

        Args:
            other: remains unchanged.

        Returns:
            These moments themselves.

        Raises:
            DataError: d differs.
        """
        if not self.n or not other.n:
            if other.n:
                self.n, self.mean, self.scatter = other.n, other.mean.clone(), other.scatter.clone()
            return self
        if len(self.mean) != len(other.mean):
            raise DataError(f"moments: expected features of {len(self.mean)} coordinates, got {len(other.mean)}")
        n, offset = self.n + other.n, other.mean.to(self.mean) - self.mean
        self.scatter += other.scatter.to(self.mean) + torch.outer(offset, offset) * (self.n * other.n / n)
        self.mean = self.mean + offset * (other.n / n)
        self.n = n
        return self

    @property
    def covariance(self) -> Float[Tensor, "d d"]:
        """The unbiased estimate M / (n - 1).

        Raises:
            DataError: fewer than 2 features were added.
        """
        if self.n < 2:
            raise DataError(f"moments: expected at least 2 features for a covariance, got {self.n}")
        return self.scatter / (self.n - 1)


def shrinkage(features: Float[Tensor, "n d"], moments: Moments) -> float:
    """Ledoit and Wolf's shrinkage a of a covariance towards a multiple of the identity, 0 to 1.

    With S = M/n and m = tr S / d, the estimate (1 - a) S + a m I minimises the expected squared error at
    a = min(1, b / c), b = (Σ|x - μ|⁴ / n - |S|²) / n, c = |S - m I|² (Frobenius norms).

    Args:
        features: at least 2.
        moments: of the same features.

    Source: Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices".
    """
    S = moments.scatter / moments.n
    norms = torch.cat([(doubles(x) - moments.mean).square().sum(1) for x in torch.split(features, BLOCK)])
    return shrunk_by(norms, float(S.square().sum()), float(S.trace()), len(moments.mean))


def shrunk_by(norms: Float[Tensor, " n"], square: float, trace: float, d: int) -> float:
    """The same by |x - μ|² of each sample, |S|², tr S and the number of features."""
    off = square - trace**2 / d
    noise = (float(norms.square().mean()) - square) / len(norms)
    return min(1.0, noise / off) if off > 0 else 0.0


def doubles(features: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Convert features to float64, on their device, or on the CPU if the device has no float64."""
    return features.cpu().double() if features.device.type == "mps" else features.double()


def expect_features(
    metric: str, real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], least: int, advice: str, *changes: Change
) -> None:
    """Check that two sets of features can be compared.

    Args:
        metric: the metric's name, for error messages.
        real: features of real samples.
        fake: features of generated samples.
        least: the number of samples that each side needs.
        advice: what to do if there are fewer, for the error message.
        changes: the settings that the advice suggests.

    Raises:
        DataError: the coordinates differ, there are too few samples, or numbers are not finite.
    """
    if real.shape[1] != fake.shape[1] or not real.shape[1]:
        raise DataError(
            f"{metric}: expected the same features of both sides, got {real.shape[1]} of real samples and "
            f"{fake.shape[1]} of generated ones"
        )
    if min(len(real), len(fake)) < least:
        raise DataError(
            f"{metric}: expected at least {least} samples on each side, got {len(real)} real and {len(fake)} generated "
            f"ones; {advice}",
            *changes,
        )
    for name, features in (("real", real), ("generated", fake)):
        expect_finite(metric, name, features)


def expect_finite(metric: str, name: str, features: Float[Tensor, "n d"]) -> None:
    """Check that features are finite.

    Raises:
        DataError: some are not.
    """
    non_finite = sum(int((~block.isfinite().all(1)).sum()) for block in torch.split(features, BLOCK))
    if non_finite:
        raise DataError(
            f"{metric}: expected finite features, got {non_finite} of {len(features)} {name} ones that are not"
        )


def expect_comparable(real: Float[Tensor, "n d"], fake: Float[Tensor, "m _"], covariance: str) -> None:
    """Check that two sets of features have a Fréchet distance; raises as `frechet_distance` does."""
    if covariance not in ("sample", "shrunk"):
        raise SettingError(f"Fréchet distance: expected covariance 'sample' or 'shrunk', got {covariance!r}")
    d = real.shape[1]
    least = d + 1 if covariance == "sample" else 2
    fewer = Change("covariance", "shrunk", "--metrics fid-shrunk")
    advice = f"{d} features have no sample covariance of full rank from fewer: give more, or choose {fewer}"
    expect_features("Fréchet distance", real, fake, least, advice if covariance == "sample" else "give more", fewer)

"""The area under a critic's ROC curve: the probability that it finds a generated sample at least as real as a real one.

It needs no threshold and no calibration, so it compares critics whose logits have different scales.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from agon.errors import DataError
from agon.metrics.intervals import NORMAL, share_error, wilson
from agon.metrics.score import Score

PROTOCOL = "P(realness of a generated sample >= realness of a held-out real one), ties half; DeLong's variance"
DRAWS = 2_000  # resamples of the bootstrap


class Area(NamedTuple):
    """a = P(D(G(z)) > D(x)) + P(D(G(z)) = D(x)) / 2.

    Attributes:
        value: from 0, where the critic recognises every generated sample, through 0.5, where it cannot tell generated
            from real ones, to 1, where it finds every generated sample more real than any real one.
        error: DeLong's standard error, of the samples alone; 0 where the critic separates the two completely.
        n: number of generated samples.
        n_real: number of real samples.
    """

    value: float
    error: float
    n: int
    n_real: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval logit(a) ± 1.96 error / (a (1 - a)), mapped back; Wilson's at 0 and 1."""
        if not 0 < self.value < 1 or not self.error:
            return wilson(self.value, min(self.n, self.n_real))
        logit, half = math.log(self.value / (1 - self.value)), NORMAL * self.error / (self.value * (1 - self.value))
        return expit(logit - half), expit(logit + half)

    def score(self) -> Score:
        """The area as a Score: "auroc". Where DeLong's error is 0, it has that of a share of the smaller set."""
        return Score(
            name="auroc",
            value=self.value,
            error=self.error or share_error(self.value, min(self.n, self.n_real)),
            interval=self.interval,
            n=self.n,
            n_real=self.n_real,
            protocol=PROTOCOL,
        )


def auroc(fake: Float[np.ndarray, " n"], real: Float[np.ndarray, " m"]) -> Area:
    """Compute the area under the ROC curve of a critic, with DeLong's variance.

        a = 1 / (n m) Σ_i Σ_k ψ(f_i, r_k),   ψ(f, r) = 1 if f > r, 1/2 if f = r, else 0,
        Var(a) = Var_i(mean_k ψ(f_i, r_k)) / n + Var_k(mean_i ψ(f_i, r_k)) / m.

    Of a single sample on one side nothing shows its part: it is taken at its largest, a (1 - a). Exchanging fake and
    real gives 1 - a with the same error.

    Args:
        fake: realness of generated samples, finite, at least 1.
        real: realness of real samples that the critic was not trained on, finite, at least 1.

    Raises:
        DataError: one of them is empty or not finite.

    Source: DeLong, DeLong and Clarke-Pearson 1988; computed by sorting as by Sun and Xu 2014.

    >>> round(auroc(np.array([1.0, 2.0]), np.array([0.0, 2.0, 3.0])).value, 4)
    0.4167
    """
    of_fake, of_real = placements(fake, real)
    area = float(of_fake.mean())
    variance = sum(
        float(part.var(ddof=1)) / len(part) if len(part) > 1 else area * (1 - area) for part in (of_fake, of_real)
    )
    return Area(area, math.sqrt(variance), len(of_fake), len(of_real))


def placements(
    fake: Float[np.ndarray, " n"], real: Float[np.ndarray, " m"]
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " m"]]:
    """For each generated sample the share of real ones below it, for each real one the share of generated ones above.

    Ties count half.

    Raises:
        DataError: one of them is empty or not finite.
    """
    for name, scores in (("generated", fake), ("real", real)):
        if not len(scores) or not np.isfinite(scores).all():
            raise DataError(f"a critic's realness of {name} samples: expected at least 1 finite number, got others")
    return _share_below(fake, real), 1 - _share_below(real, fake)


def bootstrapped(fake: Float[np.ndarray, " n"], real: Float[np.ndarray, " m"], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the area by a bootstrap that draws generated and real samples anew: the check of DeLong's.

    Args:
        fake: realness of generated samples.
        real: realness of real samples.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    areas = [_share_below(rng.choice(fake, len(fake)), rng.choice(real, len(real))).mean() for _ in range(DRAWS)]
    low, high = np.quantile(areas, (0.025, 0.975))
    return float(low), float(high)


def expit(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow.

    >>> expit(0.0), expit(-800.0)
    (0.5, 0.0)
    """
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))


def _share_below(values: Float[np.ndarray, " n"], others: Float[np.ndarray, " m"]) -> Float64[np.ndarray, " n"]:
    """For each value the share of others below it, equal ones counted half."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (below + up_to) / (2.0 * len(others))

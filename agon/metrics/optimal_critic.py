"""The optimal critic for a known density and generated samples, and its gap to a learned critic."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.points import mixture_log_density
from agon.errors import DataError
from agon.metrics.density import LogDensity, finite
from agon.metrics.intervals import mean_score
from agon.metrics.score import Score

BLOCK = 256  # points whose distances to all samples are in memory at a time
TRIED = 2_000  # the most samples that choose a bandwidth
TRIMMED = 0.01  # the worst samples that a likelihood leaves out, so that a few stray ones do not decide
HALVINGS = 15  # bandwidths tried, each 1/√2 of the one before
JUDGED = 2_000  # the most real samples, and as many generated ones, at which the critics are compared
HALF = 0.5  # the optimal critic's probability where both densities agree
PLACES = 200  # points of each curve


def kernel_log_density(x: Float[Tensor, "n d"], samples: Float[Tensor, "m d"], bandwidth: float) -> Float[Tensor, " n"]:
    """log 1/m Σ N(x; sample, bandwidth²): the log of a Gaussian kernel estimate of the samples' density.

    Memory: BLOCK times m numbers. The result does not depend on BLOCK.

    Args:
        x: the points at which to estimate.
        samples: samples of the unknown density.
        bandwidth: standard deviation of each kernel in each direction, above 0.

    Returns:
        Nats, float64.

    Source: Parzen 1962, equation 1.1, with a Gaussian kernel.
    """
    centres = samples.double()
    return torch.cat([mixture_log_density(block.double(), centres, bandwidth) for block in torch.split(x, BLOCK)])


def bandwidth_of(samples: Float[Tensor, "n d"]) -> float:
    """Choose a kernel bandwidth by leave-one-out maximum likelihood.

    The candidates begin with Scott's n^(-1/(d+4)) times the mean standard deviation and fall by factors of 1/√2 to
    1/128 of it, because for clustered samples Scott's rule gives a width like the distance of the clusters. Each
    likelihood leaves out the worst 1 % of the samples, so that a few stray ones do not decide. The choice uses at most
    2,000 samples; Scott's power then scales the bandwidth to all n.

    Args:
        samples: at least 2 finite points, not all the same.

    Returns:
        The bandwidth in units of the samples, above 0.

    Raises:
        DataError: there are fewer than 2 samples, numbers are not finite, or all samples are the same.

    Source: Scott 1992, "Multivariate density estimation", equation 6.42; Duin 1976 for the likelihood.
    """
    finite(samples, "a bandwidth")
    (n, d), samples_64 = samples.shape, samples.double()
    if not _differ(samples):
        raise DataError("a bandwidth: expected samples that differ, got one place only: the generator has collapsed")
    subset, deviation = samples_64[:TRIED], float(samples_64.std(dim=0).mean())
    bandwidths = [deviation * len(subset) ** (-1 / (d + 4)) * 2 ** (-k / 2) for k in range(HALVINGS)]
    squares = torch.cat([_squares(block, subset) for block in torch.split(subset, BLOCK)]).fill_diagonal_(math.inf)
    likelihoods = _likelihoods(squares, bandwidths, d)
    best = bandwidths[likelihoods.index(max(likelihoods))]
    return float(best * (n / len(subset)) ** (-1 / (d + 4)))


def optimal_logit(
    x: Float[Tensor, "n d"], log_density: LogDensity, fake: Float[Tensor, "m d"], bandwidth: float | None = None
) -> Float[Tensor, " n"]:
    """The logit of the optimal critic, log p_d(x) - log p_g(x); finite wherever the data's log density is.

    p_g is a Gaussian kernel estimate from generated samples. Where neither density has mass, the logit only says which
    tail is heavier. Memory: BLOCK times m numbers.

    Args:
        x: the points at which to evaluate; leave out the samples in `fake`, because their own kernels would count.
        log_density: maps float64 points to log p_d in nats; a toy source has such a method.
        fake: at least 2 generated samples.
        bandwidth: the kernels' standard deviation, above 0; by default `bandwidth_of(fake)`.

    Raises:
        DataError: numbers are not finite, there are fewer than 2 points or samples, or there is no density.

    Source: tabak2016, section 2, the equation after 8, as a logit.
    """
    finite(x, "the optimal critic")
    finite(fake, "the optimal critic")
    width = bandwidth_of(fake) if bandwidth is None else bandwidth
    real = log_density(x.double())
    if real is None:
        raise DataError("the optimal critic: expected a distribution with a density, got one that has none")
    return real.double() - kernel_log_density(x, fake, width)


def optimal_critic(
    x: Float[Tensor, "n d"], log_density: LogDensity, fake: Float[Tensor, "m d"], bandwidth: float | None = None
) -> Float[Tensor, " n"]:
    """The optimal critic D*(x) = p_d(x) / (p_d(x) + p_g(x)): the probability that x is real; ½ where both agree.

    It takes the arguments of `optimal_logit`, and raises the same errors.

    Args:
        x: the points at which to evaluate.
        log_density: maps float64 points to log p_d in nats.
        fake: generated samples.
        bandwidth: the kernels' standard deviation; by default `bandwidth_of(fake)`.

    Returns:
        Probabilities, float64.

    Source: tabak2016, section 2, the equation after 8.

    >>> from agon.data import Gaussian
    >>> source = Gaussian(mean=0.0, std=1.0, points=500)
    >>> fake = source.take(500).real + 2
    >>> optimal_critic(torch.tensor([[-1.0], [1.0], [3.0]]), source.log_density, fake).round(decimals=1)
    tensor([1.0000, 0.5000, 0.0000], dtype=torch.float64)
    """
    return optimal_logit(x, log_density, fake, bandwidth).sigmoid()


@torch.no_grad()
def critic_gap(
    critic: Callable[[Tensor], Tensor],
    log_density: LogDensity,
    real: Float[Tensor, "n d"],
    fake: Float[Tensor, "m d"],
) -> Score:
    """The mean gap |σ(D(x)) - D*(x)| over equally many real and generated samples: 0 for an optimal critic, at most 1.

    Use it only for critics whose logit is a log-odds, such as those of the minimax and the non-saturating loss. For
    others (least squares, hinge, Wasserstein, relativistic) σ(D(x)) is not a probability, and the gap is meaningless.

    The first half of `fake` estimates p_g and the second half is judged, so no sample is judged at its own kernel. The
    estimate is noisy, so even the optimal critic gets more than 0. The detail "noise" says how much: half the mean
    difference between the D* of the first half's two quarters. (Each quarter has twice the variance of the half, and
    their difference four times.) It does not include the kernels' smoothing. The detail also has the bandwidth, chosen
    by the first half, or by all samples if the first half is a single point.

    Args:
        critic: maps points like `real` to logits "n".
        log_density: maps float64 points to log p_d in nats; a toy source has such a method.
        real: at least 4 samples of the data.
        fake: at least 8 generated samples; equally many of both are judged, at most 2,000 each.

    Returns:
        "critic-gap", 0 to 1, with its standard error.

    Raises:
        DataError: there are fewer samples, coordinates differ, numbers are not finite, there is no density, or all
            generated samples are the same point.

    Source: tabak2016, section 2 (D*) and figure 2, which draws both densities and the learned critic.
    """
    if len(fake) < 8 or len(real) < 4 or real.shape[1] != fake.shape[1]:
        raise DataError(
            "critic-gap: expected at least 4 real and 8 generated points of as many coordinates, got "
            f"{tuple(real.shape)} and {tuple(fake.shape)}"
        )
    finite(real, "critic-gap, real")
    finite(fake, "critic-gap, generated")
    estimate, judged = fake[: len(fake) // 2], fake[len(fake) // 2 :]
    n, width = min(len(judged), len(real), JUDGED), bandwidth_of(estimate if _differ(estimate) else fake)
    x = torch.cat([real[:n], judged[:n].to(real)])
    optimal = optimal_critic(x, log_density, estimate, width).cpu()
    learned = critic(x).double().cpu()
    if learned.shape != optimal.shape or not bool(learned.isfinite().all()):
        raise DataError(
            f"critic-gap: expected finite logits of shape {tuple(optimal.shape)}, got {tuple(learned.shape)}"
        )
    gaps = (learned.sigmoid() - optimal).abs()
    parts = [optimal_critic(x, log_density, part, width).cpu() for part in torch.chunk(estimate, 2)]
    detail: dict[str, Any] = {"noise": float((parts[0] - parts[1]).abs().mean()) / 2, "bandwidth": width}
    detail["told"] = f"{detail['noise']:.3f} by the scatter of the estimate alone"
    if x.shape[1] == 1:
        detail["curves"] = _curves(critic, log_density, estimate, x, width)
    protocol = "mean distance between the critic's and the optimal critic's probabilities; generated density by "
    protocol += f"kernels at {len(estimate)} other samples"
    return mean_score("critic-gap", gaps, protocol, n=n, n_real=n, bounds=(0.0, 1.0), detail=detail)


def _differ(samples: Float[Tensor, "n d"]) -> bool:
    """Whether any sample differs from the first; the standard deviation of copies may be rounded above 0."""
    return not bool((samples == samples[0]).all())


def _squares(x: Tensor, samples: Tensor) -> Float[Tensor, "n m"]:
    """Squared distances as sums of squared differences, which are exact where they are small."""
    total = x.new_zeros(len(x), len(samples))
    for along, other in zip(x.unbind(1), samples.unbind(1), strict=True):
        total += (along[:, None] - other).square()
    return total


def _likelihoods(squares: Float[Tensor, "n n"], bandwidths: Sequence[float], d: int) -> list[float]:
    """The mean leave-one-out log density of all but the worst samples, up to a constant, for each bandwidth.

    Each bandwidth is 1/√2 of the one before, so its kernels are the squares of those before: one exponential is enough.
    """
    nearest = squares.min(dim=1, keepdim=True).values
    kernels = torch.exp((nearest - squares) / (2 * bandwidths[0] ** 2))  # the largest of each row is 1
    likelihoods = []
    for bandwidth in bandwidths:
        logs = kernels.sum(dim=1).log() - nearest[:, 0] / (2 * bandwidth**2)
        best = logs.sort(descending=True).values[: max(1, round((1 - TRIMMED) * len(logs)))]
        likelihoods.append(float(best.mean()) - d * math.log(bandwidth))
        kernels.square_()
    return likelihoods


def _curves(
    critic: Callable[[Tensor], Tensor], log_density: LogDensity, fake: Tensor, x: Tensor, width: float
) -> dict[str, list[float]]:
    """Both densities and both critics at points along the line."""
    low, high = float(x.min()), float(x.max())
    along = torch.linspace(low, high, PLACES, dtype=torch.float64, device=x.device)[:, None]
    density = log_density(along)
    assert density is not None  # it was asked for before
    curves = {
        "x": along[:, 0],
        "data density": density.exp(),
        "model density": kernel_log_density(along, fake, width).exp(),
        "optimal critic": optimal_critic(along, log_density, fake, width),
        "learned critic": critic(along.to(x)).double().sigmoid(),
    }
    return {name: [float(value) for value in curve] for name, curve in curves.items()}


def distance_from_half(probabilities: Float[Tensor, " n"], n: int, n_real: int) -> Score:
    """Mean |D(x) - 1/2|: "from-half", 0 for a critic that cannot tell, 1/2 for one that is sure of everything.

    1/2 is D* where the generated density is the data's.

    Args:
        probabilities: D(x) of real and of generated samples together, 0 to 1.
        n: generated ones among them.
        n_real: real ones among them.

    Source: tabak2016, section 3.1: "decision boundaries are very close/equal to 0.5".

    >>> distance_from_half(torch.tensor([0.25, 0.75]), 1, 1).value
    0.25
    """
    protocol = "mean distance of the critic's probability from 1/2 at as many real as generated samples"
    return mean_score("from-half", (probabilities - HALF).abs(), protocol, n=n, n_real=n_real, bounds=(0.0, HALF))

"""The critic that a known density and the generated samples allow, beside the one that was learned."""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.points import mixture_log_density
from agon.errors import DataError
from agon.metrics.density import LogDensity, finite
from agon.metrics.intervals import mean_score
from agon.metrics.score import Score

BLOCK = 256  # points whose distances to all samples are in memory together
TRIED = 2_000  # samples by which a bandwidth is chosen, at most
TRIMMED = 0.01  # of the samples, those that fit worst, are left out of the choice: few stray ones would decide it
HALVINGS = 15  # bandwidths tried, each 1/√2 of the one before
JUDGED = 2_000  # real samples at which the critics are compared, and as many generated ones
PLACES = 200  # of the curves


def kernel_log_density(x: Float[Tensor, "n d"], samples: Float[Tensor, "m d"], bandwidth: float) -> Float[Tensor, " n"]:
    """log 1/m Σ N(x; sample, bandwidth²), the Gaussian kernel estimate of the samples' density, in nats, float64.

    Memory: BLOCK times m numbers. It does not depend on BLOCK.

    Args:
        x: where.
        samples: of the unknown density.
        bandwidth: standard deviation of each kernel in each direction, above 0.

    Source: Parzen 1962, equation 1.1, with a Gaussian kernel.
    """
    centres = samples.double()
    return torch.cat([mixture_log_density(block.double(), centres, bandwidth) for block in torch.split(x, BLOCK)])


def bandwidth_of(samples: Float[Tensor, "n d"]) -> float:
    """The bandwidth under which each sample is likeliest by the others: leave-one-out maximum likelihood.

    Tried are Scott's n^(-1/(d+4)) times the mean deviation, and on from there by factors of 1/√2 down to 1/128: for
    samples in clumps Scott's own is as wide as the clumps' distance. The worst 1 % are left out of each likelihood,
    or few stray samples would decide it. Chosen by at most 2,000 samples, then narrowed to all n by Scott's power.

    Args:
        samples: finite; at least 2, not all the same.

    Raises:
        DataError: fewer, or samples that do not differ.

    Source: Scott 1992, "Multivariate density estimation", equation 6.42; Duin 1976 for the likelihood.
    """
    finite(samples, "a bandwidth")
    (n, d), exact = samples.shape, samples.double()
    if not _differ(samples):
        raise DataError("a bandwidth: expected samples that differ, got one place only: the generator has collapsed")
    some, deviation = exact[:TRIED], float(exact.std(dim=0).mean())
    tried = [deviation * len(some) ** (-1 / (d + 4)) * 2 ** (-k / 2) for k in range(HALVINGS)]
    squares = torch.cat([_squares(block, some) for block in torch.split(some, BLOCK)]).fill_diagonal_(math.inf)
    best = max(tried, key=lambda bandwidth: _likelihood(squares, bandwidth, d))
    return float(best * (n / len(some)) ** (-1 / (d + 4)))


def optimal_logit(
    x: Float[Tensor, "n d"], log_density: LogDensity, fake: Float[Tensor, "m d"], bandwidth: float | None = None
) -> Float[Tensor, " n"]:
    """log p_d(x) - log p_g(x): the logit of the optimal critic, finite wherever the data's log density is.

    p_g is a Gaussian kernel estimate from generated samples. Where neither density has mass, it tells which tail is
    the heavier one, and no more. Memory: BLOCK times m numbers.

    Args:
        x: where, "n d"; at a sample of `fake` itself its own kernel counts, so leave those out.
        log_density: log p_d in nats, of points in float64, such as a toy source's own.
        fake: generated samples, at least 2.
        bandwidth: of the estimate, above 0; by default `bandwidth_of(fake)`.

    Raises:
        DataError: points or samples that are not finite, fewer than 2 samples, or a distribution without a density.

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
    """D*(x) = p_d(x) / (p_d(x) + p_g(x)), the probability that x is real, from the two densities; ½ where they agree.

    Args:
        x: where; see `optimal_logit`, also for the errors that are raised.
        log_density: log p_d in nats, of points in float64.
        fake: generated samples.
        bandwidth: of p_g's estimate; by default `bandwidth_of(fake)`.

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
    """Mean |σ(D(x)) - D*(x)| over as many real as generated samples: 0 for an optimal critic, at most 1.

    For critics whose logit is a log-odds, those of the minimax and the non-saturating loss; of another one (least
    squares, hinge, Wasserstein, relativistic) σ(D(x)) is no probability, and the number means nothing.

    The first half of `fake` is p_g's estimate, the second is judged, so that no sample counts at its own place. The
    estimate scatters, and so even the optimal critic gets more than 0: the detail tells about how much as "noise",
    half the mean difference between the D* of the two quarters that the first half consists of. (Each of them
    scatters with twice the variance of both together, and their difference with four times.) What the kernels
    smooth away is not in it. Their width is in the detail, too; it is chosen by the first half, or, where that is of
    one place only, by all.

    Args:
        critic: points as `real` has them -> logits "n".
        log_density: log p_d in nats, of points in float64, such as a toy source's own.
        real: samples of the data, at least 4.
        fake: generated ones, at least 8; as many of both are judged, at most 2,000 each.

    Raises:
        DataError: fewer, other coordinates, numbers that are not finite, no density, or generated samples that are
            all at one place, which have none.

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
    """Whether any sample is another one than the first; a deviation of copies may be rounded above 0."""
    return not bool((samples == samples[0]).all())


def _squares(x: Tensor, samples: Tensor) -> Float[Tensor, "n m"]:
    """Squared distances, by differences: exact where they are small."""
    total = x.new_zeros(len(x), len(samples))
    for along, other in zip(x.unbind(1), samples.unbind(1), strict=True):
        total += (along[:, None] - other).square()
    return total


def _likelihood(squares: Float[Tensor, "n n"], bandwidth: float, d: int) -> float:
    """Mean log density of all but the worst samples by the others, up to a constant."""
    logs = torch.logsumexp(squares / (-2 * bandwidth**2), dim=1)
    kept = logs.sort(descending=True).values[: max(1, round((1 - TRIMMED) * len(logs)))]
    return float(kept.mean()) - d * math.log(bandwidth)


def _curves(
    critic: Callable[[Tensor], Tensor], log_density: LogDensity, fake: Tensor, x: Tensor, width: float
) -> dict[str, list[float]]:
    """Along the line that the samples lie on: both densities and both critics."""
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
    return {name: [float(each) for each in curve] for name, curve in curves.items()}

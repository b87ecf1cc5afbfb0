"""Inference via optimisation: how closely can a generator reproduce given images?"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from agon.errors import DataError, SettingError
from agon.metrics.intervals import mean_score
from agon.metrics.lbfgs import Minimum, minimise
from agon.metrics.score import Score
from agon.networks.searched import searched

PROBES = 1024  # random latents that sample the generator's derivative
LARGEST = 1024  # the most coordinates of a latent for which the derivative is sampled
EXPONENT = 0.375  # half of 3/4; it needs half the iterations of exponent 0, and fewer than 1/2
FLATTEST = 1e-4  # the least mean square of a derivative, relative to the largest
NUMBERS = 2**19  # coordinates of all latents that are searched at a time
CPU_CHUNK, CHUNK = 96, 1024  # samples that pass through the generator at a time, by default: of each thread, of a GPU

Generate = Callable[[Tensor], Tensor]  # latents "n *latent_shape" -> samples "n *shape"
DrawLatents = Callable[[int, torch.Generator], Tensor]  # n, random stream -> latents "n *latent_shape"


@dataclass(frozen=True)
class Reconstruction:
    """The best reconstruction of each target.

    Attributes:
        latents: z_nearest, the best of all starts (equation 13).
        images: x_nearest = G(z_nearest) (equation 14).
        errors: mean squared difference of each image from its target, float64.
        all_errors: the error of every start, as the search computed it.
        iterations: the iterations of every start.
        evaluations: for every start, how often the generator computed a sample and its derivative.
        converged: for every start, whether its search ended before the maximum of iterations.
        range: the targets' least and greatest value.
        protocol: the search, in words.
    """

    latents: Float[Tensor, "n *latent"]
    images: Float[Tensor, "n *shape"]
    errors: Float[Tensor, " n"]
    all_errors: Float[Tensor, "n starts"]
    iterations: Int[Tensor, "n starts"]
    evaluations: Int[Tensor, "n starts"]
    converged: Bool[Tensor, "n starts"]
    range: tuple[float, float]
    protocol: str

    def score(self) -> Score:
        """The mean error, "reconstruction", with its standard error over the targets; lower is better.

        Its unit is the square of the targets' unit: pixels from -1 to 1 have 4 times the error of pixels from 0 to 1.
        The detail has the targets' range and the share of searches that converged.

        Source: metz2017, table 1, "average MSE".
        """
        n, converged = len(self.errors), float(self.converged.double().mean())
        detail = {
            "quartiles": self.errors.quantile(self.errors.new_tensor([0.25, 0.5, 0.75])).tolist(),
            "mean_of_all_starts": float(self.all_errors.mean()),
            "iterations": float(self.iterations.double().mean()),
            "evaluations": float(self.evaluations.double().mean()),
            "converged": converged,
            "range": list(self.range),
            "told": f"{converged:.0%} of the searches converged",
        }
        return mean_score("reconstruction", self.errors, self.protocol, n=n, n_real=n, detail=detail)


def reconstruct(
    generate: Generate,
    targets: Float[Tensor, "n *shape"],
    latent: DrawLatents,
    starts: int = 3,
    *,
    seed: int = 0,
    iterations: int = 100,
    tolerance: float = 1e-4,
    chunk: int | None = None,
) -> Reconstruction:
    """Find the samples nearest to given targets, each from several random latents, all searches at once.

        z_nearest = argmin_z |G(z) - x_target|²,   x_nearest = G(z_nearest)

    The search is L-BFGS (`minimise`) in coordinates u with z = A u. A = E[JᵀJ]^(-3/8), with J the derivative of G at
    1,024 random latents, makes G about equally sensitive in all directions. A is the identity if z has more than 1,024
    coordinates or G is constant. As in the paper, nothing keeps z in regions where p_z has mass.

    A target's result depends on the other targets and on `chunk` only through rounding in G, which a long search
    magnifies: for DCGANs in float32, the mean error of 16 targets differed by up to 2e-4 relative, one error by up to
    7e-3. Memory: about 60 MB for the search, what G needs for `chunk` samples and their derivatives, at most 10^8
    numbers for a DCGAN's weights as `searched` has them (4 million at width 64 and 28 pixels), and the result.

    Args:
        generate: a differentiable generator in evaluation mode, whose samples depend on their own latents alone. Its
            parameters get no gradients. A module is `searched` by faster means.
        targets: n >= 1 targets in the generator's range; the search runs on the device of the generator's samples.
        latent: draws the given number of latents from a random stream.
        starts: the number of random latents from which the search begins for each target, 1 or more.
        seed: chooses the starts. Torch's global random state does not change.
        iterations: the most iterations of each search.
        tolerance: a search ends when a step lowers its error by no more than this share of it.
        chunk: the samples that pass through the generator at a time; by default 1,024, on a CPU 96 for each of
            torch's threads (its caches) if that is less.

    Raises:
        DataError: there are no targets, they are not finite, their shape is not the samples', or samples at the starts
            are not finite.
        SettingError: starts, iterations or chunk are under 1, or the tolerance is negative.

    Source: metz2017, section 3.3.1, equations 13 and 14.

    >>> circle = lambda z: torch.stack([z[:, 0].cos(), z[:, 0].sin()], 1)
    >>> targets = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
    >>> result = reconstruct(circle, targets, lambda n, rng: torch.randn(n, 1, generator=rng))
    >>> result.errors.round(decimals=4)
    tensor([2., 0.], dtype=torch.float64)
    """
    if min(starts, iterations, 1 if chunk is None else chunk) < 1:
        values = f"got {starts}, {iterations} and {chunk}"
        raise SettingError(f"reconstruction: expected starts, iterations and chunk of 1 or more, {values}")
    _check(targets)
    rng = torch.Generator().manual_seed(seed)
    start, probes = latent(len(targets) * starts, rng), latent(PROBES, rng)
    device = _device_of_samples(generate, start[:1], targets)
    targets, start, probes = targets.to(device), start.to(device), probes.to(device)
    if chunk is None:
        chunk = min(CPU_CHUNK * torch.get_num_threads(), CHUNK) if device.type == "cpu" else CHUNK
    with searched(generate) if isinstance(generate, nn.Module) else nullcontext():
        coordinates = _coordinates(generate, probes, rng, chunk)
        room = max(1, NUMBERS // (starts * start[0].numel()))
        parts = [
            _search(generate, *some, coordinates, iterations, tolerance, chunk)
            for some in zip(torch.split(targets, room), torch.split(start, room * starts), strict=True)
        ]
    minimum = Minimum(*(torch.cat(columns) for columns in zip(*parts, strict=True)))
    protocol = f"mean squared error of the targets' numbers, the best of {starts} starts"
    protocol += f", each of at most {iterations} iterations of L-BFGS, to {tolerance:g}"
    return _best(generate, targets, minimum, chunk, protocol)


def _check(targets: Float[Tensor, "n *shape"]) -> None:
    """Raise DataError if there are no targets or they are not finite."""
    if not targets.numel():
        raise DataError(f"reconstruction: expected at least 1 target, got the shape {tuple(targets.shape)}")
    non_finite = int((~targets.isfinite().reshape(len(targets), -1).all(1)).sum())
    if non_finite:
        raise DataError(f"reconstruction: expected finite targets, got {non_finite} of {len(targets)} that are not")


@torch.no_grad()
def _device_of_samples(generate: Generate, latent: Tensor, targets: Float[Tensor, "n *shape"]) -> torch.device:
    """The device of the generator's samples; raises DataError if their shape is not the targets'."""
    sample = generate(latent)
    shape = tuple(sample.shape[1:])
    if shape != tuple(targets.shape[1:]):
        raise DataError(
            f"reconstruction: expected targets of the generator's shape {shape}, got {tuple(targets.shape[1:])}"
        )
    return sample.device


def _coordinates(generate: Generate, probes: Tensor, rng: torch.Generator, chunk: int) -> Float[Tensor, "d d"] | None:
    """A = E[JᵀJ]^(-3/8), of determinant about 1: the mean over probes z and over random v of (Jᵀv)(Jᵀv)ᵀ."""
    d = probes[0].numel()
    if d > LARGEST:
        return None
    squares = torch.zeros(d, d, dtype=torch.float64, device=probes.device)
    for part in torch.split(probes, chunk):
        z = part.detach().requires_grad_()
        with torch.enable_grad():
            samples = generate(z)
            directions = torch.stack([torch.randn(sample.shape, generator=rng) for sample in samples]).to(samples)
            total = (samples * directions).sum() + 0 * z.sum()
        (row,) = torch.autograd.grad(total, z)
        rows = row.reshape(-1, d).double()
        squares += rows.T @ rows
    if not (bool(squares.isfinite().all()) and float(squares.trace()) > 0):
        return None
    values, vectors = torch.linalg.eigh(squares)
    scales = values.clamp_min(FLATTEST * float(values[-1])) ** -EXPONENT
    scales = scales / scales.log().mean().exp()
    root: Tensor = (vectors * scales) @ vectors.T
    return root


def _search(
    generate: Generate,
    targets: Float[Tensor, "n *shape"],
    start: Float[Tensor, "s *latent"],
    coordinates: Float[Tensor, "d d"] | None,
    iterations: int,
    tolerance: float,
    chunk: int,
) -> Minimum:
    """Search from all starts of some targets; the result's points are latents."""
    starts, goals = len(start) // len(targets), targets.to(start.dtype)
    matrix = None if coordinates is None else coordinates.to(start.dtype)

    def latents(u: Tensor) -> Tensor:
        return u if matrix is None else (u.flatten(1) @ matrix).reshape(u.shape)

    def error(u: Tensor, index: Tensor) -> Tensor:
        return (generate(latents(u)) - goals[index // starts]).square().flatten(1).mean(1)

    points = start
    if coordinates is not None:
        points = torch.linalg.solve(coordinates, start.flatten(1).double().T).T.to(start).reshape(start.shape)
    minimum = minimise(error, points, iterations=iterations, tolerance=tolerance, chunk=chunk)
    return minimum._replace(points=latents(minimum.points))


@torch.no_grad()
def _best(generate: Generate, targets: Tensor, minimum: Minimum, chunk: int, protocol: str) -> Reconstruction:
    """Choose the best start of each target."""
    n = len(targets)
    values = minimum.values.double().reshape(n, -1)
    chosen = torch.arange(n, device=values.device) * values.shape[1] + values.argmin(1)
    latents = minimum.points[chosen]
    images = torch.cat([generate(part) for part in torch.split(latents, chunk)])
    return Reconstruction(
        latents=latents,
        images=images,
        errors=(images.double() - targets.double()).square().reshape(n, -1).mean(1),
        all_errors=values,
        iterations=minimum.iterations.reshape(n, -1),
        evaluations=minimum.evaluations.reshape(n, -1),
        converged=minimum.converged.reshape(n, -1),
        range=(float(targets.min()), float(targets.max())),
        protocol=protocol,
    )

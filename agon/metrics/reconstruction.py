"""Inference via optimisation: how near a generator can come to given images."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from agon.errors import DataError, SettingError
from agon.metrics.intervals import mean_score
from agon.metrics.lbfgs import Minimum, minimise
from agon.metrics.score import Score

PROBES = 1024  # random latents at which the generator's derivative is looked at
LARGEST = 1024  # coordinates of a latent beyond which it is not
EXPONENT = 0.375  # half of 3/4: half as many iterations as with 0 to the same error, fewer than with 1/2
FLATTEST = 1e-4  # of the largest mean square of a derivative, the least one that is told from it
NUMBERS = 2**19  # coordinates of all latents that are searched for together
CPU_CHUNK, CHUNK = 32, 1024  # samples that pass through the generator at a time, where it is not said

Generate = Callable[[Tensor], Tensor]  # latents "n *latent_shape" -> samples "n *shape"
DrawLatents = Callable[[int, torch.Generator], Tensor]  # n, random stream -> latents "n *latent_shape"


@dataclass(frozen=True)
class Reconstruction:
    """What was found for each target.

    Attributes:
        latents: z_nearest, the best of all starts (equation 13).
        images: x_nearest = G(z_nearest) (equation 14).
        errors: mean squared difference of image and target over their numbers, float64.
        all_errors: that of every start.
        iterations: of every start.
        evaluations: how often the generator was asked for a sample and its derivative, for every start.
        converged: whether the search from a start ended before the maximum of iterations.
        range: the least and the greatest of the targets' numbers.
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

        It is in squared units of the targets' numbers: pixels from -1 to 1 have 4 times the error of those from 0 to 1.
        Their range, and the share of searches that converged, are in the detail.

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
    """The samples nearest to given targets, searched for from several random latents each, all at once.

        z_nearest = argmin_z |G(z) - x_target|²,   x_nearest = G(z_nearest)

    by L-BFGS (`minimise`). It moves in coordinates u of z = A u, A = E[JᵀJ]^(-3/8) with J the derivative of
    G at 1,024 random latents, in which G is about as sensitive in one direction as in another; where z has over 1,024
    coordinates or G does not move, A is 1. Nothing keeps z where p_z has its mass, as in the paper.

    A target's result depends on the others and on `chunk` only by the rounding of G: of a DCGAN in float32 the errors
    differed by 1e-6 relative. Memory: some 60 MB for the search, what G takes for `chunk` samples and their
    derivatives, and the result.

    Args:
        generate: a generator in evaluation mode, differentiable; each sample depends on its own latent alone. Its
            parameters get no gradients.
        targets: n >= 1, in the generator's range; the search is where its samples lie.
        latent: draws that many latents.
        starts: random latents from which the search begins, for each target; 1 or more.
        seed: of the starts. Torch's own random state is left alone.
        iterations: of each search, at most.
        tolerance: a search ends when a step lowers its error by no more than this share of it.
        chunk: samples that pass through the generator at a time; by default 32 on a CPU, for its caches, else 1,024.

    Raises:
        DataError: no targets, targets that are not finite or of another shape than samples, or samples at the starts
            that are not finite.
        SettingError: starts, iterations or chunk under 1, or a negative tolerance.

    Source: metz2017, section 3.3.1, equations 13 and 14.

    >>> circle = lambda z: torch.stack([z[:, 0].cos(), z[:, 0].sin()], 1)
    >>> targets = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
    >>> found = reconstruct(circle, targets, lambda n, rng: torch.randn(n, 1, generator=rng))
    >>> found.errors.round(decimals=4)
    tensor([2., 0.], dtype=torch.float64)
    """
    if min(starts, iterations, 1 if chunk is None else chunk) < 1:
        told = f"got {starts}, {iterations} and {chunk}"
        raise SettingError(f"reconstruction: expected starts, iterations and chunk of 1 or more, {told}")
    _check(targets)
    rng = torch.Generator().manual_seed(seed)
    start, probes = latent(len(targets) * starts, rng), latent(PROBES, rng)
    device = _made(generate, start[:1], targets)
    targets, start, probes = targets.to(device), start.to(device), probes.to(device)
    if chunk is None:
        chunk = CPU_CHUNK if device.type == "cpu" else CHUNK
    coordinates = _coordinates(generate, probes, rng, chunk)
    room = max(1, NUMBERS // (starts * start[0].numel()))
    parts = [
        _searched(generate, some, begin, coordinates, iterations, tolerance, chunk)
        for some, begin in zip(torch.split(targets, room), torch.split(start, room * starts), strict=True)
    ]
    whole = Minimum(*(torch.cat(each) for each in zip(*parts, strict=True)))
    told = f"mean squared error of the targets' numbers, the best of {starts} starts"
    told += f", each of at most {iterations} iterations of L-BFGS, to {tolerance:g}"
    return _best(generate, targets, whole, chunk, told)


def _check(targets: Float[Tensor, "n *shape"]) -> None:
    """Refuse what cannot be searched for."""
    if not targets.numel():
        raise DataError(f"reconstruction: expected at least 1 target, got the shape {tuple(targets.shape)}")
    lost = int((~targets.isfinite().reshape(len(targets), -1).all(1)).sum())
    if lost:
        raise DataError(f"reconstruction: expected finite targets, got {lost} of {len(targets)} that are not")


@torch.no_grad()
def _made(generate: Generate, latent: Tensor, targets: Float[Tensor, "n *shape"]) -> torch.device:
    """Where samples lie; refuses those of another shape than the targets'."""
    sample = generate(latent)
    made = tuple(sample.shape[1:])
    if made != tuple(targets.shape[1:]):
        raise DataError(
            f"reconstruction: expected targets of the generator's shape {made}, got {tuple(targets.shape[1:])}"
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
            made = generate(z)
            along = torch.stack([torch.randn(each.shape, generator=rng) for each in made]).to(made)
            whole = (made * along).sum() + 0 * z.sum()
        (row,) = torch.autograd.grad(whole, z)
        rows = row.reshape(-1, d).double()
        squares += rows.T @ rows
    if not (bool(squares.isfinite().all()) and float(squares.trace()) > 0):
        return None
    values, vectors = torch.linalg.eigh(squares)
    scales = values.clamp_min(FLATTEST * float(values[-1])) ** -EXPONENT
    scales = scales / scales.log().mean().exp()
    root: Tensor = (vectors * scales) @ vectors.T
    return root


def _searched(
    generate: Generate,
    targets: Float[Tensor, "n *shape"],
    start: Float[Tensor, "s *latent"],
    coordinates: Float[Tensor, "d d"] | None,
    iterations: int,
    tolerance: float,
    chunk: int,
) -> Minimum:
    """The searches from all starts of some targets; their points are latents."""
    starts, wanted = len(start) // len(targets), targets.to(start.dtype)
    forth = None if coordinates is None else coordinates.to(start.dtype)

    def latents(u: Tensor) -> Tensor:
        return u if forth is None else (u.flatten(1) @ forth).reshape(u.shape)

    def error(u: Tensor, index: Tensor) -> Tensor:
        return (generate(latents(u)) - wanted[index // starts]).square().flatten(1).mean(1)

    begin = start
    if coordinates is not None:
        begin = torch.linalg.solve(coordinates, start.flatten(1).double().T).T.to(start).reshape(start.shape)
    found = minimise(error, begin, iterations=iterations, tolerance=tolerance, chunk=chunk)
    return found._replace(points=latents(found.points))


@torch.no_grad()
def _best(generate: Generate, targets: Tensor, whole: Minimum, chunk: int, protocol: str) -> Reconstruction:
    """The best start of each target."""
    n = len(targets)
    values = whole.values.double().reshape(n, -1)
    chosen = torch.arange(n, device=values.device) * values.shape[1] + values.argmin(1)
    latents = whole.points[chosen]
    images = torch.cat([generate(part) for part in torch.split(latents, chunk)])
    return Reconstruction(
        latents=latents,
        images=images,
        errors=(images.double() - targets.double()).square().reshape(n, -1).mean(1),
        all_errors=values,
        iterations=whole.iterations.reshape(n, -1),
        evaluations=whole.evaluations.reshape(n, -1),
        converged=whole.converged.reshape(n, -1),
        range=(float(targets.min()), float(targets.max())),
        protocol=protocol,
    )

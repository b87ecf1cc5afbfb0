"""The ring game of metz2017, Appendix A, in numbers: what every peer is given, and what it must answer.

Generator: z (256) -> 128 relu -> 128 relu -> 2. Critic: x/4 -> 128 relu -> one logit. With a_r and a_f
the logits of real and generated points, L_D = mean(softplus(-a_r) + softplus(a_f)) and L_G = -L_D: the
generator's loss keeps the real term, which depends on it once the critic is looked ahead at.
"""

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np

Weights = dict[str, np.ndarray]
Schedule = Literal["simultaneous", "alternating"]

LATENT, HIDDEN, SCALE, GAIN = 256, 128, 0.25, 0.8
RATE, BETAS, EPSILON = 1e-4, (0.5, 0.999), 1e-8
SHAPES = {  # named as torch names the layers of nn.Sequential(Linear, ReLU, ...)
    "generator.0.weight": (HIDDEN, LATENT),
    "generator.0.bias": (HIDDEN,),
    "generator.2.weight": (HIDDEN, HIDDEN),
    "generator.2.bias": (HIDDEN,),
    "generator.4.weight": (2, HIDDEN),
    "generator.4.bias": (2,),
    "critic.0.weight": (HIDDEN, 2),
    "critic.0.bias": (HIDDEN,),
    "critic.2.weight": (1, HIDDEN),
    "critic.2.bias": (1,),
}


class Peer(ABC):
    """One step of both players at a time, by one library.

    "simultaneous": at the present point the critic's gradient is its ordinary one, the generator's is
    that of L_G(θ_G, θ_D^K(θ_G)); then both take one step of Adam. "alternating": the critic takes its
    ordinary step first, and the generator looks ahead from the moved critic and its moved moments, on
    the same points. Either way θ_D^K is K further steps of the critic's own Adam, carried on from its
    live moments and then forgotten.

    Args:
        batch: real points a step, and as many generated ones.
        steps: K, at least 1.
        schedule: who moves when.
        dtype: "float32" or "float64".
        weights: the start, as in `SHAPES`; None draws `initial(0)`.
    """

    def __init__(
        self,
        batch: int = 512,
        steps: int = 10,
        schedule: Schedule = "simultaneous",
        dtype: Literal["float32", "float64"] = "float32",
        weights: Weights | None = None,
    ) -> None:
        if steps < 1 or schedule not in ("simultaneous", "alternating"):
            raise ValueError(f"expected steps >= 1 and a known schedule, got {steps} and {schedule!r}")
        self.size, self.steps, self.schedule, self.dtype = batch, steps, schedule, dtype
        self.begin(initial(0) if weights is None else weights)

    @abstractmethod
    def begin(self, weights: Weights) -> None:
        """Put both players there, with moments of zero."""

    @abstractmethod
    def batch(self, real: np.ndarray, latent: np.ndarray) -> tuple[Any, Any]:
        """Both as the library's own tensors of the peer's dtype; not part of what is timed."""

    @abstractmethod
    def advance(self, real: Any, latent: Any) -> None:
        """One step of both players, finished when it returns."""

    @abstractmethod
    def weights(self) -> Weights:
        """Where both players are now, as in `SHAPES`."""

    def check(self, real: np.ndarray, latent: np.ndarray) -> None:
        """Refuse points of another shape than (batch, 2) and (batch, 256)."""
        if real.shape != (self.size, 2) or latent.shape != (self.size, LATENT):
            wanted = f"({self.size}, 2) and ({self.size}, {LATENT})"
            raise ValueError(f"expected points and latents of shapes {wanted}, got {real.shape} and {latent.shape}")


def initial(seed: int) -> Weights:
    """Orthogonal matrices times 0.8 and zero biases (metz2017 Appendix A), in float64."""
    rng = np.random.default_rng(seed)
    return {name: _orthogonal(rng, *shape) if len(shape) == 2 else np.zeros(shape) for name, shape in SHAPES.items()}


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    drawn = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diag(r))
    return GAIN * (q if rows >= columns else q.T)


def points(seed: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """A batch of the ring (8 normals of deviation 0.02 on a circle of radius 2), and latents, in float64."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * rng.integers(8, size=batch) / 8
    real = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.02 * rng.standard_normal((batch, 2))
    return real, rng.standard_normal((batch, LATENT))

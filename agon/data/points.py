"""Base classes of known distributions of points: endless or finite sets, and mixtures of Gaussians."""

import hashlib
import math
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data import expect
from agon.data.finite import Finite
from agon.data.order import generator, part
from agon.data.source import MEMORY, Opened, RealBatch, Source, Split

MOST = 2**26  # most points of a set, which is kept in memory


@dataclass(frozen=True, kw_only=True)
class Toy(Source):
    """A known distribution of points, endless or as a finite set.

    Args:
        points: None draws fresh points endlessly; n makes a set of n points from the seed, which is
            shuffled in each epoch like a set of images. The split "test" has n other points.
    """

    points: int | None = None

    def __post_init__(self) -> None:
        if self.points is not None:
            expect.whole(self, points=self.points, least=1, most=MOST)

    @abstractmethod
    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n d"]:
        """Draw n independent points, float32, on the CPU from `rng`."""

    @property
    def modes(self) -> Float[Tensor, "m d"] | None:
        """The places of the m equally heavy modes; None for a distribution without modes."""
        return None

    def log_density(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"] | None:
        """log p(x) in nats; None if the distribution has no density (all its mass is on a null set)."""
        return None

    @property
    def range(self) -> None:
        """None, because points have no bounds and are never rescaled."""
        return None

    def count(self, split: Split = "train") -> int | None:
        """`points`: None for an endless source."""
        return self.points

    def open(
        self,
        *,
        seed: int,
        split: Split = "train",
        device: torch.device | str = "cpu",
        memory: int = MEMORY,
        cache: Path | None = None,
    ) -> Opened:
        """Make the points ready to be drawn; `memory` and `cache` have no effect."""
        if self.points is None:
            return Endless(self, seed=seed, split=split, device=device)
        points = self.sample(self.points, generator("points", seed, split))
        name = hashlib.sha256(f"{self!r} {split} {seed}".encode()).hexdigest()
        return Finite(points.to(device), seed=seed, device=device, fingerprint=name)


class Endless:
    """An endless, opened toy: batch k comes from a random stream of (seed, k)."""

    def __init__(self, toy: Toy, *, seed: int, split: Split, device: torch.device | str) -> None:
        self.fingerprint = hashlib.sha256(f"{toy!r} {split}".encode()).hexdigest()
        self.count: int | None = None
        self._toy = toy
        self._words = (seed, split)
        self._device = device

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """Draw the whole batch, which takes microseconds, and return this rank's part."""
        whole = self._toy.sample(batch, generator("endless", *self._words, batch, index))
        return RealBatch(whole[part(batch, rank, world)].to(self._device), None)


@dataclass(frozen=True, kw_only=True)
class Mixture(Toy):
    """m equally heavy isotropic Gaussians of one standard deviation: p(x) = 1/m Σ N(x; mode, std²)."""

    std: float

    def __post_init__(self) -> None:
        super().__post_init__()
        expect.positive(self, std=self.std)

    @property
    @abstractmethod
    def modes(self) -> Float[Tensor, "m d"]:
        """The places of the m modes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(d,): the dimension of the space."""
        return (self.modes.shape[1],)

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n d"]:
        """Draw a random mode, plus std times a standard normal vector."""
        modes = self.modes
        chosen = torch.randint(len(modes), (n,), generator=rng)
        return modes[chosen] + self.std * torch.randn(n, modes.shape[1], generator=rng)

    def log_density(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """log 1/m Σ N(x; mode, std²), in nats."""
        return mixture_log_density(x, self.modes, self.std)


def mixture_log_density(x: Float[Tensor, "n d"], centres: Float[Tensor, "m d"], std: float) -> Float[Tensor, " n"]:
    """log 1/m Σ N(x; centre, std²) in nats."""
    # differences, not cdist, whose matrix product loses the small distances that matter here; coordinate by
    # coordinate, because a sum over the short last dimension takes 5 times as long
    squares = x.new_zeros(len(x), len(centres))  # n m
    for along, centre in zip(x.unbind(1), centres.to(x).unbind(1), strict=True):
        squares = squares + ((along[:, None] - centre) / std).square()
    normaliser = x.shape[1] * math.log(std * math.sqrt(2 * math.pi)) + math.log(len(centres))
    return torch.logsumexp(-squares / 2, dim=1) - normaliser

"""Distributions with known modes and, if they have one, a known density.

They allow one to judge a training exactly: the ring of 8 on which metz2017 (section 3.1) shows
collapse and its cure, the grid, the roll, a single Gaussian, and the Dirac measure, on which a GAN's
dynamics can be solved by hand.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data import expect
from agon.data.points import Mixture, Toy, mixture_log_density


@dataclass(frozen=True, kw_only=True)
class Gaussian(Mixture):
    """A normal distribution on the line, of shape (1,).

    Args:
        mean: any finite number.
        std: standard deviation, above 0.
        points: None for an endless source, or the size of a finite set.

    >>> Gaussian(mean=0.0, std=1.0).log_density(torch.zeros(1, 1)).exp()
    tensor([0.3989])
    """

    mean: float = 3.0
    std: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        expect.finite(self, mean=self.mean)

    @property
    def modes(self) -> Float[Tensor, "1 1"]:
        """The mean."""
        return torch.tensor([[self.mean]], dtype=torch.float32)


@dataclass(frozen=True, kw_only=True)
class Ring(Mixture):
    """Gaussians around a circle: mode k at radius · (cos 2πk/number, sin 2πk/number).

    The angles leave 2π out, so that the modes are distinct; with it the first would be there twice,
    and a set "of 8" would have 7 modes, one of double weight.

    Args:
        number: number of modes, at least 1; metz2017 has 8.
        radius: radius of the circle, above 0.
        std: standard deviation of each mode in each direction, above 0.
        points: None for an endless source, or the size of a finite set.

    >>> Ring().modes.unique(dim=0).shape
    torch.Size([8, 2])
    """

    number: int = 8
    radius: float = 2.0
    std: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        expect.whole(self, number=self.number, least=1, most=10**6)
        expect.positive(self, radius=self.radius)

    @property
    def modes(self) -> Float[Tensor, "m 2"]:
        """The places on the circle, from angle 0 on, counter-clockwise."""
        angle = torch.arange(self.number, dtype=torch.float64) * (2 * math.pi / self.number)
        return (self.radius * torch.stack([angle.cos(), angle.sin()], dim=1)).float()


@dataclass(frozen=True, kw_only=True)
class Grid(Mixture):
    """Gaussians on a square grid around the origin.

    Args:
        side: modes along each side, at least 1: side² in all.
        spacing: distance between neighbours, above 0.
        std: standard deviation of each mode in each direction, above 0.
        points: None for an endless source, or the size of a finite set.

    >>> Grid(side=2, spacing=2.0).modes.tolist()
    [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
    """

    side: int = 5
    spacing: float = 2.0
    std: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        expect.whole(self, side=self.side, least=1, most=10**3)
        expect.positive(self, spacing=self.spacing)

    @property
    def modes(self) -> Float[Tensor, "m 2"]:
        """The places row by row."""
        line = (torch.arange(self.side, dtype=torch.float32) - (self.side - 1) / 2) * self.spacing
        return torch.cartesian_prod(line, line)


@dataclass(frozen=True, kw_only=True)
class SwissRoll(Toy):
    """A spiral in the plane: scale · [(t cos t, t sin t) + noise · ε], t = 1.5π(1 + 2u), u uniform.

    These are the first and third coordinates of scikit-learn's make_swiss_roll (Marsland, "Machine
    Learning: An Algorithmic Perspective", 2nd edition, chapter 6), without the depth of its sheet.

    Args:
        noise: standard deviation of the normal ε around the spiral, before scaling, at least 0.
        scale: factor on all points, above 0: 1 is scikit-learn's, from -13 to 14; 1/7.5 is WGAN-GP's, about
            1.5 across.
        points: None for an endless source, or the size of a finite set.
    """

    noise: float = 0.2
    scale: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect.finite(self, noise=self.noise)
        expect.positive(self, scale=self.scale)
        if self.noise < 0:
            raise expect.setting(self, "noise", "at least 0", self.noise)

    @property
    def shape(self) -> tuple[int, ...]:
        """(2,): a plane."""
        return (2,)

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n 2"]:
        """A uniform place along the parameter t, plus noise."""
        exact = _spiral(torch.rand(n, generator=rng))
        return self.scale * (exact + self.noise * torch.randn(n, 2, generator=rng))

    def log_density(self, x: Float[Tensor, "n 2"]) -> Float[Tensor, " n"] | None:
        """log ∫ N(x; c(t), (scale · noise)²) dt / 3π by the midpoint rule; None without noise.

        The nodes lie at most noise / 4 apart along the spiral (which is 14.2 · 3π units long at the
        most), where the rule's error is far below that of float32.
        """
        if self.noise == 0:
            return None
        nodes = max(1024, math.ceil(4 * 14.2 * 3 * math.pi / self.noise))
        u = (torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes
        centres = (self.scale * _spiral(u)).to(x)
        std = self.scale * self.noise
        # in blocks: the table of all distances would have n · nodes numbers
        return torch.cat([mixture_log_density(block, centres, std) for block in torch.split(x, 128)])


@dataclass(frozen=True, kw_only=True)
class Dirac(Toy):
    """All mass at one point: the real data of Mescheder et al. (2018), "Which training methods for
    GANs do actually converge?", definition 2.1, whose dynamics can be solved exactly.

    Args:
        at: the point, one finite number for each dimension.
        points: None for an endless source, or the size of a finite set.
    """

    at: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        super().__post_init__()
        place = tuple(self.at) if isinstance(self.at, list | tuple) else ()
        if not place:
            raise expect.setting(self, "at", "a tuple of numbers, one a dimension", self.at)
        expect.finite(self, **{f"at[{i}]": value for i, value in enumerate(place)})
        object.__setattr__(self, "at", tuple(float(value) for value in place))

    @property
    def shape(self) -> tuple[int, ...]:
        """(d,): the dimension of the space."""
        return (len(self.at),)

    @property
    def modes(self) -> Float[Tensor, "1 d"]:
        """The point."""
        return torch.tensor([self.at], dtype=torch.float32)

    def sample(self, n: int, rng: torch.Generator) -> Float[Tensor, "n d"]:
        """The point, n times; `rng` is not used."""
        return self.modes.repeat(n, 1)


def _spiral(u: Float[Tensor, " n"]) -> Float[Tensor, "n 2"]:
    t = 1.5 * math.pi * (1 + 2 * u)
    return torch.stack([t * t.cos(), t * t.sin()], dim=1)

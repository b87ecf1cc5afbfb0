"""The part of a Gaussian that a panel of figure 2 shows."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data import Gaussian

WIDE = 6.0  # standard deviations of the data shown on each side
PLACES = 240  # points of a curve
LEAST = 0.5  # least height: a critic's 1/2 is in the middle of a panel, or below it


class Window(NamedTuple):
    """The axes of a panel.

    Attributes:
        source: the distribution that the panel shows.
        x: points of the curves, in order, from the panel's left to its right.
        top: the greatest y.
    """

    source: Gaussian
    x: Float[Tensor, "n 1"]
    top: float

    @classmethod
    def of(cls, source: Gaussian) -> "Window":
        """The window of a Gaussian: 6 standard deviations to each side, twice as high as its density."""
        reach = WIDE * source.std
        x = torch.linspace(source.mean - reach, source.mean + reach, PLACES, dtype=torch.float64)[:, None]
        return cls(source, x, 2.0 * max(LEAST, float(source.log_density(x).exp().max())))

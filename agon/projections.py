"""Where a player's parameters are put back to after each of its moves."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

from agon.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Projection(ABC):
    """A set of parameters that a player may not leave: after its move, each goes to the set's nearest point.

    Attributes:
        of: whose parameters.
    """

    of: str = "critic"

    @abstractmethod
    def __call__(self, network: nn.Module) -> None:
        """Change the network's parameters in place, by differentiable operations."""


@dataclass(frozen=True, kw_only=True)
class Clipping(Projection):
    """w <- min(max(w, -bound), bound), each parameter by itself, biases and normalisation's scales included.

    Its derivative is 1 inside the box and 0 outside, so that a look-ahead differentiates through it.
    Source: Arjovsky et al. 2017, algorithm 1 (bound 0.01).
    """

    bound: float = 0.01

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bound) and self.bound > 0):
            raise SettingError(f"bound of Clipping: expected a number over 0, got {self.bound}; use 0.01")

    def __call__(self, network: nn.Module) -> None:
        for parameter in network.parameters():
            torch.clamp_(parameter, -self.bound, self.bound)


PROJECTIONS = {"clipping": Clipping}

"""Projections of a player's parameters onto an allowed set after each of its updates."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

from agon.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Projection(ABC):
    """A set that a player's parameters must stay in: after each update, they move to its nearest point.

    Attributes:
        of: the player.
    """

    of: str = "critic"

    @abstractmethod
    def __call__(self, network: nn.Module) -> None:
        """Change the network's parameters in place, by differentiable operations."""


@dataclass(frozen=True, kw_only=True)
class Clipping(Projection):
    """w <- min(max(w, -bound), bound) for every parameter, including biases and normalisation's scales.

    Its derivative is 1 inside the box and 0 outside, so unrolling can differentiate through it.
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

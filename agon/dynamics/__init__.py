"""How the players move."""

from agon.dynamics.dynamics import Dynamics
from agon.dynamics.moves import Optimisers, gradients_of, move, only
from agon.dynamics.processes import average, processes
from agon.dynamics.turns import ALTERNATING, Turns

DYNAMICS = {"turns": Turns}

__all__ = [
    "ALTERNATING",
    "DYNAMICS",
    "Dynamics",
    "Optimisers",
    "Turns",
    "average",
    "gradients_of",
    "move",
    "only",
    "processes",
]

"""How the players move."""

from agon.arguments import checks_names
from agon.dynamics.accumulation import update
from agon.dynamics.dynamics import Dynamics
from agon.dynamics.moves import Optimisers, apply_gradients, gradients_of, isolate
from agon.dynamics.optimistic import Extragradient, Optimistic
from agon.dynamics.processes import average, processes
from agon.dynamics.turns import ALTERNATING, Turns
from agon.dynamics.unrolled import Unrolled, Verdict, check_unrolling, unrolled_loss

DYNAMICS = {"turns": Turns, "unrolled": Unrolled, "extragradient": Extragradient, "optimistic": Optimistic}

__all__ = [
    "ALTERNATING",
    "DYNAMICS",
    "Dynamics",
    "Extragradient",
    "Optimisers",
    "Optimistic",
    "Turns",
    "Unrolled",
    "Verdict",
    "apply_gradients",
    "average",
    "check_unrolling",
    "gradients_of",
    "isolate",
    "processes",
    "unrolled_loss",
    "update",
]

for _dynamics in DYNAMICS.values():
    checks_names(_dynamics)

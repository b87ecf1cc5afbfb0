"""Unrolled dynamics: a player differentiates through what others will answer (metz2017).

From the top down: `dynamics` says who moves when and who looks ahead at whom; `surrogate` is f_K of one player in a
game; `unroll` has equations 6 to 12, by autograd; `inner_step` is equation 7, a pure function of tensors, written once.
`vjp` is the same unroll by vector-Jacobian products of that step, which `program` compiles (`tracing`) and checks, out
of a game's tensors (`step_context`), for the turns of `compiled`. Below them all: `functional_module` (a `replica`)
plays on other tensors, `flat_groups` are a player's parameters as vectors, `guard` refuses what cannot be unrolled.
For loops that are not agon's: `loss`, and `check` with its `referee`.
"""

from agon.dynamics.unrolled.check import Verdict, check_unrolling
from agon.dynamics.unrolled.compiled import CompiledUnrolled
from agon.dynamics.unrolled.dynamics import AHEAD, Unrolled
from agon.dynamics.unrolled.functional_module import FunctionalModule, slots_of
from agon.dynamics.unrolled.loss import unrolled_loss

__all__ = [
    "AHEAD",
    "CompiledUnrolled",
    "FunctionalModule",
    "Unrolled",
    "Verdict",
    "check_unrolling",
    "slots_of",
    "unrolled_loss",
]

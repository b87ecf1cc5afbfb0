"""Unrolled dynamics: a player differentiates through the others' next steps (metz2017).

From the top down: `dynamics` says who moves when and who looks ahead at whom; `surrogate` is f_K of one player in a
game; `unroll` implements equations 6 to 12 by autograd; `inner_step` is equation 7, as a pure function of tensors. They
build on `functional_module` (a `replica`), which plays on other tensors, `flat_groups`, a player's parameters as
vectors, and `guard`, which refuses what cannot be unrolled. The room `compiled` makes the same steps by few programs.
For other training loops there are `loss`, and `check` with its `referee`.
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

"""Compiled inner steps and their vector-Jacobian products, which either store activations or compute them again."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from agon.dynamics.unrolled.compiled import tracing
from agon.dynamics.unrolled.compiled.split_program import SplitProgram
from agon.dynamics.unrolled.compiled.step_context import StepContext
from agon.dynamics.unrolled.compiled.tracing import tensors_of
from agon.dynamics.unrolled.compiled.vjp import Cotangents, StepFunctions
from agon.dynamics.unrolled.inner_step import InnerState


class RecomputingSteps:
    """Inner steps and their vjps: the vjp computes the step again, so that no activations are kept.

    Args:
        functions: the functions to compile.
        state, gradients, context, cotangents: examples of their arguments.

    Attributes:
        returned: the structure of `StepResult`.
    """

    def __init__(
        self, functions: StepFunctions, state: InnerState, gradients: Any, context: StepContext, cotangents: Any
    ) -> None:
        self._step = tracing.compiled(functions.step, state, context)
        self._step_vjp = tracing.compiled(functions.step_vjp, state, gradients, cotangents, context)
        self.returned = self._step.returned
        n = len(tensors_of(state))
        self._gradients = slice(n, n + len(tensors_of(gradients)))

    def step(
        self, state: list[Tensor], context: list[Tensor], known: Sequence[Tensor] | None = None
    ) -> tuple[Sequence[Tensor], Any]:
        """The tensors of a step's result, which may be known, and what its vjp needs."""
        results = self._step([*state, *context]) if known is None else known
        return results, ([*state, *results[self._gradients]], context)

    def step_vjp(self, needed: Any, cotangents: list[Tensor]) -> list[Tensor]:
        """The tensors of the cotangents before the step."""
        before, context = needed
        return self._step_vjp([*before, *cotangents, *context])


class StoringSteps:
    """As `RecomputingSteps`, but a step keeps what its vjp needs: less time, more memory.

    It is the faster where a step is long, as one that generates its own samples is.
    """

    def __init__(
        self, functions: StepFunctions, state: InnerState, context: StepContext, cotangents: Cotangents
    ) -> None:
        self._both = SplitProgram(functions.step_with_vjp, (state, context), cotangents)
        self.returned = self._both.returned[0]

    def step(
        self, state: list[Tensor], context: list[Tensor], known: Sequence[Tensor] | None = None
    ) -> tuple[Sequence[Tensor], Any]:
        """The tensors of a step's result, and what its vjp needs."""
        given = [*state, *context]
        results = self._both.early(given)
        return results[: self.returned.num_leaves], self._both.needed(given, results)

    def step_vjp(self, needed: Any, cotangents: list[Tensor]) -> list[Tensor]:
        """The tensors of the cotangents before the step."""
        return self._both.late(needed, cotangents)

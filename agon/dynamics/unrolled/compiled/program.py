"""A compiled unroll, and the check that it must pass before it is used."""

import copy
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.moves import Optimisers, freeze
from agon.dynamics.unrolled.compiled import tracing
from agon.dynamics.unrolled.compiled.step_context import Inputs, StepContext
from agon.dynamics.unrolled.compiled.steps import RecomputingSteps, StoringSteps
from agon.dynamics.unrolled.compiled.tracing import tensors_of
from agon.dynamics.unrolled.compiled.vjp import StepFunctions, StepResult, SurrogateResult
from agon.dynamics.unrolled.dynamics import UnrolledTurn
from agon.dynamics.unrolled.inner_step import InnerState
from agon.games.game import Game

MOST_PROGRAMS = 8  # so that settings that change at every step do not cause compilation at every step
LOOSER = 10.0  # a compiled gradient may be this many times as far from float64 as the eager one: both are rounding


class Program:
    """An unroll by compiled functions on flat lists of tensors, so that structures are built once per unroll.

    Args:
        functions: the functions to compile, for the structure and shapes of the examples.
        state: an example: the state at which an unroll begins.
        context: an example of everything else.
        direct: the looking player's parameters on which losses depend other than through samples.
        stores: whether a step keeps what its vjp needs; otherwise the vjp computes the step again.
    """

    def __init__(
        self,
        functions: StepFunctions,
        state: InnerState,
        context: StepContext,
        direct: tuple[str, ...],
        *,
        stores: bool = False,
    ) -> None:
        self.direct = direct
        after, gradients, *_ = functions.step(state, context)
        cotangents = functions.outer(after, context).cotangents
        self._steps: StoringSteps | RecomputingSteps
        if stores:
            self._steps = StoringSteps(functions, state, context, cotangents)
        else:
            self._steps = RecomputingSteps(functions, state, gradients, context, cotangents)
        self._outer = tracing.compiled(functions.outer, after, context)
        self._sizes = len(tensors_of(state)), len(tensors_of(cotangents))

    @property
    def returned(self) -> Any:
        """The structure of `SurrogateResult`."""
        return self._outer.returned

    @torch.no_grad()
    def step(self, state: InnerState, context: StepContext) -> StepResult:
        """As `StepFunctions.step`."""
        leaves, _ = self._steps.step(tensors_of(state), tensors_of(context))
        result: StepResult = pytree.tree_unflatten(leaves, self._steps.returned)
        return result

    @torch.no_grad()
    def surrogate(
        self, state: InnerState, context: StepContext, steps: int, begun: StepResult | None = None
    ) -> SurrogateResult:
        """f_K and its derivatives in the context's sources: metz2017's equations 6 to 9, and 12 factor by factor.

        Args:
            state: the state at θ^0.
            context: everything else.
            steps: K.
            begun: the first step's result, if known.
        """
        first, flat = None if begun is None else tensors_of(begun), tensors_of(context)
        leaves = self.flat_surrogate(tensors_of(state), [flat] * steps, flat, first)
        result: SurrogateResult = pytree.tree_unflatten(leaves, self._outer.returned)
        return result

    def flat_surrogate(
        self,
        state: list[Tensor],
        inner: Sequence[list[Tensor]],
        context: list[Tensor],
        first: Sequence[Tensor] | None = None,
        *,
        through: bool = True,
    ) -> list[Tensor]:
        """As `surrogate`, of flat lists of tensors.

        Args:
            state: the tensors of the state at θ^0.
            inner: those of the context of each inner step.
            context: those of the context of the last loss.
            first: those of the first step's result, if known and nothing is stored; more may follow.
            through: whether to differentiate through the inner steps; without, the gradient is the first-order one.
        """
        current, past = state, []  # equation 6
        of_state, of_cotangents = self._sizes
        for k, one in enumerate(inner):  # equation 7
            after, needed = self._steps.step(current, one, first if k == 0 else None)
            past.append(needed)
            current = list(after[:of_state])
        outer = self._outer([*current, *context])  # equation 9
        cotangents = outer[-of_cotangents:]
        for needed in reversed(past) if through else ():  # equation 12: ∂f/∂θ_D^K · dθ_D^K/dθ_G
            cotangents = self._steps.step_vjp(needed, cotangents)
        return [*outer[:-of_cotangents], *cotangents]


def compiled_program(eager: UnrolledTurn, inputs: Inputs) -> Program | None:
    """Compile a program for these inputs; None if tracing or compilation fails, or the program fails its check."""
    try:
        program = _compiled(inputs)
    except Exception as error:  # if torch cannot trace or compile it, the eager step remains
        logging.getLogger(__name__).info("not compiled: %r", error)
        return None
    return program if program is not None and agrees(program, eager, inputs) else None


def _compiled(inputs: Inputs) -> Program | None:
    functions = StepFunctions(inputs.game, inputs.player, inputs.others, inputs.groups)
    free = tuple(n for n, p in inputs.own_parameters.items() if p.requires_grad)
    direct = functions.direct_sources(inputs.state, inputs.context(free))
    if direct is None:
        return None
    state, context = inputs.state, inputs.context(direct)
    after = functions.step(state, context).state
    if [list(m) for m in after.moments] != [list(m) for m in state.moments]:
        return None  # an optimiser's first step, which creates its moments
    return Program(functions, state, context, direct)


def agrees(program: Program, eager: UnrolledTurn, inputs: Inputs) -> bool:
    """Whether a program's gradient is the eager one, and not a first-order look-alike.

    In float32 even two exact gradients differ where a second moment is nearly 0. So float64 is the reference:
    a program may be `LOOSER` times as far from it as the eager step in the program's precision, and must be
    less than half as far from it as the first-order gradient.
    """
    result = program.surrogate(inputs.state, inputs.context(program.direct), eager.rule.steps)
    checked = flat(inputs.gradients(result.cotangents.sources, again=True))
    same_precision, _ = _references(eager, inputs, program.direct, torch.Tensor.clone)
    truth, first_order = _references(eager, inputs, program.direct, torch.Tensor.double)
    off = distance(checked, truth)
    return off <= LOOSER * distance(same_precision, truth) + 1e-6 and off <= max(distance(first_order, truth) / 2, 1e-9)


def _references(
    eager: UnrolledTurn, inputs: Inputs, direct: Sequence[str], cast: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """The eager and the first-order gradient, each flat "p", of a copy in another precision."""
    game, optimisers = copy.deepcopy((eager.game, dict(eager.optimisers)))
    for name, buffer in game.named_buffers():
        buffer.data.copy_(inputs.buffers[name])
    recast(game, optimisers, cast)
    batch = pytree.tree_map_only(Tensor, lambda t: cast(t) if t.is_floating_point() else t, inputs.batch)
    player, others = inputs.player, inputs.others
    turn = UnrolledTurn(eager.rule, game, optimisers, eager.draw, batch)
    with freeze(game, {player, *others}):
        fake = turn.samples((player,))
        _, gradients = turn.surrogate_gradient(player, fake, None, last=False)
        copied = Inputs.of(game, optimisers, player, others, batch, fake)
        functions, state = StepFunctions(game, player, others, copied.groups), copied.state
        for _ in range(eager.rule.steps):
            state = functions.step(state, copied.context(direct)).state
        first_order = functions.outer(state, copied.context(direct)).cotangents
        return flat(gradients), flat(copied.gradients(first_order.sources))


def recast(game: Game, optimisers: Optimisers, cast: Callable[[Tensor], Tensor]) -> None:
    """Convert a game and its optimisers' moments to another precision, in place."""
    for tensor in (*game.parameters(), *game.buffers()):
        if tensor.is_floating_point():
            tensor.data = cast(tensor.data)
    for optimiser in optimisers.values():
        for state in optimiser.state.values():
            moments = {n: v for n, v in state.items() if n != "step" and isinstance(v, Tensor)}
            state.update({n: cast(v) for n, v in moments.items()})


def flat(gradients: Sequence[Shaped[Tensor, "..."] | None]) -> Float[Tensor, " p"]:
    """Tensors as one vector "p" in float64."""
    return torch.cat([g.detach().double().flatten() for g in gradients if g is not None])


def distance(checked: Float[Tensor, " p"], truth: Float[Tensor, " p"]) -> float:
    """Distance of two vectors "p", relative to the second; infinite if it is not a finite number."""
    relative = float((checked - truth).norm() / truth.norm())
    return relative if math.isfinite(relative) else math.inf

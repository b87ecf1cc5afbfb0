"""A compiled unroll, and the check without which it is not used."""

import copy
import logging
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.moves import Optimisers, freeze
from agon.dynamics.unrolled.dynamics import UnrolledTurn
from agon.dynamics.unrolled.inner_step import State
from agon.dynamics.unrolled.step_context import Inputs, StepContext
from agon.dynamics.unrolled.tracing import compiled, tensors_of
from agon.dynamics.unrolled.vjp import StepFunctions, StepResult, SurrogateResult
from agon.games.game import Game

LOOSER = 3.0  # how many times as far from float64 as the eager gradient a compiled one may be


class Program:
    """An unroll by compiled functions, on flat lists of tensors: structures are built once an unroll.

    Args:
        functions: what is compiled, for the example's structure and shapes.
        state: the example: where an unroll begins.
        context: the example's.
        direct: the parameters of the looking player that losses depend on not only by samples.
    """

    def __init__(self, functions: StepFunctions, state: State, context: StepContext, direct: tuple[str, ...]) -> None:
        self.direct = direct
        after, gradients, *_ = functions.step(state, context)
        cotangents = functions.outer(after, context).cotangents
        self._step = compiled(functions.step, state, context)
        self._step_vjp = compiled(functions.step_vjp, state, gradients, cotangents, context)
        self._outer = compiled(functions.outer, after, context)
        self._sizes = tuple(len(tensors_of(part)) for part in (state, gradients, cotangents))

    @torch.no_grad()
    def step(self, state: State, context: StepContext) -> StepResult:
        """As `StepFunctions.step`."""
        leaves = self._step([*tensors_of(state), *tensors_of(context)])
        result: StepResult = pytree.tree_unflatten(leaves, self._step.returned)
        return result

    @torch.no_grad()
    def surrogate(
        self, state: State, context: StepContext, steps: int, begun: StepResult | None = None
    ) -> SurrogateResult:
        """f_K and its derivatives in the context's sources: metz2017's equations 6 to 9, and 12 factor by factor.

        Args:
            state: θ^0.
            context: all else.
            steps: K.
            begun: the first step's result, where it is known.
        """
        now, around, past = tensors_of(state), tensors_of(context), []  # equation 6
        of_state, of_gradients, of_cotangents = self._sizes
        for k in range(steps):  # equation 7
            after = tensors_of(begun) if begun is not None and k == 0 else self._step([*now, *around])
            past.append([*now, *after[of_state : of_state + of_gradients]])
            now = after[:of_state]
        outer = self._outer([*now, *around])  # equation 9
        cotangents = outer[-of_cotangents:]
        for before in reversed(past):  # equation 12: ∂f/∂θ_D^K · dθ_D^K/dθ_G
            cotangents = self._step_vjp([*before, *cotangents, *around])
        leaves = [*outer[:-of_cotangents], *cotangents]
        result: SurrogateResult = pytree.tree_unflatten(leaves, self._outer.returned)
        return result


def compiled_program(eager: UnrolledTurn, inputs: Inputs) -> Program | None:
    """A program for these inputs; None where the tracer or the compiler gives up, or the check fails."""
    try:
        program = _compiled(inputs)
    except Exception as error:  # whatever torch cannot trace or compile still has its eager step
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
        return None  # an optimiser's first step: its moments come into being
    return Program(functions, state, context, direct)


def agrees(program: Program, eager: UnrolledTurn, inputs: Inputs) -> bool:
    """Whether a program's gradient is the eager one, and no first-order look-alike.

    In float32 even two exact gradients differ, where a second moment is nearly 0. So float64 is the judge:
    a program may be `LOOSER` times as far from it as the eager step in its own precision is, and must be
    nearer to it than half the way to the gradient of inner steps without a vjp.
    """
    result = program.surrogate(inputs.state, inputs.context(program.direct), eager.rule.steps)
    checked = _flat(inputs.gradients(result.cotangents.sources, again=True))
    same_precision, _ = _references(eager, inputs, program.direct, torch.Tensor.clone)
    truth, first_order = _references(eager, inputs, program.direct, torch.Tensor.double)
    off = _distance(checked, truth)
    return off <= LOOSER * _distance(same_precision, truth) + 1e-6 and off <= max(
        _distance(first_order, truth) / 2, 1e-9
    )


def _references(
    eager: UnrolledTurn, inputs: Inputs, direct: Sequence[str], cast: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """The eager gradient and the first-order one, each flat "p", of a copy in another precision."""
    game, optimisers = copy.deepcopy((eager.game, dict(eager.optimisers)))
    for name, buffer in game.named_buffers():
        buffer.data.copy_(inputs.buffers[name])
    _recast(game, optimisers, cast)
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
        return _flat(gradients), _flat(copied.gradients(first_order.sources))


def _recast(game: Game, optimisers: Optimisers, cast: Callable[[Tensor], Tensor]) -> None:
    for tensor in (*game.parameters(), *game.buffers()):
        if tensor.is_floating_point():
            tensor.data = cast(tensor.data)
    for optimiser in optimisers.values():
        for state in optimiser.state.values():
            kept = {n: v for n, v in state.items() if n != "step" and isinstance(v, Tensor)}
            state.update({n: cast(v) for n, v in kept.items()})


def _flat(gradients: Sequence[Tensor | None]) -> Tensor:
    return torch.cat([g.detach().double().flatten() for g in gradients if g is not None])


def _distance(checked: Tensor, truth: Tensor) -> float:
    """Of two vectors "p", relative to the second; infinite where anything is no number."""
    distance = float((checked - truth).norm() / truth.norm())
    return distance if math.isfinite(distance) else math.inf

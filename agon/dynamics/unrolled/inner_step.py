"""The inner step of an unroll, metz2017's equation 7, as a pure function: no live tensor is read or changed.

    θ^{k+1} = θ^k + Δ(∇L(θ^k)),

with Δ the players' own optimisers, carried on from their moments. It is written here once. `Unroll` lets autograd
record K of them and differentiates through the record; `vjp` compiles one of them and its vector-Jacobian product.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from agon.dynamics.functional import Moments
from agon.dynamics.processes import average
from agon.dynamics.unrolled.flat_groups import FlatGroup, unflatten
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.games.game import Losses

LossesOf = Callable[[nn.Module], Losses]


class State(NamedTuple):
    """Where the players would be: everything that changes from one inner step to the next.

    Attributes:
        parameters: θ^k, one vector "p" a flat group.
        moments: of each group's optimiser, "p" each.
        buffers: all of the module, by name.
    """

    parameters: tuple[Tensor, ...]
    moments: tuple[Moments, ...]
    buffers: dict[str, Tensor]


class Gradients(NamedTuple):
    """The first half of an inner step.

    Attributes:
        vectors: ∇L(θ^k), one "p" a flat group, with their history.
        losses: of the players, at θ^k.
        module: the one that has played there; its buffers are those after the pass.
    """

    vectors: tuple[Tensor, ...]
    losses: Losses
    module: FunctionalModule


def inner_step(
    groups: Sequence[FlatGroup], state: State, module: FunctionalModule, losses_of: LossesOf
) -> tuple[State, Gradients]:
    """θ^k to θ^{k+1}, all players of the groups together.

    Args:
        groups: whose parameters move, and by which rule.
        state: at θ^k.
        module: all that the state does not hold: other players' parameters, and what earlier passes have left.
        losses_of: what a module gives at step k, with history.

    Returns:
        The state at θ^{k+1}, and the gradients along which it went.
    """
    gradients = inner_gradients(groups, state, module, losses_of)
    after = inner_update(groups, state, gradients.vectors)
    return after._replace(buffers=gradients.module.tensors(state.buffers)), gradients


def inner_gradients(
    groups: Sequence[FlatGroup], state: State, module: FunctionalModule, losses_of: LossesOf
) -> Gradients:
    """∇L(θ^k): each player's gradient of its own loss in its own parameters, averaged over processes."""
    there = module_at(groups, state, module)
    losses = losses_of(there.module)
    vectors = [
        torch.autograd.grad(losses.players[group.player], vector, create_graph=True, materialize_grads=True)[0]
        for group, vector in zip(groups, state.parameters, strict=True)
    ]
    return Gradients(averaged(vectors), losses, there)


def inner_update(groups: Sequence[FlatGroup], state: State, gradients: Sequence[Tensor]) -> State:
    """θ^k + Δ(g) and the moments after it, for gradients g, one "p" a group; buffers stay."""
    moved = [
        group.rule(vector, gradient, moments)
        for group, vector, gradient, moments in zip(groups, state.parameters, gradients, state.moments, strict=True)
    ]
    return State(tuple(m.parameter for m in moved), tuple(m.moments for m in moved), state.buffers)


def module_at(groups: Sequence[FlatGroup], state: State, module: FunctionalModule) -> FunctionalModule:
    """The module at a state, with buffers of its own that it may change."""
    return module.at({**copies(state.buffers), **unflatten(groups, state.parameters)})


def averaged(gradients: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Vectors "p" averaged over processes, differentiably."""
    return tuple(average(list(gradients)))


def copies(buffers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Buffers of a pass's own, which it may change in place."""
    return {name: buffer.clone() for name, buffer in buffers.items()}

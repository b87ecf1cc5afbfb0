"""The inner step of an unroll, metz2017's equation 7, as a pure function of its arguments.

    θ^{k+1} = θ^k + Δ(∇L(θ^k)),

with Δ the step of the players' own optimisers, moments included. `Unroll` lets autograd record K of these steps
and differentiates through them; `vjp` has one step and its vector-Jacobian product, to be compiled.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from agon.dynamics.functional import OptimiserMoments
from agon.dynamics.processes import average
from agon.dynamics.unrolled.flat_groups import FlatGroup, unflatten
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.games.game import Losses

LossesOf = Callable[[nn.Module], Losses]


class InnerState(NamedTuple):
    """Everything that changes from one inner step to the next.

    Attributes:
        parameters: θ^k, one vector "p" for each flat group.
        moments: the moments of each group's optimiser, "p" each.
        buffers: all buffers of the module, by name.
    """

    parameters: tuple[Tensor, ...]
    moments: tuple[OptimiserMoments, ...]
    buffers: dict[str, Tensor]


class InnerGradients(NamedTuple):
    """The result of the first half of an inner step: the gradients.

    Attributes:
        vectors: ∇L(θ^k), one vector "p" for each flat group, with its history.
        losses: the players' losses at θ^k.
        module: the functional module at θ^k; its buffers are those after the pass.
    """

    vectors: tuple[Tensor, ...]
    losses: Losses
    module: FunctionalModule


def inner_step(
    groups: Sequence[FlatGroup], state: InnerState, module: FunctionalModule, losses_of: LossesOf
) -> tuple[InnerState, InnerGradients]:
    """Move all players of the groups together from θ^k to θ^{k+1}.

    Args:
        groups: the parameters that move, with their update rules.
        state: the state at θ^k.
        module: holds everything else: other players' parameters, and what earlier passes left behind.
        losses_of: computes a module's losses at step k, with their history.

    Returns:
        The state at θ^{k+1}, and the gradients of the step.
    """
    gradients = inner_gradients(groups, state, module, losses_of)
    after = inner_update(groups, state, gradients.vectors)
    return after._replace(buffers=gradients.module.tensors(state.buffers)), gradients


def inner_gradients(
    groups: Sequence[FlatGroup], state: InnerState, module: FunctionalModule, losses_of: LossesOf
) -> InnerGradients:
    """∇L(θ^k): each player's gradient of its own loss in its own parameters, averaged over processes."""
    functional = module_at(groups, state, module)
    losses = losses_of(functional.module)
    vectors = [
        torch.autograd.grad(losses.players[group.player], vector, create_graph=True, materialize_grads=True)[0]
        for group, vector in zip(groups, state.parameters, strict=True)
    ]
    return InnerGradients(averaged(vectors), losses, functional)


def inner_update(
    groups: Sequence[FlatGroup], state: InnerState, gradients: Sequence[Float[Tensor, "..."]]
) -> InnerState:
    """The parameters θ^k + Δ(g) and the new moments, for gradients g, one "p" for each group; buffers stay."""
    updates = [
        group.rule(vector, gradient, moments)
        for group, vector, gradient, moments in zip(groups, state.parameters, gradients, state.moments, strict=True)
    ]
    return InnerState(tuple(u.parameter for u in updates), tuple(u.moments for u in updates), state.buffers)


def module_at(groups: Sequence[FlatGroup], state: InnerState, module: FunctionalModule) -> FunctionalModule:
    """The functional module at a state, with clones of the buffers, which its pass may change."""
    return module.at({**copies(state.buffers), **unflatten(groups, state.parameters)})


def averaged(gradients: Sequence[Float[Tensor, "..."]]) -> tuple[Float[Tensor, "..."], ...]:
    """Average vectors "p" over processes, differentiably."""
    return tuple(average(list(gradients)))


def copies(buffers: Mapping[str, Shaped[Tensor, "..."]]) -> dict[str, Shaped[Tensor, "..."]]:
    """Clone buffers, so that a pass may change them in place."""
    return {name: buffer.clone() for name, buffer in buffers.items()}

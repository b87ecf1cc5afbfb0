"""The unroll: the state that some players' optimisers would reach, as a differentiable function of everything else.

metz2017's equations, with θ_D for the players that are looked ahead at and θ_G for the one that looks ahead:

     (6)  θ_D^0 = θ_D                                           `Unroll.surrogate`
     (7)  θ_D^{k+1} = θ_D^k + Δ(∂f(θ_G, θ_D^k) / ∂θ_D^k)        `inner_step`; Δ is the optimiser's step
     (8)  θ_D^* = lim θ_D^k for k → ∞                           stopped at k = K
     (9)  f_K(θ_G, θ_D) = f(θ_G, θ_D^K(θ_G, θ_D))               `Unroll.surrogate`
    (10)  θ_G <- θ_G - η df_K/dθ_G                              `UnrolledTurn.move`
    (11)  θ_D <- θ_D + η ∂f/∂θ_D                                `UnrolledTurn.move`, or a turn of its own
    (12)  df_K/dθ_G = ∂f/∂θ_G + ∂f/∂θ_D^K · dθ_D^K/dθ_G         autograd of (9); compiled, `Program.surrogate`

The live players are not changed: a functional module plays.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from agon.dynamics.unrolled.flat_groups import FlatGroup, flat_groups, unflatten
from agon.dynamics.unrolled.functional_module import FunctionalModule, eager_modules
from agon.dynamics.unrolled.guard import Guard
from agon.dynamics.unrolled.inner_step import InnerState, averaged, copies, inner_step, inner_update, module_at
from agon.games.game import Losses

NamedGradients = Mapping[str, Mapping[str, Float[Tensor, "..."] | None]]  # player -> parameter's name -> its gradient


class Position(NamedTuple):
    """The state after some steps, and the functional module that played last."""

    state: InnerState
    module: FunctionalModule


class Unroll:
    """The next steps of some players, all of them moving together.

    Args:
        module: computes the losses; not changed.
        players: player -> its live parameters, by their names in the module.
        optimisers: each player's own; not changed.
        losses_of: computes the players' losses at step k with a module like the first one.
        after_update: called with the module after each player's step (a projection); None if there is nothing to do.
        attached: players whose current parameters are differentiated through as well.
        buffers: the module's buffers at the start; its current ones if None.
        checkpointed: recompute inner steps in the backward pass instead of storing them.
        prepare: called with each new functional module before its first pass; None if there is nothing to do.

    Attributes:
        functional: the functional module at θ^k, after the steps so far.
        guard: refuses losses that cannot be differentiated through the unroll.
    """

    def __init__(
        self,
        module: nn.Module,
        players: Mapping[str, Mapping[str, Float[Tensor, "..."]]],
        optimisers: Mapping[str, torch.optim.Optimizer],
        losses_of: Callable[[nn.Module, int], Losses] = lambda module, k: Losses({}, {}),
        *,
        after_update: Callable[[nn.Module, str], None] | None = None,
        attached: Collection[str] = (),
        buffers: Mapping[str, Shaped[Tensor, "..."]] | None = None,
        checkpointed: bool = False,
        prepare: Callable[[nn.Module], object] | None = None,
    ) -> None:
        self._players = {
            player: {n: p for n, p in parameters.items() if p.requires_grad} for player, parameters in players.items()
        }
        self._starts = {
            player: live if player in attached else {n: p.detach().requires_grad_() for n, p in live.items()}
            for player, live in self._players.items()
        }
        self._optimisers, self._losses_of, self._after_update = optimisers, losses_of, after_update
        self._is_checkpointed, self._prepare = checkpointed, prepare
        self._buffers = copies(dict(module.named_buffers()) if buffers is None else buffers)
        self._groups: tuple[FlatGroup, ...] = ()
        self._parameters: tuple[Tensor, ...] = ()
        self._module, self.functional = module, self._at_live_point(module)
        live = _by_name({player: self._players[player] for player in self._players if player not in attached})
        self.guard = Guard(module, self.functional, live)
        detached = _by_name({player: self._starts[player] for player in self._starts if player not in attached})
        self._detached = tuple(detached.values())

    def surrogate(
        self,
        steps: int,
        outer: Callable[[FunctionalModule], Losses],
        first: NamedGradients | None = None,
        samples: Float[Tensor, "n ..."] | None = None,
    ) -> Losses:
        """f_K (equation 9): the value of `outer` at θ^K, with the history of equation 12.

        Args:
            steps: K, from 0.
            outer: computes the losses with a functional module.
            first: the gradients of step 0, averaged over processes and with their history, if known.
            samples: samples "n *shape" on which `outer` may depend beside θ^K, with a history that is not checked.

        Raises:
            SettingError: a loss depends on the live players instead of their future state; see `Guard`.
        """
        for k in range(steps):
            if k == 0:  # equations 6 and 7
                position = self._first_step(first) if first else self._checkpointed(self._first_step, None)
            else:  # equation 7
                position = self._checkpointed(self._step, position, k, first is not None and k == 1)
        if steps:  # equation 8, as far as it goes
            self.functional, self._parameters = self._at(position), position.state.parameters
        losses = outer(self.functional)  # equation 9
        self.guard.refuse_elsewhere(
            losses.players.values(), self._parameters if samples is None else (*self._parameters, samples)
        )
        return losses

    def _first_step(self, known: NamedGradients | None) -> Position:
        """Step from the live point, and find the parameters that the losses depend on; the others never move."""
        module = self.functional
        if self._is_checkpointed:  # a recomputed step needs a module that has not played
            module = self._at_live_point(self._module)
        gradients = known or self._live_gradients(module)
        self._groups = tuple(
            group
            for player, live in self._players.items()
            for group in flat_groups(
                player, {n: p for n, p in live.items() if gradients[player][n] is not None}, self._optimisers[player]
            )
        )
        self.guard.passed(self._detached)
        start = tuple(group.flatten(self._starts[group.player]) for group in self._groups)
        state = InnerState(start, tuple(group.moments for group in self._groups), self._buffers)
        vectors = tuple(group.flatten(gradients[group.player]) for group in self._groups)
        after = inner_update(self._groups, state, vectors if known else averaged(vectors))
        return self._moved(after._replace(buffers=module.tensors(self._buffers)), module)

    def _step(self, position: Position, k: int, guarded: bool) -> Position:
        state, gradients = inner_step(self._groups, *position, lambda module: self._losses_of(module, k))
        if guarded:
            self.guard.refuse_elsewhere(gradients.losses.players.values(), position.state.parameters)
        return self._moved(state, gradients.module)

    def _live_gradients(self, module: FunctionalModule) -> NamedGradients:
        """Each player's gradients, with their history; None for a parameter on which its loss does not depend."""
        losses, gradients = self._losses_of(module.module, 0).players, {}
        self.guard.refuse_elsewhere(losses.values(), self._detached)
        for player, parameters in self._starts.items():
            player_gradients = torch.autograd.grad(
                losses[player], list(parameters.values()), create_graph=True, allow_unused=True
            )
            gradients[player] = dict(zip(parameters, player_gradients, strict=True))
        return gradients

    def _moved(self, state: InnerState, module: FunctionalModule) -> Position:
        """The position after a step, registered with the guard, with parameters that require gradients."""
        self.guard.passed(state.parameters)
        for vector in state.parameters:
            if not vector.requires_grad:
                vector.requires_grad_()
        position = Position(state, module)
        return position if self._after_update is None else self._updated(position, self._after_update)

    def _updated(self, position: Position, after_update: Callable[[nn.Module, str], None]) -> Position:
        """The position after each player's `after_update`, which changes a module in place, differentiably."""
        module = self._at(position)
        named = unflatten(self._groups, position.state.parameters)
        module.load({name: tensor.clone() for name, tensor in named.items()})
        for player in self._players:
            after_update(module.module, player)
        vectors = tuple(group.flatten(module.tensors(group.parameters)) for group in self._groups)
        self.guard.passed(vectors)
        return Position(InnerState(vectors, position.state.moments, module.tensors(self._buffers)), module)

    def _at(self, position: Position) -> FunctionalModule:
        return module_at(self._groups, *position)

    def _at_live_point(self, module: nn.Module) -> FunctionalModule:
        tensors = {**copies(self._buffers), **_by_name(self._starts)}
        functional = FunctionalModule(module, tensors, keeps=self._is_checkpointed)
        if self._prepare is not None:
            self._prepare(functional.module)
        return functional

    def _checkpointed(self, step: Callable[..., Position], *arguments: Any) -> Position:
        if not self._is_checkpointed:
            return step(*arguments)

        def recomputed(*arguments: Any) -> Position:  # also called in the backward pass
            with eager_modules():
                return step(*arguments)

        position: Position = checkpoint(recomputed, *arguments, use_reentrant=False)
        return position


def _by_name(players: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: tensor for tensors in players.values() for name, tensor in tensors.items()}

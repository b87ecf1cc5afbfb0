"""The inner step and its vector-Jacobian product as pure functions of tensors, which a `Program` calls K times each.

The vjp of a step recomputes it, so that only its parameters, moments, gradients and buffers are stored. That is
more work than one long history, but each function can be compiled once for any K.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from agon.dynamics.functional import NUMBERS, OptimiserMoments
from agon.dynamics.unrolled.flat_groups import FlatGroup
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.dynamics.unrolled.inner_step import (
    InnerGradients,
    InnerState,
    LossesOf,
    inner_gradients,
    inner_step,
    inner_update,
    module_at,
)
from agon.dynamics.unrolled.step_context import SAMPLES, NamedTensors, StepContext
from agon.games.game import Game, Losses

Vector = Float[Tensor, "..."]
Vectors = tuple[Vector, ...]


class StepResult(NamedTuple):
    """One inner step: the state at θ^{k+1}, the step's gradients "p", the others' losses, and scalars for the log."""

    state: InnerState
    gradients: Vectors
    losses: NamedTensors
    seen: NamedTensors


class Cotangents(NamedTuple):
    """f_K's derivatives in a state's parameters and moments, "p" each, and in the context's sources."""

    parameters: Vectors
    moments: tuple[NamedTensors, ...]
    sources: NamedTensors


class SurrogateResult(NamedTuple):
    """f_K, scalars for the log, the looking player's buffers after its pass, and f_K's derivatives."""

    loss: Float[Tensor, ""]
    seen: NamedTensors
    statistics: NamedTensors
    cotangents: Cotangents


class StepFunctions:
    """The three pure functions of one unroll: equations 7 and 9, and one factor of equation 12.

    Args:
        game: not changed; a functional module of it plays.
        player: the player that looks ahead.
        others: the players that it looks ahead at.
        groups: the others' parameters; their settings become constants of the functions.
    """

    def __init__(self, game: Game, player: str, others: Sequence[str], groups: Sequence[FlatGroup]) -> None:
        self._module = FunctionalModule(game)
        self._player, self._others, self._groups = player, tuple(others), tuple(groups)

    def step(self, state: InnerState, context: StepContext) -> StepResult:
        """Step from θ^k to θ^{k+1}."""
        leaves = state._replace(parameters=tuple(_leaf(p) for p in state.parameters))
        with torch.enable_grad():
            after, gradients = inner_step(self._groups, leaves, self._in(context), self._losses_of(context))
        after, vectors, losses = pytree.tree_map_only(
            Tensor, Tensor.detach, (after, gradients.vectors, gradients.losses.players)
        )
        return StepResult(after, vectors, losses, gradients.losses.seen)

    def step_vjp(
        self, state: InnerState, gradients: Vectors, cotangents: Cotangents, context: StepContext
    ) -> Cotangents:
        """Cotangents at θ^k from those at θ^{k+1}: through the optimisers' update, then through the gradients.

        Args:
            state: the state at θ^k.
            gradients: the step's gradients, "p" each.
            cotangents: f_K's derivatives at θ^{k+1}.
            context: everything else.
        """
        context = _with_leaves(context)
        gradients = tuple(_leaf(g) for g in gradients)
        moments = tuple({n: m if n in NUMBERS else _leaf(m) for n, m in group.items()} for group in state.moments)
        state = state._replace(parameters=tuple(_leaf(p) for p in state.parameters), moments=moments)
        sources, n = list(context.sources.values()), len(gradients)
        with torch.enable_grad():
            after = inner_update(self._groups, state, gradients)
            through_update = vjp(
                [*after.parameters, *_listed(after.moments)],
                [*state.parameters, *gradients, *_listed(moments)],
                [*cotangents.parameters, *_listed(cotangents.moments)],
            )
            recomputed = self._gradients(state, context).vectors
            through_gradients = vjp(recomputed, [*state.parameters, *sources], through_update[n : 2 * n])
        return Cotangents(
            tuple(a + b for a, b in zip(through_update[:n], through_gradients[:n], strict=True)),
            _like(moments, through_update[2 * n :]),
            {
                name: cotangents.sources[name] + source
                for name, source in zip(context.sources, through_gradients[n:], strict=True)
            },
        )

    def outer(self, state: InnerState, context: StepContext) -> SurrogateResult:
        """f_K at θ^K, and its derivatives there."""
        context = _with_leaves(context)
        leaves = [_leaf(p) for p in state.parameters]
        with torch.enable_grad():
            last = InnerState(tuple(leaves), state.moments, {**state.buffers, **context.statistics})
            functional = module_at(self._groups, last, self._in(context))
            losses: Losses = functional.module(context.batch, context.sources.get(SAMPLES), of=(self._player,))
            loss = losses.players[self._player]
            derivatives = vjp([loss], [*leaves, *context.sources.values()], [torch.ones_like(loss)])
        n, zeros = len(leaves), [torch.zeros_like(m) for m in _listed(state.moments)]
        sources = dict(zip(context.sources, derivatives[n:], strict=True))
        cotangents = Cotangents(tuple(derivatives[:n]), _like(state.moments, zeros), sources)
        return SurrogateResult(loss.detach(), losses.seen, functional.tensors(context.statistics), cotangents)

    def direct_sources(self, state: InnerState, context: StepContext) -> tuple[str, ...] | None:
        """Names of the parameters among the sources on which a loss depends directly.

        None if a loss does not depend on all of its player's parameters, so that there can be no program.
        """
        context = _with_leaves(context)
        parts = [
            {n: _leaf(p) for n, p in group.unflatten(vector).items()}
            for group, vector in zip(self._groups, state.parameters, strict=True)
        ]
        with torch.enable_grad():
            current = state._replace(buffers={**state.buffers, **context.statistics})
            functional = module_at(self._groups, current, self._in(context))
            functional = functional.at({name: leaf for part in parts for name, leaf in part.items()})
            players = (self._player, *self._others)
            losses: Losses = functional.module(context.batch, context.sources.get(SAMPLES), of=players)
            used: set[str] = set()
            for player, loss in losses.players.items():
                own = [part for group, part in zip(self._groups, parts, strict=True) if group.player == player]
                parameters = [p for part in own for p in part.values()]
                inputs, n = [*parameters, *context.sources.values()], len(parameters)
                gradients = torch.autograd.grad(loss, inputs, retain_graph=True, allow_unused=True)
                if any(gradient is None for gradient in gradients[:n]):
                    return None
                used |= {name for name, g in zip(context.sources, gradients[n:], strict=True) if g is not None}
        return tuple(n for n in context.sources if n in used and n != SAMPLES)

    def _gradients(self, state: InnerState, context: StepContext) -> InnerGradients:
        return inner_gradients(self._groups, state, self._in(context), self._losses_of(context))

    def _in(self, context: StepContext) -> FunctionalModule:
        """The module with the context's parameters."""
        sources = {name: source for name, source in context.sources.items() if name != SAMPLES}
        return self._module.at({**context.constants, **sources})

    def _losses_of(self, context: StepContext) -> LossesOf:
        def losses_of(module: nn.Module) -> Losses:
            losses: Losses = module(context.batch, context.sources.get(SAMPLES), of=self._others)
            return losses

        return losses_of


def vjp(
    outputs: Sequence[Float[Tensor, "..."]],
    inputs: Sequence[Float[Tensor, "..."]],
    cotangents: Sequence[Float[Tensor, "..."]],
) -> list[Float[Tensor, "..."]]:
    """Vector-Jacobian products Σ_o ō · ∂o/∂i, one in the shape of each input; zeros if no output depends on it.

    Args:
        outputs: tensors o with their history.
        inputs: tensors i from which the outputs were computed.
        cotangents: tensors ō, one in the shape of each output.
    """
    pairs = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
    products = torch.autograd.grad(
        [o for o, _ in pairs], list(inputs), [c for _, c in pairs], allow_unused=True, materialize_grads=True
    )
    return list(products)


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


def _with_leaves(context: StepContext) -> StepContext:
    return context._replace(sources={n: _leaf(s) for n, s in context.sources.items()})


def _listed(moments: Sequence[OptimiserMoments]) -> list[Tensor]:
    """List the moments that are differentiated through: all but numbers, such as that of the steps."""
    return [m for group in moments for n, m in group.items() if n not in NUMBERS]


def _like(moments: Sequence[OptimiserMoments], cotangents: Sequence[Tensor]) -> tuple[NamedTensors, ...]:
    """The inverse of `_listed`, with the names of `moments`."""
    rest = iter(cotangents)
    return tuple({n: next(rest) for n in group if n not in NUMBERS} for group in moments)

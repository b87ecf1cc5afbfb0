"""The inner step and its vector-Jacobian product as pure functions of tensors, for a `Program` to call K times each.

The vjp of a step plays it anew, so that nothing but parameters, moments, gradients and buffers is kept of it.
That is more work than one long history, but each function can be compiled once, whatever K is.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from agon.dynamics.functional import Moments
from agon.dynamics.unrolled.flat_groups import FlatGroup
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.dynamics.unrolled.inner_step import (
    Gradients,
    LossesOf,
    State,
    inner_gradients,
    inner_step,
    inner_update,
    module_at,
)
from agon.dynamics.unrolled.step_context import SAMPLES, Named, StepContext
from agon.games.game import Game, Losses

Vectors = tuple[Tensor, ...]


class StepResult(NamedTuple):
    """One inner step: θ^{k+1}, the gradients "p" along which it went, the others' losses, and what was seen."""

    state: State
    gradients: Vectors
    losses: Named
    seen: Named


class Cotangents(NamedTuple):
    """f_K's derivatives in a state's parameters and moments, one "p" each, and in the context's sources."""

    parameters: Vectors
    moments: tuple[Named, ...]
    sources: Named


class SurrogateResult(NamedTuple):
    """f_K, what was seen, the looking player's buffers after its pass, and f_K's derivatives."""

    loss: Tensor
    seen: Named
    statistics: Named
    cotangents: Cotangents


class StepFunctions:
    """The three pure functions of one unroll: equations 7 and 9, and a factor of 12.

    Args:
        game: not touched; a functional module of it plays.
        player: who looks ahead.
        others: at whom.
        groups: of the others' parameters; their settings are constants of the functions.
    """

    def __init__(self, game: Game, player: str, others: Sequence[str], groups: Sequence[FlatGroup]) -> None:
        self._module = FunctionalModule(game)
        self._player, self._others, self._groups = player, tuple(others), tuple(groups)

    def step(self, state: State, context: StepContext) -> StepResult:
        """θ^k to θ^{k+1}."""
        leaves = state._replace(parameters=tuple(_leaf(p) for p in state.parameters))
        with torch.enable_grad():
            after, gradients = inner_step(self._groups, leaves, self._in(context), self._losses_of(context))
        after, vectors, losses = pytree.tree_map_only(
            Tensor, Tensor.detach, (after, gradients.vectors, gradients.losses.players)
        )
        return StepResult(after, vectors, losses, gradients.losses.seen)

    def step_vjp(self, state: State, gradients: Vectors, cotangents: Cotangents, context: StepContext) -> Cotangents:
        """Cotangents at θ^k from those at θ^{k+1}: through the optimisers' update, then through the gradients.

        Args:
            state: at θ^k.
            gradients: along which the step went, "p" each.
            cotangents: at θ^{k+1}.
            context: all else.
        """
        context = _with_leaves(context)
        gradients = tuple(_leaf(g) for g in gradients)
        moments = tuple({n: _leaf(m) if n != "step" else m for n, m in own.items()} for own in state.moments)
        state = state._replace(parameters=tuple(_leaf(p) for p in state.parameters), moments=moments)
        sources, n = list(context.sources.values()), len(gradients)
        with torch.enable_grad():
            after = inner_update(self._groups, state, gradients)
            through = vjp(
                [*after.parameters, *_listed(after.moments)],
                [*state.parameters, *gradients, *_listed(moments)],
                [*cotangents.parameters, *_listed(cotangents.moments)],
            )
            again = self._gradients(state, context)
            bent = vjp(again.vectors, [*state.parameters, *sources], through[n : 2 * n])
        return Cotangents(
            tuple(a + b for a, b in zip(through[:n], bent[:n], strict=True)),
            _like(moments, through[2 * n :]),
            {name: cotangents.sources[name] + s for name, s in zip(context.sources, bent[n:], strict=True)},
        )

    def outer(self, state: State, context: StepContext) -> SurrogateResult:
        """f_K at θ^K, and its derivatives there."""
        context = _with_leaves(context)
        leaves = [_leaf(p) for p in state.parameters]
        with torch.enable_grad():
            there = State(tuple(leaves), state.moments, {**state.buffers, **context.statistics})
            functional = module_at(self._groups, there, self._in(context))
            losses: Losses = functional.module(context.batch, context.sources.get(SAMPLES), of=(self._player,))
            loss = losses.players[self._player]
            slopes = vjp([loss], [*leaves, *context.sources.values()], [torch.ones_like(loss)])
        n, zeros = len(leaves), [torch.zeros_like(m) for m in _listed(state.moments)]
        sources = dict(zip(context.sources, slopes[n:], strict=True))
        cotangents = Cotangents(tuple(slopes[:n]), _like(state.moments, zeros), sources)
        return SurrogateResult(loss.detach(), losses.seen, functional.tensors(context.statistics), cotangents)

    def direct_sources(self, state: State, context: StepContext) -> tuple[str, ...] | None:
        """The parameters among the sources that some loss depends on; None where it misses one of the others'."""
        context = _with_leaves(context)
        parts = [
            {n: _leaf(p) for n, p in group.unflatten(vector).items()}
            for group, vector in zip(self._groups, state.parameters, strict=True)
        ]
        with torch.enable_grad():
            there = state._replace(buffers={**state.buffers, **context.statistics})
            functional = module_at(self._groups, there, self._in(context))
            functional = functional.at({name: leaf for part in parts for name, leaf in part.items()})
            everybody = (self._player, *self._others)
            losses: Losses = functional.module(context.batch, context.sources.get(SAMPLES), of=everybody)
            used: set[str] = set()
            for player, loss in losses.players.items():
                mine = [part for g, part in zip(self._groups, parts, strict=True) if g.player == player]
                own = [p for part in mine for p in part.values()]
                inputs = [*own, *context.sources.values()]
                slopes = torch.autograd.grad(loss, inputs, retain_graph=True, allow_unused=True)
                if any(g is None for g in slopes[: len(own)]):
                    return None
                used |= {n for n, g in zip(context.sources, slopes[len(own) :], strict=True) if g is not None}
        return tuple(n for n in context.sources if n in used and n != SAMPLES)

    def _gradients(self, state: State, context: StepContext) -> Gradients:
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


def vjp(outputs: Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Sequence[Tensor]) -> list[Tensor]:
    """Vector-Jacobian products Σ_o ō · ∂o/∂i, one in the shape of each input; zeros where no output depends on it.

    Args:
        outputs: with their history.
        inputs: of which they were computed.
        cotangents: ō, one in the shape of each output.
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


def _listed(moments: Sequence[Moments]) -> list[Tensor]:
    """All that is differentiated through: everything but the number of steps."""
    return [m for own in moments for n, m in own.items() if n != "step"]


def _like(moments: Sequence[Moments], cotangents: Sequence[Tensor]) -> tuple[Named, ...]:
    """The inverse of `_listed`, by the same names."""
    rest = iter(cotangents)
    return tuple({n: next(rest) for n in own if n != "step"} for own in moments)

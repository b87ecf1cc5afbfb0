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
from agon.dynamics.unrolled.compiled.step_context import SAMPLES, NamedTensors, StepContext
from agon.dynamics.unrolled.compiled.tracing import stored
from agon.dynamics.unrolled.flat_groups import FlatGroup, unflatten
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.dynamics.unrolled.inner_step import (
    InnerGradients,
    InnerState,
    LossesOf,
    inner_gradients,
    inner_update,
    module_at,
)
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
        generates: whether inner steps generate their own samples, though the last loss is given some.
    """

    def __init__(
        self, game: Game, player: str, others: Sequence[str], groups: Sequence[FlatGroup], *, generates: bool = False
    ) -> None:
        self._module = FunctionalModule(game)
        self._player, self._others, self._groups = player, tuple(others), tuple(groups)
        self._generates, self._updates = generates, game.has_after_update

    def step(self, state: InnerState, context: StepContext) -> StepResult:
        """Step from θ^k to θ^{k+1}."""
        leaves = state._replace(parameters=tuple(_leaf(p) for p in state.parameters))
        with torch.enable_grad():
            gradients = self._gradients(leaves, context)
            return _detached(self._update(leaves, gradients.vectors, gradients, context), gradients)

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
        state, context, leaves = _state_of_leaves(state), _with_leaves(context), tuple(_leaf(g) for g in gradients)
        with torch.enable_grad():
            recomputed = self._gradients(state, context)
            after = self._update(state, leaves, recomputed, context)
            return self._through(state, context, leaves, recomputed.vectors, after, cotangents)

    def step_with_vjp(
        self, start: tuple[InnerState, StepContext], cotangents: Cotangents
    ) -> tuple[StepResult, Cotangents]:
        """`step` and `step_vjp` as one function, to be split: its second part takes what the first has computed."""
        state, context = _state_of_leaves(start[0]), _with_leaves(start[1])
        with torch.enable_grad():
            gradients = self._gradients(state, context)
            leaves = tuple(_leaf(vector) for vector in gradients.vectors)
            after = self._update(state, leaves, gradients, context)
            through = self._through(state, context, leaves, gradients.vectors, after, cotangents)
            return _detached(after, gradients), through

    def _update(
        self, state: InnerState, vectors: Vectors, gradients: InnerGradients, context: StepContext
    ) -> InnerState:
        """The state after the optimisers' update along `vectors`, and after the game's own."""
        after = inner_update(self._groups, state, vectors)._replace(buffers=gradients.module.tensors(state.buffers))
        if not self._updates:
            return after
        module = module_at(self._groups, after, self._in(context))
        module.load({name: p.clone() for name, p in unflatten(self._groups, after.parameters).items()})
        for other in self._others:
            module.module.after_update(other, gradients.losses.seen)  # type: ignore[operator]
        parameters = tuple(group.flatten(module.tensors(group.parameters)) for group in self._groups)
        return InnerState(parameters, after.moments, module.tensors(state.buffers))

    def _through(
        self,
        state: InnerState,
        context: StepContext,
        leaves: Vectors,
        vectors: Vectors,
        after: InnerState,
        cotangents: Cotangents,
    ) -> Cotangents:
        """Cotangents at θ^k: of the step `after` in its `leaves`, and of the gradients `vectors` in state and sources.

        Sources that no inner step takes keep theirs.
        """
        n = len(leaves)
        through_update = vjp(
            [*after.parameters, *_listed(after.moments)],
            [*state.parameters, *leaves, *_listed(state.moments)],
            [*cotangents.parameters, *_listed(cotangents.moments)],
        )
        sources = {name: s for name, s in context.sources.items() if not (self._generates and name == SAMPLES)}
        in_gradients = [stored(cotangent) for cotangent in through_update[n : 2 * n]]
        through_gradients = vjp(vectors, [*state.parameters, *sources.values()], in_gradients)
        added = zip(sources, through_gradients[n:], strict=True)
        return Cotangents(
            tuple(a + b for a, b in zip(through_update[:n], through_gradients[:n], strict=True)),
            _like(state.moments, through_update[2 * n :]),
            {**cotangents.sources, **{name: cotangents.sources[name] + source for name, source in added}},
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
            players = dict.fromkeys((self._player, *self._others))
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
            samples = None if self._generates else context.sources.get(SAMPLES)
            losses: Losses = module(context.batch, samples, of=self._others)
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


def _state_of_leaves(state: InnerState) -> InnerState:
    moments = tuple({n: m if n in NUMBERS else _leaf(m) for n, m in group.items()} for group in state.moments)
    return state._replace(parameters=tuple(_leaf(p) for p in state.parameters), moments=moments)


def _detached(after: InnerState, gradients: InnerGradients) -> StepResult:
    """A step's result without its history."""
    after, vectors, losses = pytree.tree_map_only(
        Tensor, Tensor.detach, (after, gradients.vectors, gradients.losses.players)
    )
    return StepResult(after, vectors, losses, gradients.losses.seen)


def _with_leaves(context: StepContext) -> StepContext:
    return context._replace(sources={n: _leaf(s) for n, s in context.sources.items()})


def _listed(moments: Sequence[OptimiserMoments]) -> list[Tensor]:
    """List the moments that are differentiated through: all but numbers, such as that of the steps."""
    return [m for group in moments for n, m in group.items() if n not in NUMBERS]


def _like(moments: Sequence[OptimiserMoments], cotangents: Sequence[Tensor]) -> tuple[NamedTensors, ...]:
    """The inverse of `_listed`, with the names of `moments`."""
    rest = iter(cotangents)
    return tuple({n: next(rest) for n in group if n not in NUMBERS} for group in moments)

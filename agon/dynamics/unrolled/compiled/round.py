"""A whole round as pure functions of tensors: the others' own turns, the look-ahead, and the moves of all of them.

    θ_R <- θ_R + Δ_R(∇L_R)          each own turn of the others is an inner step that is kept
    θ_R^0 = θ_R, ..., θ_R^K         `StepFunctions.step`
    df_K/dθ_R^k, k = K, ..., 0      `StepFunctions.outer`, then `StepFunctions.step_vjp`
    θ_p <- θ_p + Δ_p(df_K/dθ_p)     through the samples that p generated

`RoundFunctions.around` is what comes before and after the look-ahead, as one function of early and late arguments.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from agon.dynamics.functional import NUMBERS
from agon.dynamics.unrolled.compiled.round_plan import RoundPlan
from agon.dynamics.unrolled.compiled.round_state import (
    Ahead,
    Begun,
    Change,
    Moved,
    RoundStart,
    changes,
    counted,
    first_of,
)
from agon.dynamics.unrolled.compiled.step_context import SAMPLES, NamedTensors, StepContext, of_player
from agon.dynamics.unrolled.compiled.vjp import Cotangents, StepFunctions, StepResult
from agon.dynamics.unrolled.flat_groups import FlatGroup, unflatten
from agon.dynamics.unrolled.inner_step import InnerState, copies
from agon.games.game import Batch, Game

T = TypeVar("T")


class RoundFunctions(StepFunctions):
    """`StepFunctions`, and what comes before and after them in a round.

    Args:
        game: not changed; a functional module of it plays.
        plan: who does what.
        groups: the others' free parameters.
        own: the looking player's.
        direct: the looking player's parameters on which losses depend other than through samples.
    """

    def __init__(
        self, game: Game, plan: RoundPlan, groups: Sequence[FlatGroup], own: Sequence[FlatGroup], direct: Sequence[str]
    ) -> None:
        super().__init__(game, plan.player, plan.others, groups, generates=plan.generates_inside)
        self._game, self._plan, self._own, self._direct = game, plan, tuple(own), tuple(direct)
        self._moving = [index for index, group in enumerate(groups) if group.player in plan.movers]
        self._mover_groups = [groups[index] for index in self._moving]
        self._moves = StepFunctions(game, plan.player, plan.movers, self._mover_groups)

    def around(self, start: RoundStart, ahead: Ahead) -> tuple[Begun, NamedTensors, list[Change]]:
        """The round without the look-ahead: all that precedes it, and the looking player's move after it.

        Returns:
            The round up to the look-ahead, the looking player's gradients, and all that the round changes.
        """
        leaves = {n: p for group in self._own for n, p in _leaves(group, start.parameters).items()}
        *before, batch = start.batches * (self._plan.own_turns + 1 if self._plan.shared else 1)
        state, fake, kept, first = self._start(start), None, None, tuple[StepResult, ...]()
        with torch.enable_grad():
            if self._plan.shared:
                fake, state = self._samples(batch, start, leaves, state)
            for earlier in before:
                kept = self._move(start, state, earlier, fake)
                state = self._kept(state, kept)
            if fake is None and not self._plan.regenerates:
                fake, state = self._samples(batch, start, leaves, state)
            context, after = self.context(start, batch, fake, state.buffers), state
            if not self._plan.generates_inside:
                first = (self.step(state, context),)
            if self._plan.together:
                is_first = bool(first) and len(self._moving) == len(self._groups)
                kept = first[0] if is_first else self._move(start, state, batch, fake)
                after = self._kept(state, kept)
            if self._plan.extrapolation != 1:
                ahead = self._extrapolated(self.outer(state._replace(buffers=after.buffers), context).cotangents, ahead)
            own = self._own_move(start, ahead, fake, leaves)
            return self._begun(state, first, kept, context), own.gradients, self._changes(start, ahead, own, after)

    def context(
        self, start: RoundStart, batch: Batch, fake: Float[Tensor, "n ..."] | None, buffers: NamedTensors
    ) -> StepContext:
        """All but the state on which the look-ahead depends, on this batch and these samples."""
        moving = {name for group in self._groups for name in group.parameters}
        constants = {n: p for n, p in start.parameters.items() if n not in moving and n not in self._direct}
        sources = {**_named(fake), **{n: start.parameters[n] for n in self._direct}}
        return StepContext(batch, sources, constants, of_player(self._game, self._plan.player, buffers))

    def attached(self, vectors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Of one vector for each of the others' groups, those of the looking player's own."""
        return tuple(v for g, v in zip(self._groups, vectors, strict=True) if g.player == self._plan.player)

    def _start(self, start: RoundStart) -> InnerState:
        vectors = tuple(group.flatten(start.parameters) for group in self._groups)
        moments = tuple(
            _flat_moments({name: live[name] for name in group.moments})
            for group, live in zip(self._groups, start.moments, strict=True)
        )
        return InnerState(vectors, moments, start.buffers)

    def _samples(
        self, batch: Batch, start: RoundStart, leaves: NamedTensors, state: InnerState
    ) -> tuple[Tensor, InnerState]:
        """Samples of a batch, with their history in the leaves, and the state with the buffers after that pass."""
        functional = self._module.at({**start.parameters, **copies(state.buffers), **leaves})
        fake = functional.module.generate_for(batch)  # type: ignore[operator]
        own = functional.tensors(of_player(self._game, self._plan.player, state.buffers))
        return fake, state._replace(buffers={**state.buffers, **own})

    def _move(self, start: RoundStart, state: InnerState, batch: Batch, fake: Tensor | None) -> StepResult:
        """The movers' own step on a batch, with these samples, or with new ones."""
        if fake is None and not self._plan.regenerates:
            fake, _ = self._samples(batch, start, {}, state)
        part = InnerState(self._of_movers(state.parameters), self._of_movers(state.moments), state.buffers)
        moving = {name for group in self._mover_groups for name in group.parameters}
        constants = {name: p for name, p in start.parameters.items() if name not in moving}
        return self._moves.step(part, StepContext(batch, _named(fake), constants, {}))

    def _of_movers(self, values: Sequence[T]) -> tuple[T, ...]:
        return tuple(values[index] for index in self._moving)

    def _kept(self, state: InnerState, step: StepResult) -> InnerState:
        """The state after a step that is a turn: of all statistics only the movers' have changed."""
        parameters, moments = list(state.parameters), list(state.moments)
        for index, vector, named in zip(self._moving, step.state.parameters, step.state.moments, strict=True):
            parameters[index], moments[index] = vector, named
        buffers = {**state.buffers, **self._movers_buffers(step.state.buffers)}
        return InnerState(tuple(parameters), tuple(moments), buffers)

    def _movers_buffers(self, buffers: NamedTensors) -> NamedTensors:
        """The movers' statistics, and what the game itself changes after their moves."""
        own = {name: b for mover in self._plan.movers for name, b in of_player(self._game, mover, buffers).items()}
        if not self._updates:
            return own
        of_players = {name for player in self._game.players for name in of_player(self._game, player, buffers)}
        return {**own, **{name: b for name, b in buffers.items() if name not in of_players}}

    def _begun(
        self, state: InnerState, first: tuple[StepResult, ...], kept: StepResult | None, context: StepContext
    ) -> Begun:
        samples = {name: tensor for name, tensor in context.sources.items() if name == SAMPLES}
        if kept is None:
            return Begun(state, first, samples, context.statistics, {}, {}, {})
        gradients = unflatten(self._mover_groups, kept.gradients)
        return Begun(state, first, samples, context.statistics, gradients, kept.losses, kept.seen)

    def _changes(self, start: RoundStart, ahead: Ahead, own: Moved, after: InnerState) -> list[Change]:
        """All that the round changes: both sides' parameters, moments, numbers of steps, and buffers."""
        of_movers, moves = self._of_movers(start.moments), self._plan.own_turns + self._plan.together
        return [
            *changes(start, ahead.moments, own),
            *counted(start.numbers, 1),
            *(changes(start, of_movers, self._movers_after(after)) if self._plan.movers else ()),
            *counted(of_movers, moves),
        ]

    def _movers_after(self, after: InnerState) -> Moved:
        """The movers after their moves."""
        groups, vectors = self._mover_groups, self._of_movers(after.parameters)
        moments = tuple(
            {name: tuple(group.unflatten(m).values()) for name, m in flat.items() if name not in NUMBERS}
            for group, flat in zip(groups, self._of_movers(after.moments), strict=True)
        )
        return Moved(unflatten(groups, vectors), moments, {}, self._movers_buffers(after.buffers))

    def _extrapolated(self, present: Cotangents, ahead: Ahead) -> Ahead:
        """g_0 + s·(g_K - g_0), of the derivatives in the sources and in the player's own groups."""
        scale, own = self._plan.extrapolation, self.attached(present.parameters)
        sources = {n: torch.lerp(present.sources[n], source, scale) for n, source in ahead.sources.items()}
        vectors = tuple(torch.lerp(one, other, scale) for one, other in zip(own, ahead.vectors, strict=True))
        return ahead._replace(sources=sources, vectors=vectors)

    def _own_move(self, start: RoundStart, ahead: Ahead, fake: Tensor | None, leaves: NamedTensors) -> Moved:
        """The looking player's step along df_K/dθ_p."""
        gradients = self._own_gradients(ahead, fake, leaves)
        parameters, moments = NamedTensors(), []
        for group, of_each, of_group in zip(self._own, start.numbers, ahead.moments, strict=True):
            after, numbers = dict[str, list[Tensor]]({name: [] for name in of_group}), first_of(of_each)
            for index, name in enumerate(group.parameters):
                current = {n: numbers[n] if n in NUMBERS else of_group[n][index] for n in group.moments}
                updated = group.rule(start.parameters[name], gradients[name], current)
                parameters[name] = updated.parameter
                for moment, values in after.items():
                    values.append(updated.moments[moment])
            moments.append({name: tuple(values) for name, values in after.items()})
        return Moved(self._after_update(start, parameters), tuple(moments), gradients, ahead.statistics)

    def _own_gradients(self, ahead: Ahead, fake: Tensor | None, leaves: NamedTensors) -> NamedTensors:
        """df_K/dθ_p: through the samples, directly, and through the player's own anticipated steps."""
        attached = [group for group in self._groups if group.player == self._plan.player]
        gradients = unflatten(attached, ahead.vectors)
        if fake is not None:
            samples = ahead.sources[SAMPLES]
            through = torch.autograd.grad(fake, list(leaves.values()), samples, allow_unused=True)
            gradients |= {n: g for n, g in zip(leaves, through, strict=True) if g is not None}
        for name in self._direct:
            gradients[name] = ahead.sources[name] + gradients[name] if name in gradients else ahead.sources[name]
        return gradients

    def _after_update(self, start: RoundStart, parameters: NamedTensors) -> NamedTensors:
        """The looking player's parameters after the game's own update of them, which must change nothing else."""
        if not self._updates:
            return parameters
        moved = {name: p.detach().clone() for name, p in parameters.items()}
        functional = self._module.at({**start.parameters, **copies(start.buffers), **moved})
        versions = [(name, b, b._version) for name, b in functional.tensors(start.buffers).items()]
        with torch.no_grad():
            functional.module.after_update(self._plan.player, {})  # type: ignore[operator]
        after = functional.tensors(start.buffers)
        if any(after[name] is not b or b._version != version for name, b, version in versions):
            raise NotImplementedError("after_update of the looking player changes a buffer")
        return functional.tensors(parameters)


def _named(fake: Tensor | None) -> NamedTensors:
    return {} if fake is None else {SAMPLES: fake.detach()}


def _leaves(group: FlatGroup, parameters: NamedTensors) -> NamedTensors:
    return {name: parameters[name].detach().requires_grad_() for name in group.parameters}


def _flat_moments(moments: Mapping[str, tuple[Tensor, ...]]) -> NamedTensors:
    """One group's moments as those of one vector; numbers in float64, as in `Inputs.state`."""
    return {
        name: values[0].double() if name in NUMBERS else torch.cat([value.flatten() for value in values])
        for name, values in moments.items()
    }

"""A whole round as pure functions of tensors: the others' own turns, the look-ahead, and the moves of all of them.

    θ_R <- θ_R + Δ_R(∇L_R)          each own turn of the others is an inner step that is kept
    θ_R^0 = θ_R, ..., θ_R^K         `StepFunctions.step`
    df_K/dθ_R^k, k = K, ..., 0      `StepFunctions.outer`, then `StepFunctions.step_vjp`
    θ_p <- θ_p + Δ_p(df_K/dθ_p)     through the samples that p generated

`RoundFunctions.around` is what comes before and after the look-ahead, as one function of early and late arguments.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from agon.dynamics.functional import NUMBERS
from agon.dynamics.unrolled.flat_groups import FlatGroup, unflatten
from agon.dynamics.unrolled.inner_step import InnerState, copies
from agon.dynamics.unrolled.round_plan import RoundPlan
from agon.dynamics.unrolled.step_context import SAMPLES, NamedTensors, StepContext, of_player
from agon.dynamics.unrolled.vjp import Cotangents, StepFunctions, StepResult
from agon.games.game import Batch, Game

T = TypeVar("T")
GroupMoments = tuple[dict[str, tuple[Tensor, ...]], ...]  # for each group: name -> a moment of each parameter


class RoundStart(NamedTuple):
    """What a round begins with.

    Attributes:
        batches: one for each turn, or one for all.
        parameters: all of the game's, by name.
        buffers: all of the game's, by name.
        moments: of the others' groups.
        numbers: the steps, and a scheduled rate, of the looking player's groups.
    """

    batches: tuple[Batch, ...]
    parameters: NamedTensors
    buffers: NamedTensors
    moments: GroupMoments
    numbers: tuple[NamedTensors, ...]


class Ahead(NamedTuple):
    """What the look-ahead has given.

    Attributes:
        sources: f_K's derivatives in the sources.
        vectors: those in the looking player's own groups "p" at θ^0, if it anticipates its own steps.
        moments: the looking player's, which change after it only.
    """

    sources: NamedTensors
    vectors: tuple[Tensor, ...]
    moments: GroupMoments


class Moved(NamedTuple):
    """Players after their moves, by the names of their parameters and buffers.

    Attributes:
        parameters: those that have moved.
        moments: their moments, for each group in the order of its parameters.
        gradients: along which they moved.
        buffers: their statistics.
    """

    parameters: NamedTensors
    moments: GroupMoments
    gradients: NamedTensors
    buffers: NamedTensors


class Begun(NamedTuple):
    """A round up to the look-ahead, or to its first inner step.

    Attributes:
        state: θ^0.
        first: the first inner step; empty if the program of the steps makes it.
        samples: "n *shape", of the look-ahead; empty if each of its passes generates its own.
        statistics: the looking player's buffers after its pass.
        movers: the others that move, after their moves.
        losses: of the movers, before their last move.
        seen: scalars for the log.
    """

    state: InnerState
    first: tuple[StepResult, ...]
    samples: NamedTensors
    statistics: NamedTensors
    movers: Moved
    losses: NamedTensors
    seen: NamedTensors


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

    def around(self, start: RoundStart, ahead: Ahead) -> tuple[Begun, Moved]:
        """The round without the look-ahead: all that precedes it, and the looking player's move after it."""
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
            begun = self._begun(state, first, after, kept, context)
            if self._plan.extrapolation != 1:
                ahead = self._extrapolated(self.outer(state._replace(buffers=after.buffers), context).cotangents, ahead)
            return begun, self._own_move(start, ahead, fake, leaves)

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
        moments = tuple(_flat_moments(moments) for moments in start.moments)
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
        self,
        state: InnerState,
        first: tuple[StepResult, ...],
        after: InnerState,
        kept: StepResult | None,
        context: StepContext,
    ) -> Begun:
        samples = {name: tensor for name, tensor in context.sources.items() if name == SAMPLES}
        if kept is None:
            return Begun(state, first, samples, context.statistics, Moved({}, (), {}, {}), {}, {})
        groups, vectors = self._mover_groups, self._of_movers(after.parameters)
        moments = tuple(
            {name: tuple(group.unflatten(m).values()) for name, m in flat.items() if name not in NUMBERS}
            for group, flat in zip(groups, self._of_movers(after.moments), strict=True)
        )
        parameters, gradients = unflatten(groups, vectors), unflatten(groups, kept.gradients)
        movers = Moved(parameters, moments, gradients, self._movers_buffers(after.buffers))
        return Begun(state, first, samples, context.statistics, movers, kept.losses, kept.seen)

    def _extrapolated(self, present: Cotangents, ahead: Ahead) -> Ahead:
        """g_0 + s·(g_K - g_0), of the derivatives in the sources and in the player's own groups."""
        scale, own = self._plan.extrapolation, self.attached(present.parameters)
        sources = {n: torch.lerp(present.sources[n], source, scale) for n, source in ahead.sources.items()}
        vectors = tuple(torch.lerp(one, other, scale) for one, other in zip(own, ahead.vectors, strict=True))
        return Ahead(sources, vectors, ahead.moments)

    def _own_move(self, start: RoundStart, ahead: Ahead, fake: Tensor | None, leaves: NamedTensors) -> Moved:
        """The looking player's step along df_K/dθ_p; its statistics are in `Begun`."""
        gradients = self._own_gradients(ahead, fake, leaves)
        parameters, moments = NamedTensors(), []
        for group, numbers, of_group in zip(self._own, start.numbers, ahead.moments, strict=True):
            after = dict[str, list[Tensor]]({name: [] for name in of_group})
            for index, name in enumerate(group.parameters):
                current = {n: numbers[n].double() if n in NUMBERS else of_group[n][index] for n in group.moments}
                updated = group.rule(start.parameters[name], gradients[name], current)
                parameters[name] = updated.parameter
                for moment, values in after.items():
                    values.append(updated.moments[moment])
            moments.append({name: tuple(values) for name, values in after.items()})
        return Moved(self._after_update(start, parameters), tuple(moments), gradients, {})

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

"""A whole round as pure functions of tensors: the others' own turns, the look-ahead, and the moves of all of them.

    θ_R <- θ_R + Δ_R(∇L_R)          each own turn of the others is an inner step that is kept
    θ_R^0 = θ_R, ..., θ_R^K         `StepFunctions.step`
    df_K/dθ_R^k, k = K, ..., 0      `StepFunctions.outer`, then `StepFunctions.step_vjp`
    θ_p <- θ_p + Δ_p(df_K/dθ_p)     through the samples that p generated

`RoundFunctions.around` is what comes before and after the look-ahead, as one function of early and late arguments.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.dynamics.functional import NUMBERS
from agon.dynamics.turns import Turns
from agon.dynamics.unrolled.flat_groups import FlatGroup, unflatten
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.dynamics.unrolled.inner_step import InnerState, copies
from agon.dynamics.unrolled.step_context import SAMPLES, NamedTensors, StepContext, of_player
from agon.dynamics.unrolled.vjp import StepFunctions, StepResult
from agon.games.game import Batch, Game

GroupMoments = tuple[dict[str, tuple[Tensor, ...]], ...]  # for each group: name -> a moment of each parameter


class RoundPlan(NamedTuple):
    """Who does what in a round.

    Attributes:
        player: the player that looks ahead; it generates all samples, and moves last.
        others: the players that it looks ahead at.
        own_turns: how many turns the others have before it.
        together: whether they also move in its turn.
        shared: whether one batch, and one pass of the generator, serves the whole round.
    """

    player: str
    others: tuple[str, ...]
    own_turns: int
    together: bool
    shared: bool

    @classmethod
    def of(cls, turns: Turns, looks_ahead: Mapping[str, tuple[str, ...]], game: Game) -> "RoundPlan | None":
        """The plan of a schedule; None if it is another kind of round."""
        *before, last = turns.order
        looking = [player for player in last if player in looks_ahead]
        if len(looking) != 1 or tuple(game.generating_players) != tuple(looking):
            return None
        player, others = looking[0], looks_ahead[looking[0]]
        plain = set(last) - {player}
        if player in others or plain not in (set(), set(others)) or any(set(g) != set(others) for g in before):
            return None
        return cls(player, others, len(before), bool(plain), turns.draws == "round")

    @property
    def batches(self) -> int:
        """How many batches the round draws."""
        return 1 if self.shared else self.own_turns + 1


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
        moments: the looking player's, which change after it only.
    """

    sources: NamedTensors
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
    """A round up to the first inner step.

    Attributes:
        state: θ^0.
        first: the first inner step.
        samples: "n *shape", of the look-ahead.
        statistics: the looking player's buffers after its pass.
        others: the others after their moves.
        losses: of the others, before their last move.
        seen: scalars for the log.
    """

    state: InnerState
    first: StepResult
    samples: Float[Tensor, "n ..."]
    statistics: NamedTensors
    others: Moved
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
        super().__init__(game, plan.player, plan.others, groups)
        self._game, self._plan, self._own, self._direct = game, plan, tuple(own), tuple(direct)

    def around(self, start: RoundStart, ahead: Ahead) -> tuple[Begun, Moved]:
        """The round without the look-ahead: all that precedes it, and the looking player's move after it."""
        leaves = {n: p for group in self._own for n, p in _leaves(group, start.parameters).items()}
        *before, batch = start.batches * (self._plan.own_turns + 1 if self._plan.shared else 1)
        buffers = start.buffers
        with torch.enable_grad():
            if self._plan.shared:
                fake, buffers = self._samples(batch, start, leaves, buffers)
            state, kept = self._start(start, buffers), None
            for earlier in before:
                own = fake if self._plan.shared else self._samples(earlier, start, {}, buffers)[0]
                kept = self.step(state, self.context(start, earlier, own, state.buffers, ()))
                state = self._kept(state, kept)
            if not self._plan.shared:
                fake, buffers = self._samples(batch, start, leaves, state.buffers)
                state = state._replace(buffers=buffers)
            context = self.context(start, batch, fake, state.buffers, self._direct)
            first = self.step(state, context)
            begun = self._begun(state, first, first if self._plan.together else kept, fake.detach(), context)
            return begun, self._own_move(start, ahead, fake, leaves)

    def _start(self, start: RoundStart, buffers: NamedTensors) -> InnerState:
        vectors = tuple(group.flatten(start.parameters) for group in self._groups)
        moments = tuple(_flat_moments(moments) for moments in start.moments)
        return InnerState(vectors, moments, buffers)

    def _samples(
        self, batch: Batch, start: RoundStart, leaves: NamedTensors, buffers: NamedTensors
    ) -> tuple[Tensor, NamedTensors]:
        """Samples of a batch, with their history in the leaves, and the buffers after the looking player's pass."""
        functional = self._module.at({**start.parameters, **copies(buffers), **leaves})
        fake = functional.module.generate_for(batch)  # type: ignore[operator]
        own = self._buffers_of((self._plan.player,), functional, buffers)
        return fake, {**buffers, **own}

    def _buffers_of(self, players: Sequence[str], functional: FunctionalModule, buffers: NamedTensors) -> NamedTensors:
        names = [name for player in players for name in of_player(self._game, player, buffers)]
        return functional.tensors(names)

    def context(
        self,
        start: RoundStart,
        batch: Batch,
        fake: Float[Tensor, "n ..."],
        buffers: NamedTensors,
        direct: Sequence[str],
    ) -> StepContext:
        """All but the state on which an inner step on this batch and these samples depends."""
        moving = {name for group in self._groups for name in group.parameters}
        constants = {n: p for n, p in start.parameters.items() if n not in moving and n not in direct}
        sources = {SAMPLES: fake.detach(), **{n: start.parameters[n] for n in direct}}
        return StepContext(batch, sources, constants, of_player(self._game, self._plan.player, buffers))

    def _kept(self, state: InnerState, step: StepResult) -> InnerState:
        """The state after a step that is a turn: of all statistics only the movers' have changed."""
        return step.state._replace(buffers={**state.buffers, **self._others_buffers(step)})

    def _others_buffers(self, step: StepResult) -> NamedTensors:
        buffers = step.state.buffers
        return {name: b for other in self._plan.others for name, b in of_player(self._game, other, buffers).items()}

    def _begun(
        self, state: InnerState, first: StepResult, kept: StepResult | None, samples: Tensor, context: StepContext
    ) -> Begun:
        if kept is None:
            others, losses, seen = Moved({}, (), {}, {}), NamedTensors(), NamedTensors()
        else:
            moments = tuple(
                {name: tuple(group.unflatten(m).values()) for name, m in flat.items() if name not in NUMBERS}
                for group, flat in zip(self._groups, kept.state.moments, strict=True)
            )
            parameters, gradients = (unflatten(self._groups, v) for v in (kept.state.parameters, kept.gradients))
            others = Moved(parameters, moments, gradients, self._others_buffers(kept))
            losses, seen = kept.losses, kept.seen
        return Begun(state, first, samples, context.statistics, others, losses, seen)

    def _own_move(self, start: RoundStart, ahead: Ahead, fake: Tensor, leaves: NamedTensors) -> Moved:
        """The looking player's step along df_K/dθ_p; its statistics are in `Begun`."""
        through = torch.autograd.grad(fake, list(leaves.values()), ahead.sources[SAMPLES], allow_unused=True)
        gradients = {n: g for n, g in zip(leaves, through, strict=True) if g is not None}
        for name in self._direct:
            gradients[name] = ahead.sources[name] + gradients[name] if name in gradients else ahead.sources[name]
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
        return Moved(parameters, tuple(moments), gradients, {})


def _leaves(group: FlatGroup, parameters: NamedTensors) -> NamedTensors:
    return {name: parameters[name].detach().requires_grad_() for name in group.parameters}


def _flat_moments(moments: Mapping[str, tuple[Tensor, ...]]) -> NamedTensors:
    """One group's moments as those of one vector; numbers in float64, as in `Inputs.state`."""
    return {
        name: values[0].double() if name in NUMBERS else torch.cat([value.flatten() for value in values])
        for name, values in moments.items()
    }

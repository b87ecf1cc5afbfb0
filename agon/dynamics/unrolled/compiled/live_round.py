"""The live tensors of a round, and the check that they are still those that a compiled round was bound to."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from agon.dynamics.functional import NUMBERS, RATE
from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled.compiled.round_plan import RoundPlan
from agon.dynamics.unrolled.compiled.round_state import STEP, Ahead, RoundStart, with_rates
from agon.dynamics.unrolled.compiled.snapshot import Snapshot
from agon.dynamics.unrolled.compiled.step_context import NamedTensors, of_player
from agon.dynamics.unrolled.flat_groups import FlatGroup, flat_groups
from agon.games.game import Batch, Game

GroupMoments = dict[str, tuple[Tensor, ...]]  # name -> the live moment of each of a group's parameters


class LiveRound:
    """A game and its optimisers as the tensors that one round takes and changes.

    Args:
        game: its parameters and buffers.
        optimisers: one for each player; their moments.
        plan: who does what.

    Attributes:
        groups: the others' free parameters.
        own: the looking player's.
        parameters, buffers: all of the game's, by name.
        movers: those of `groups` whose players move.
        moments, movers_moments, own_moments: the live moments of each group.
        names: of each player's parameters, the frozen ones included.
    """

    def __init__(self, game: Game, optimisers: Optimisers, plan: RoundPlan) -> None:
        self.game, self.optimisers, self.plan = game, dict(optimisers), plan
        self.parameters = NamedTensors(game.named_parameters())
        self.buffers = NamedTensors(game.named_buffers())
        self.groups = tuple(group for other in plan.others for group in self._groups(other))
        self.own = tuple(self._groups(plan.player))
        self.movers = tuple(group for group in self.groups if group.player in plan.movers)
        self.moments = [self._moments(group) for group in self.groups]
        self.movers_moments = [self._moments(group) for group in self.movers]
        self.own_moments = [self._moments(group) for group in self.own]
        self.names = {player: list(of_player(game, player, self.parameters)) for player in (plan.player, *plan.others)}
        self._rates = [self._rate(group) for group in (*self.groups, *self.own)]
        self._before = Snapshot(game, optimisers, (plan.player, *plan.others))

    @property
    def has_moments(self) -> bool:
        """Whether every moving parameter has all moments; an optimiser's first step makes them."""
        return all(
            list(group.rule(vector, vector, group.moments).moments) == list(group.moments)
            for group in (*self.groups, *self.own)
            for vector in [group.flatten(group.parameters).detach()]
        )

    @property
    def key(self) -> tuple[Any, ...]:
        """What a program is compiled for, apart from the batches."""
        rules = tuple(
            (g.player, *g.parameters, *map(str, sorted(g.rule.keywords.items())), *g.moments)  # type: ignore[attr-defined]
            for g in (*self.groups, *self.own)
        )
        moments = [tensor for group in (*self.moments, *self.own_moments) for each in group.values() for tensor in each]
        tensors = [*self.parameters.values(), *self.buffers.values(), *moments]
        shapes = (*self.parameters, *self.buffers, *((t.shape, t.stride(), t.dtype, t.device) for t in tensors))
        return self.plan, rules, shapes, tuple(self._before.training), tuple(self._before.free)

    def holds(self, game: Game, optimisers: Optimisers) -> bool:
        """Whether these are the game and the optimisers, with the same tensors, flags and settings as before."""
        return self._before.holds(game, optimisers)

    def start(self, batches: Sequence[Batch]) -> RoundStart:
        """The live tensors, and the batches of a round."""
        rates, numbers = [named for *_, named in self._rates], [_numbers(group) for group in self.own_moments]
        of_others, of_own = rates[: len(self.groups)], rates[len(self.groups) :]
        moments = with_rates(self.moments, of_others)
        return RoundStart(tuple(batches), self.parameters, self.buffers, moments, with_rates(numbers, of_own))

    def ahead(self, sources: Mapping[str, Tensor], vectors: Sequence[Tensor] = ()) -> Ahead:
        """The look-ahead's derivatives in its sources and its own groups, and the looking player's own tensors."""
        moments = tuple({n: v for n, v in m.items() if n not in NUMBERS} for m in self.own_moments)
        statistics = of_player(self.game, self.plan.player, self.buffers)
        return Ahead(dict(sources), tuple(vectors), statistics, moments)

    @property
    def changing(self) -> list[list[Tensor]]:
        """All that a round changes, kind by kind: parameters, each of the moments, and the buffers of either side."""
        kinds = []
        for groups, of_groups in ((self.movers, self.movers_moments), (self.own, self.own_moments)):
            kinds.append([p for group in groups for p in group.parameters.values()])
            kinds += [list(moments) for of_group in of_groups for moments in of_group.values()]
        of_players = {player: of_player(self.game, player, self.buffers) for player in self.game.players}
        own = of_players[self.plan.player]
        others = [b for mover in self.plan.movers for b in of_players[mover].values()]
        kept = {name for buffers in of_players.values() for name in buffers}
        of_game = [b for n, b in self.buffers.items() if n not in kept] if self.game.has_after_update else []
        return [*kinds, [*others, *of_game], list(own.values())]

    def read_rates(self) -> None:
        """Set the scheduled rates, which are among the tensors of `start`, to what they are now."""
        for optimiser, index, named in self._rates:
            for rate in named.values():
                rate.fill_(optimiser.param_groups[index][RATE])

    def _groups(self, player: str) -> list[FlatGroup]:
        free = {n: p for n, p in of_player(self.game, player, self.parameters).items() if p.requires_grad}
        return list(flat_groups(player, free, self.optimisers[player]))

    def _moments(self, group: FlatGroup) -> GroupMoments:
        """A group's moments, and the numbers of steps, which torch counts for rules that do not need them too."""
        states = [self.optimisers[group.player].state.get(p, {}) for p in group.parameters.values()]
        names = [name for name in group.moments if name != RATE]
        counts = [STEP] if STEP not in names and all(STEP in state for state in states) else []
        return {name: tuple(state[name] for state in states) for name in [*names, *counts]}

    def _rate(self, group: FlatGroup) -> tuple[torch.optim.Optimizer, int, NamedTensors]:
        """A group's optimiser, which of its groups of settings it is, and a tensor for its rate if scheduled."""
        optimiser, first = self.optimisers[group.player], next(iter(group.parameters.values()))
        index = [any(p is first for p in settings["params"]) for settings in optimiser.param_groups].index(True)
        rate = torch.tensor(float(optimiser.param_groups[index][RATE]), dtype=torch.float64)
        return optimiser, index, {RATE: rate} if RATE in group.moments else {}


def _numbers(moments: GroupMoments) -> GroupMoments:
    return {name: values for name, values in moments.items() if name in NUMBERS}

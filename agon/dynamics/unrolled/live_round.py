"""The live tensors of a round, and the check that they are still those that a compiled round was bound to."""

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from agon.dynamics.functional import NUMBERS, RATE
from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled.flat_groups import FlatGroup, flat_groups
from agon.dynamics.unrolled.functional_module import Slots, slots_of
from agon.dynamics.unrolled.round import Ahead, RoundStart
from agon.dynamics.unrolled.round_plan import RoundPlan
from agon.dynamics.unrolled.step_context import NamedTensors, of_player
from agon.games.game import Batch, Game

STEP = "step"  # name of the number of steps in torch's state
GroupMoments = dict[str, tuple[Tensor, ...]]  # name -> the live moment of each of a group's parameters


class Snapshot(NamedTuple):
    """What a compiled round takes for granted, to be compared with what it is now.

    Attributes:
        slots: where the game holds its tensors.
        tensors: the tensor in each slot.
        layouts: the type, the strides and the address of each of them.
        free: whether each of them requires gradients.
        modules: the game's modules.
        training: their training flags.
        settings: the optimisers' settings.
        states: the optimiser's entry of each moving parameter, and the tensors in it.
    """

    slots: list[tuple[Any, str]]
    tensors: list[Tensor]
    layouts: list[tuple[torch.dtype, tuple[int, ...], int]]
    free: list[bool]
    modules: list[nn.Module]
    training: list[bool]
    settings: list[dict[str, Any]]
    states: list[tuple[torch.optim.Optimizer, Tensor, dict[str, Any]]]


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
        self._rates = [self._index(group) for group in (*self.groups, *self.own)]
        self._before = self._snapshot(slots_of(game))

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
        before = self._before
        return (
            game is self.game
            and all(optimisers.get(player) is optimiser for player, optimiser in self.optimisers.items())
            and all(map(is_, [holder.get(key) for holder, key in before.slots], before.tensors))
            and [(t.dtype, t.stride(), t.data_ptr()) for t in before.tensors] == before.layouts
            and [t.requires_grad for t in before.tensors] == before.free
            and [module.training for module in before.modules] == before.training
            and self._settings() == before.settings
            and not has_hooks(optimisers)
            and all(_is_same(optimiser.state.get(p), state) for optimiser, p, state in before.states)
        )

    def start(self, batches: Sequence[Batch]) -> RoundStart:
        """The live tensors, and the batches of a round."""
        rates = self.rates()
        of_others, of_own = rates[: len(self.groups)], rates[len(self.groups) :]
        moments = tuple(
            {**group, **{name: (rate,) for name, rate in named.items()}}
            for group, named in zip(self.moments, of_others, strict=True)
        )
        numbers = tuple(
            {**{name: values[0] for name, values in group.items() if name in NUMBERS}, **named}
            for group, named in zip(self.own_moments, of_own, strict=True)
        )
        return RoundStart(tuple(batches), self.parameters, self.buffers, moments, numbers)

    def ahead(self, sources: Mapping[str, Tensor], vectors: Sequence[Tensor] = ()) -> Ahead:
        """The look-ahead's derivatives in its sources and its own groups, and the looking player's moments."""
        moments = tuple({n: v for n, v in m.items() if n not in NUMBERS} for m in self.own_moments)
        return Ahead(dict(sources), tuple(vectors), moments)

    def rates(self) -> list[NamedTensors]:
        """The scheduled rate of each group, the others' first; empty for a group whose rate is constant."""
        return [
            {} if index is None else {RATE: torch.tensor(float(o.param_groups[index][RATE]), dtype=torch.float64)}
            for o, index in self._rates
        ]

    @property
    def is_scheduled(self) -> bool:
        """Whether any rate may be another one at each step."""
        return any(index is not None for _, index in self._rates)

    def steps(self, groups: Sequence[FlatGroup]) -> list[Tensor]:
        """The live numbers of steps of some groups' parameters."""
        states = [self.optimisers[g.player].state.get(p, {}) for g in groups for p in g.parameters.values()]
        return [state[STEP] for state in states if STEP in state]

    def _groups(self, player: str) -> list[FlatGroup]:
        free = {n: p for n, p in of_player(self.game, player, self.parameters).items() if p.requires_grad}
        return list(flat_groups(player, free, self.optimisers[player]))

    def _moments(self, group: FlatGroup) -> GroupMoments:
        states = [self.optimisers[group.player].state.get(p, {}) for p in group.parameters.values()]
        return {name: tuple(state[name] for state in states) for name in group.moments if name != RATE}

    def _index(self, group: FlatGroup) -> tuple[torch.optim.Optimizer, int | None]:
        """The optimiser of a group, and which of its groups of settings has the group's scheduled rate, if any."""
        optimiser, first = self.optimisers[group.player], next(iter(group.parameters.values()))
        found = [i for i, settings in enumerate(optimiser.param_groups) if any(p is first for p in settings["params"])]
        return optimiser, found[0] if RATE in group.moments else None

    def _settings(self) -> list[dict[str, Any]]:
        left_out = ("params", RATE)
        return [
            {n: v for n, v in group.items() if n not in (left_out if "initial_lr" in group else left_out[:1])}
            for optimiser in self.optimisers.values()
            for group in optimiser.param_groups
        ]

    def _snapshot(self, slots: Slots) -> Snapshot:
        places = [place for holders in slots.values() for place in holders]
        tensors = [holder[key] for holder, key in places]
        modules = list(self.game.modules())
        states = [
            (self.optimisers[g.player], p, dict(self.optimisers[g.player].state.get(p, {})))
            for g in (*self.groups, *self.own)
            for p in g.parameters.values()
        ]
        layouts = [(t.dtype, t.stride(), t.data_ptr()) for t in tensors]
        free, training = [t.requires_grad for t in tensors], [module.training for module in modules]
        return Snapshot(places, tensors, layouts, free, modules, training, self._settings(), states)


def has_hooks(optimisers: Optimisers) -> bool:
    """Whether anything is to be called at an optimiser's own step, which a compiled round does not make."""
    return any(o._optimizer_step_pre_hooks or o._optimizer_step_post_hooks for o in optimisers.values())


def _is_same(state: Mapping[str, Any] | None, before: Mapping[str, Any]) -> bool:
    """Whether a parameter's entry in its optimiser holds the same tensors as before."""
    return (state or {}).keys() == before.keys() and all(map(is_, (state or {}).values(), before.values()))

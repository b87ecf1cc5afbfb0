"""Compile rounds, check each against the eager round before it is used, and bind it to live tensors."""

import copy
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.functional import functional_of
from agon.dynamics.moves import Optimisers, freeze, preserve_buffers
from agon.dynamics.unrolled.compiled.live_round import LiveRound
from agon.dynamics.unrolled.compiled.program import LOOSER, MOST_PROGRAMS, distance, flat, recast
from agon.dynamics.unrolled.compiled.round import RoundFunctions
from agon.dynamics.unrolled.compiled.round_plan import RoundPlan
from agon.dynamics.unrolled.compiled.round_program import BoundRound, RoundProgram, shapes_of
from agon.dynamics.unrolled.compiled.snapshot import has_hooks
from agon.dynamics.unrolled.compiled.step_context import Inputs
from agon.dynamics.unrolled.dynamics import Unrolled, twice_differentiable
from agon.dynamics.unrolled.functional_module import eager_modules
from agon.errors import SettingError
from agon.games.game import Batch, Game


class NoProgramError(Exception):
    """Only the eager round is right: the program has failed its check, or an optimiser has not made its moments yet."""


class CompiledRounds:
    """The programs of one rule's rounds; the last one stays bound to its live tensors.

    Args:
        rule: the eager rule.
        programs: a round's key -> its program, or None if that has failed its check; shared with other programs.
    """

    def __init__(self, rule: Unrolled, programs: dict[Any, Any]) -> None:
        self._rule, self._programs = rule, programs
        self._bound: BoundRound | None = None
        self._possible = True

    @property
    def is_captured(self) -> bool:
        """Whether the last round's program is replayed."""
        return self._bound is not None and self._bound.is_captured

    def find(self, game: Game, optimisers: Optimisers, plan: RoundPlan, batches: Sequence[Batch]) -> BoundRound | None:
        """The program of a round on these batches; None if rounds of this game have none.

        Raises:
            NoProgramError: the program has failed its check, or an optimiser has made no step yet.
        """
        if self._bound is None or not self._bound.fits(game, optimisers, batches):
            live = LiveRound(game, optimisers, plan) if self._possible and can_move(optimisers) else None
            self._bound = None if live is None else self._bind(live, batches)
        return self._bound

    def _bind(self, live: LiveRound, batches: Sequence[Batch]) -> BoundRound | None:
        if not live.has_moments:
            if all(optimiser.state for optimiser in live.optimisers.values()):
                return None  # a parameter that no loss depends on
            raise NoProgramError
        made = self._program(live, batches)
        return None if made is None else BoundRound(made, live, self._rule.steps, batches)

    def _program(self, live: LiveRound, batches: Sequence[Batch]) -> RoundProgram | None:
        key = ("round", live.key, shapes_of(batches))
        if key not in self._programs:
            if len(self._programs) >= MOST_PROGRAMS:
                return None
            try:
                made = _compiled(live, batches)
            except Exception as error:  # if torch cannot trace or compile it, the look-ahead alone may be possible
                logging.getLogger(__name__).info("no program of a round: %r", error)
                made = None
            self._possible = made is not None
            if made is None:
                return None
            self._programs[key] = made if agrees(made, self._rule, live, batches) else None
        if self._programs[key] is None:
            raise NoProgramError
        found: RoundProgram = self._programs[key]
        return found


def can_move(optimisers: Optimisers) -> bool:
    """Whether all optimisers have functional versions, and no hooks."""
    try:
        for optimiser in optimisers.values():
            functional_of(optimiser)
    except SettingError:
        return False
    return not has_hooks(optimisers)


def _compiled(live: LiveRound, batches: Sequence[Batch]) -> RoundProgram | None:
    game, plan = live.game, live.plan
    turns = batches[: plan.turn_batches]
    if len({shapes_of([batch]) for batch in batches[plan.turn_batches - 1 :]}) > 1 or _moves_frozen(live):
        return None
    with ExitStack() as stack:
        for context in (freeze(game, {plan.player, *plan.others}), eager_modules(), twice_differentiable(game)):
            stack.enter_context(context)
        samples = None
        if not plan.regenerates:
            with preserve_buffers(game, ()), torch.no_grad():
                samples = game.generate_for(turns[-1])
        inputs = Inputs.of(game, live.optimisers, plan.player, plan.others, turns[-1], samples)
        free = tuple(name for group in live.own for name in group.parameters if plan.player not in plan.others)
        functions = RoundFunctions(game, plan, live.groups, live.own, ())
        direct = functions.direct_sources(inputs.state, inputs.context(free))
        if direct is None:
            return None
        direct = free if plan.generates_inside else direct
        functions = RoundFunctions(game, plan, live.groups, live.own, direct)
        return RoundProgram(functions, live, turns, samples, direct)


def _moves_frozen(live: LiveRound) -> bool:
    """Whether the game may change frozen parameters after a move, which no program does."""
    return live.game.has_after_update and any(
        not live.parameters[name].requires_grad for names in live.names.values() for name in names
    )


def agrees(made: RoundProgram, rule: Unrolled, live: LiveRound, batches: Sequence[Batch]) -> bool:
    """Whether a program makes the eager round's moves, and not those of a first-order look-alike.

    As in `program.agrees`, float64 is the reference: of the looking player's gradient, and of all that the round
    changes. The gradient must also be less than half as far from it as the first-order one.
    """
    found, alike = (_made(made, rule, live, batches, through=through) for through in (True, False))
    same, true = (_reference(rule, live, batches, list(made.gradients), cast) for cast in (Tensor.clone, Tensor.double))
    off = [distance(one, truth) for one, truth in zip(found, true, strict=True)]
    bounds = [LOOSER * distance(one, truth) + 1e-6 for one, truth in zip(same, true, strict=True)]
    unlike = distance(alike[0], true[0]) / 2
    return all(one <= bound for one, bound in zip(off, bounds, strict=True)) and off[0] <= max(unlike, 1e-9)


def _made(
    made: RoundProgram, rule: Unrolled, live: LiveRound, batches: Sequence[Batch], *, through: bool
) -> list[Tensor]:
    """After a round of a copy by the program: the looking player's gradient, and what the round changes."""
    copied = LiveRound(*copy.deepcopy((live.game, live.optimisers)), live.plan)
    result = BoundRound(made, copied, rule.steps, batches).result(batches, through=through)
    return [flat([result.gradients[i] for i in made.gradients.values()]), *map(flat, filter(None, copied.changing))]


def _reference(
    rule: Unrolled,
    live: LiveRound,
    batches: Sequence[Batch],
    names: Sequence[str],
    cast: Callable[[Tensor], Tensor],
) -> list[Tensor]:
    """The same after an eager round of a copy, with the gradient of the parameters of these names."""
    game, optimisers = copy.deepcopy((live.game, live.optimisers))
    recast(game, optimisers, cast)
    drawn = iter(pytree.tree_map_only(Tensor, lambda t: cast(t) if t.is_floating_point() else t, list(batches)))
    rule.step(game, optimisers, lambda: next(drawn))
    copied = LiveRound(game, optimisers, live.plan)
    return [flat([copied.parameters[name].grad for name in names]), *map(flat, filter(None, copied.changing))]

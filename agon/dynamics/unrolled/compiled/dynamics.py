"""Unrolled dynamics with a compiled inner step and vjp: the same step, several times faster.

Compiling a whole unroll can silently give the first-order gradient, and takes time that grows with K. Here
the functions of `vjp` are traced to plain operations, in which every derivative is written out, and
the traces are compiled. Each program is compared with the eager gradient before it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from jaxtyping import Float
from torch import Tensor

from agon.dynamics.moves import Gradients, Optimisers
from agon.dynamics.processes import processes
from agon.dynamics.unrolled.compiled.program import MOST_PROGRAMS, Program, compiled_program
from agon.dynamics.unrolled.compiled.round_plan import RoundPlan, rounds_of
from agon.dynamics.unrolled.compiled.round_program import RoundProgram
from agon.dynamics.unrolled.compiled.rounds import CompiledRounds, NoProgramError
from agon.dynamics.unrolled.compiled.step_context import Inputs, of_player
from agon.dynamics.unrolled.compiled.vjp import StepResult
from agon.dynamics.unrolled.dynamics import Unrolled, UnrolledTurn
from agon.dynamics.unrolled.flat_groups import unflatten
from agon.dynamics.unrolled.unroll import NamedGradients
from agon.games.game import Batch, Game, Losses, named_buffers_of


@dataclass(frozen=True)
class CompiledUnrolled(Unrolled):
    """`Unrolled` by compiled programs where possible, and by the eager step elsewhere.

    A schedule is cut after each turn in which a player looks ahead, and each part is one program with one check of what
    it is bound to: inner steps on the turn's batch or on fresh ones, on the turn's samples or on samples made anew,
    extrapolated or not, with a projection or without.

    Two kinds of schedule cannot be cut so: several players look ahead in one turn, or one batch serves turns of which
    several look ahead. There only a look-ahead at the turn's own samples is a program. With several processes the
    step is eager: gradients are averaged over processes within each inner step and again within its vjp, and no program
    can wait for another process in its middle. An optimiser's very first step is eager too.

    Attributes:
        programs: `Inputs.key`, or that of a whole round -> its program; None if there is none that is exact.
    """

    programs: dict[Any, Program | RoundProgram | None] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def rounds(self) -> CompiledRounds:
        """The programs of whole rounds, if the schedule is one round."""
        return CompiledRounds(self.eager, self.programs)

    @cached_property
    def _plans(self) -> dict[tuple[str, ...], RoundPlan | None]:
        """A game's generating players -> the plan of the schedule, if it is one round."""
        return {}

    @cached_property
    def by_round(self) -> "list[CompiledUnrolled]":
        """The rule for each of the rounds that make up the schedule, with the same programs."""
        turns = list(rounds_of(self))
        return [replace(self, turns=each) for each in turns] if len(turns) > 1 else [self]

    @classmethod
    def of(cls, rule: Unrolled) -> "CompiledUnrolled":
        """The same rule, compiled."""
        return cls(rule.turns, rule.looks_ahead, rule.steps, rule.batches, rule.checkpoint, rule.extrapolation)

    @property
    def eager(self) -> Unrolled:
        """The same rule, not compiled."""
        return Unrolled(self.turns, self.looks_ahead, self.steps, self.batches, self.checkpoint, self.extrapolation)

    @property
    def working(self) -> bool:
        """Whether any program has passed its check."""
        return any(program is not None for program in self.programs.values())

    @property
    def makes_whole_rounds(self) -> bool:
        """Whether all programs that there are make whole rounds."""
        return self.working and all(isinstance(made, RoundProgram | None) for made in self.programs.values())

    def step(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        if not self.steps or processes() > 1:
            return super().step(game, optimisers, draw)
        losses = Losses({}, {})
        for part in self.by_round:
            of_part = part._round(game, optimisers, draw)
            losses.players.update(of_part.players)
            losses.seen.update(of_part.seen)
        return losses

    def _round(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch]) -> Losses:
        """The schedule as one round: by its program if it has one."""
        kind = tuple(game.generating_players)
        if kind not in self._plans:
            self._plans[kind] = RoundPlan.of(self, game)
        plan = self._plans[kind]
        if plan is None:
            return super().step(game, optimisers, draw)
        batches = [draw() for _ in range(plan.batches)]
        try:
            compiled = self.rounds.find(game, optimisers, plan, batches)
        except NoProgramError:
            return self.eager.step(game, optimisers, iter(batches).__next__)
        return super().step(game, optimisers, iter(batches).__next__) if compiled is None else compiled.step(batches)

    def turn(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch) -> UnrolledTurn:
        return CompiledTurn(self, game, optimisers, draw, batch)

    def supports(self, game: Game) -> bool:
        """Whether there are programs of the look-ahead alone for these settings and this game."""
        supported = self.batches == "same" and self.extrapolation == 1 and processes() == 1
        return supported and not game.has_after_update


class CompiledTurn(UnrolledTurn):
    """One turn, by a compiled program if there is one."""

    rule: CompiledUnrolled

    def __init__(
        self, rule: CompiledUnrolled, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch
    ) -> None:
        super().__init__(rule, game, optimisers, draw, batch)
        self.inputs: dict[str, Inputs] = {}  # the player that looks ahead -> its inputs
        self.begun: dict[str, StepResult] = {}  # the same player -> the first inner step, shared with the others' move

    def shares_first_step(self, player: str, plain: Sequence[str]) -> bool:
        return False  # the eager step shares it with its history, which a program does not have

    def own_gradients(
        self, movers: Sequence[str], fake: Float[Tensor, "n ..."] | None, *, again: bool, history: bool
    ) -> tuple[Losses, Gradients]:
        """As in `UnrolledTurn`, by a program's inner step if a player looks ahead at exactly these movers."""
        for player in (p for p, others in self.rule.looks_ahead.items() if set(others) == set(movers)):
            if self._can_be_compiled(player) and fake is not None:
                inputs = self._inputs(player, fake)
                program = self.rule.programs.get(inputs.key)
                if isinstance(program, Program):
                    self.begun[player] = program.step(inputs.state, inputs.context(program.direct))
                    return self._others_gradients(self.begun[player], inputs)
        return super().own_gradients(movers, fake, again=again, history=history)

    def surrogate_gradient(
        self, player: str, fake: Float[Tensor, "n ..."] | None, first: NamedGradients | None, last: bool
    ) -> tuple[Losses, list[Float[Tensor, "..."] | None]]:
        inputs = self._inputs(player, fake) if self._can_be_compiled(player) else None
        program = None if inputs is None else self._program(inputs)
        if inputs is None or program is None:
            return super().surrogate_gradient(player, fake, first, last)
        context, begun = inputs.context(program.direct), self.begun.get(player)
        result = program.surrogate(inputs.state, context, self.rule.steps, begun)
        self._load_buffers(player, result.statistics)
        gradients = inputs.gradients(result.cotangents.sources, again=not last)
        return Losses({player: result.loss}, result.seen), gradients

    def _can_be_compiled(self, player: str) -> bool:
        return self.rule.supports(self.game) and not self.regenerates_samples(player)

    def _inputs(self, player: str, fake: Float[Tensor, "n ..."] | None) -> Inputs:
        if player not in self.inputs:  # shared with the others' own step in this turn
            others = self.rule.looks_ahead[player]
            self.inputs[player] = Inputs.of(self.game, self.optimisers, player, others, self.batch, fake, self.buffers)
        return self.inputs[player]

    def _program(self, inputs: Inputs) -> Program | None:
        programs, key = self.rule.programs, inputs.key
        if key not in programs:
            eager = UnrolledTurn(self.rule, self.game, self.optimisers, self.draw, self.batch)
            programs[key] = compiled_program(eager, inputs) if len(programs) < MOST_PROGRAMS else None
        found = programs[key]
        return found if isinstance(found, Program) else None

    def _others_gradients(self, step: StepResult, inputs: Inputs) -> tuple[Losses, Gradients]:
        """The others' own losses and gradients in this turn, from an inner step."""
        by_name = unflatten(inputs.groups, step.gradients)
        gradients: Gradients = {}
        for other in inputs.others:
            self._load_buffers(other, step.state.buffers)
            gradients[other] = [by_name.get(name) for name in of_player(self.game, other, inputs.parameters)]
        return Losses(step.losses, step.seen), gradients

    def _load_buffers(self, player: str, values: Mapping[str, Tensor]) -> None:
        """Set a player's statistics, hidden from autograd: the samples' history may hold their values."""
        for name, buffer in named_buffers_of(self.game, player).items() if values else ():
            buffer.data.copy_(values[name])

"""Unrolled dynamics whose inner step and its reverse are compiled: the same step, several times faster.

Compiling a whole unroll can silently give the first-order gradient, and takes time that grows with K. Here
the functions of `stepwise` are traced to plain operations, in which every derivative is written out, and
these are compiled. Each program is compared with the eager gradient before it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from agon.dynamics.foresight import Foresight
from agon.dynamics.lookahead import Gradients as Named
from agon.dynamics.moves import Gradients, Optimisers
from agon.dynamics.processes import processes
from agon.dynamics.program import Program, compiled_program
from agon.dynamics.staged import Staged, of_player
from agon.dynamics.stepwise import Stepped
from agon.dynamics.unrolled import Unrolled
from agon.games.game import Batch, Game, Losses, named_buffers_of

PROGRAMS = 8  # at most: settings that change from step to step are not compiled for again and again


@dataclass(frozen=True)
class CompiledUnrolled(Unrolled):
    """`Unrolled` by compiled programs where there can be any, and by the eager step elsewhere.

    There is none for samples that are made anew, fresh batches, extrapolation, games with a projection,
    several processes, and an optimiser's very first step.

    Attributes:
        programs: by what each is compiled for; None where one was refused.
    """

    programs: dict[Any, Program | None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, rule: Unrolled) -> "CompiledUnrolled":
        """The same rule, compiled."""
        return cls(rule.turns, rule.looks_ahead, rule.steps, rule.batches, rule.checkpoint, rule.extrapolation)

    @property
    def working(self) -> bool:
        """Whether some program has passed its check."""
        return any(program is not None for program in self.programs.values())

    def foresight(self, game: Game, optimisers: Optimisers, draw: Callable[[], Batch], batch: Batch) -> Foresight:
        return CompiledForesight(self, game, optimisers, draw, batch)


class CompiledForesight(Foresight):
    """One turn, by a program where there is one."""

    rule: CompiledUnrolled

    def __init__(
        self,
        rule: CompiledUnrolled,
        game: Game,
        optimisers: Optimisers,
        draw: Callable[[], Batch],
        batch: Batch,
    ) -> None:
        super().__init__(rule, game, optimisers, draw, batch)
        self.known: dict[str, Staged] = {}
        self.begun: dict[str, Stepped] = {}  # the first inner steps, where the others move in the same turn

    def shares(self, player: str, plain: Sequence[str]) -> bool:
        return False  # with its history, as the eager step needs it

    def plain(
        self, movers: Sequence[str], fake: Tensor | None, *, again: bool, history: bool
    ) -> tuple[Losses, Gradients]:
        """The movers' own gradients; by a program's inner step where somebody looks ahead at just these."""
        for player in (p for p, others in self.rule.looks_ahead.items() if set(others) == set(movers)):
            if self._possible(player) and fake is not None:
                staged = self._staged(player, fake)
                program = self.rule.programs.get(staged.key)
                if program is not None:
                    self.begun[player] = program.step(staged.state, staged.scene(program.direct))
                    return self._taken(self.begun[player], staged)
        return super().plain(movers, fake, again=again, history=history)

    def surrogate(
        self, player: str, fake: Tensor | None, first: Named | None, last: bool
    ) -> tuple[Losses, list[Tensor | None]]:
        if not self._possible(player):
            return super().surrogate(player, fake, first, last)
        staged = self._staged(player, fake)
        program = self._program(staged)
        if program is None:
            return super().surrogate(player, fake, first, last)
        scene, begun = staged.scene(program.direct), self.begun.get(player)
        outcome = program.unrolled(staged.state, scene, self.rule.steps, begun)
        self._put(player, outcome.statistics)
        return Losses({player: outcome.loss}, outcome.seen), staged.gradients(outcome.slopes.sources, again=not last)

    def _possible(self, player: str) -> bool:
        plain = self.rule.batches == "same" and self.rule.extrapolation == 1 and processes() == 1
        return plain and not self.remade(player) and not self.game.settles

    def _staged(self, player: str, fake: Tensor | None) -> Staged:
        if player not in self.known:  # the same for the others' own step in this turn
            others = self.rule.looks_ahead[player]
            self.known[player] = Staged.of(self.game, self.optimisers, player, others, self.batch, fake, self.before)
        return self.known[player]

    def _program(self, staged: Staged) -> Program | None:
        programs, key = self.rule.programs, staged.key
        if key not in programs:
            eager = Foresight(self.rule, self.game, self.optimisers, self.draw, self.batch)
            programs[key] = compiled_program(eager, staged) if len(programs) < PROGRAMS else None
        return programs[key]

    def _taken(self, stepped: Stepped, staged: Staged) -> tuple[Losses, Gradients]:
        """The others' own losses and gradients in this turn, out of an inner step."""
        found: dict[str, Tensor] = {}
        for block, gradient in zip(staged.blocks, stepped.gradients, strict=True):
            found |= block.cut(gradient)
        gradients = {}
        for other in staged.others:
            self._put(other, stepped.state.buffers)
            gradients[other] = [found.get(name) for name in of_player(self.game, other, staged.named)]
        return Losses(stepped.losses, stepped.seen), gradients

    def _put(self, player: str, values: Mapping[str, Tensor]) -> None:
        """A player's statistics after its move; unseen by autograd: the samples' history may hold their values."""
        for name, buffer in named_buffers_of(self.game, player).items() if values else ():
            buffer.data.copy_(values[name])

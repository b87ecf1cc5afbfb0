"""A compiled round: few programs, bound to live tensors, that make all moves of a round in place."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled.compiled import program
from agon.dynamics.unrolled.compiled.capture import Replayed
from agon.dynamics.unrolled.compiled.live_round import LiveRound
from agon.dynamics.unrolled.compiled.round import RoundFunctions
from agon.dynamics.unrolled.compiled.round_state import Begun
from agon.dynamics.unrolled.compiled.split_program import SplitProgram
from agon.dynamics.unrolled.compiled.step_context import SAMPLES
from agon.dynamics.unrolled.compiled.tracing import tensors_of
from agon.dynamics.unrolled.compiled.vjp import SurrogateResult
from agon.dynamics.unrolled.dynamics import AHEAD
from agon.games.game import Batch, Game, Losses


class RoundResult(NamedTuple):
    """The tensors of a `Begun`, of a `SurrogateResult`, and the looking player's gradients."""

    begun: list[Tensor]
    surrogate: list[Tensor]
    gradients: list[Tensor]


class RoundProgram:
    """The compiled functions of a round.

    Args:
        functions: the functions to compile.
        live: an example of the live tensors.
        batches: an example of the turns' batches.
        samples: an example of generated samples "n *shape"; None if each pass of the look-ahead generates its own.
        direct: the looking player's parameters on which losses depend other than through samples.

    Attributes:
        around: the round up to the look-ahead or to its first step, and the looking player's move.
        unroll: the look-ahead.
        begun: the structure of `Begun`, with positions for tensors.
        gradients: the positions of the looking player's gradients, by name.
        surrogate: that of `SurrogateResult`.
        attached: where f_K's derivatives in the looking player's own groups are.
    """

    def __init__(
        self,
        functions: RoundFunctions,
        live: LiveRound,
        batches: Sequence[Batch],
        samples: Float[Tensor, "n ..."] | None,
        direct: tuple[str, ...],
    ) -> None:
        self.direct = direct
        sources = {**({} if samples is None else {SAMPLES: samples}), **{n: live.parameters[n] for n in direct}}
        vectors = functions.attached([group.flatten(live.parameters) for group in live.groups])
        start = live.start(batches)
        self.around = SplitProgram(functions.around, start, live.ahead(sources, vectors))
        returned = self.around.returned
        begun: Begun = pytree.tree_unflatten(self.around.example, returned[0])
        context = functions.context(start, batches[-1], begun.samples.get(SAMPLES), begun.state.buffers)
        stores = live.plan.generates_inside and not live.plan.checkpointed
        self.unroll = program.Program(functions, begun.state, context, direct, stores=stores)
        self.begun: Begun = _positions(returned[0])
        self.gradients: dict[str, int] = _positions(returned[1])
        self.surrogate: SurrogateResult = _positions(self.unroll.returned)
        self.attached = functions.attached(self.surrogate.cotangents.parameters)


class BoundRound:
    """A round's program with live tensors: one call makes the whole round.

    Args:
        compiled: the program.
        live: the tensors that it reads and changes.
        steps: K.
        batches: an example of the batches.
    """

    def __init__(self, compiled: RoundProgram, live: LiveRound, steps: int, batches: Sequence[Batch]) -> None:
        self.live, self._program, self._steps, self._shapes = live, compiled, steps, shapes_of(batches)
        begun, surrogate = compiled.begun, compiled.surrogate
        moving = {*(name for group in live.groups for name in group.parameters), *compiled.direct}
        self._turns, self._sizes = live.plan.turn_batches, [len(tensors_of_batch(batch)) for batch in batches]
        self._fixed, self._moments = tensors_of(live.start(())), tensors_of(live.ahead({}).moments)
        self._parameters = tensors_of(
            [[live.parameters[n] for n in compiled.direct], [p for n, p in live.parameters.items() if n not in moving]]
        )
        self._state, self._first = _span(begun.state), _span(begun.first)
        ahead = surrogate.cotangents.sources, compiled.attached, surrogate.statistics
        self._ahead = [index for part in ahead for index in _leaves(part)]
        self._passed_on = [*begun.samples.values()], [*begun.statistics.values()]
        self._made = Replayed(self._make, [*self._fixed, *self._moments, *self._parameters])

    @property
    def is_captured(self) -> bool:
        """Whether rounds are replays of what the programs call."""
        return self._made.is_captured

    def fits(self, game: Game, optimisers: Optimisers, batches: Sequence[Batch]) -> bool:
        """Whether the program is that of a round of this game on these batches."""
        return self.live.holds(game, optimisers) and shapes_of(batches) == self._shapes

    @torch.no_grad()
    def step(self, batches: Sequence[Batch]) -> Losses:
        """Make the round's moves; return its losses and the scalars for the log."""
        self.live.read_rates()
        result = self._made(tensors_of_batches(batches))
        self._set_gradients(result)
        begun, surrogate = self._program.begun, self._program.surrogate
        losses = {name: result.begun[i].clone() for name, i in begun.losses.items()}  # the next round overwrites these
        seen = {name: result.begun[i].clone() for name, i in begun.seen.items()}
        seen |= {AHEAD + name: result.surrogate[i].clone() for name, i in surrogate.seen.items()}
        return Losses({**losses, self.live.plan.player: result.surrogate[surrogate.loss].clone()}, seen)

    @torch.no_grad()
    def result(self, batches: Sequence[Batch], *, through: bool = True) -> RoundResult:
        """Change the live tensors, and give those of the round; without `through`, along the first-order gradient."""
        self.live.read_rates()
        return self._make(tensors_of_batches(batches), through=through)

    def _make(self, drawn: list[Tensor], *, through: bool = True) -> RoundResult:
        """As `result`, of the tensors of all batches, one after another."""
        tensors = iter(drawn)
        batches = [[next(tensors) for _ in range(size)] for size in self._sizes]
        turns, fresh = batches[: self._turns], batches[self._turns :]
        given = [*chain.from_iterable(turns), *self._fixed]
        begun = self._program.around.early(given)
        samples, statistics = ([begun[i] for i in part] for part in self._passed_on)
        rest = [*samples, *self._parameters, *statistics]
        context = [*turns[-1], *rest]
        inner = [[*batch, *rest] for batch in fresh] or [context] * self._steps
        first = begun[self._first] or None
        surrogate = self._program.unroll.flat_surrogate(begun[self._state], inner, context, first, through=through)
        needed, ahead = self._program.around.needed(given, begun), [surrogate[i] for i in self._ahead]
        return RoundResult(begun, surrogate, self._program.around.late(needed, [*ahead, *self._moments]))

    def _set_gradients(self, result: RoundResult) -> None:
        player, own, others = self.live.plan.player, self._program.gradients, self._program.begun.gradients
        for name in self.live.names[player]:
            self.live.parameters[name].grad = result.gradients[own[name]] if name in own else None
        for name in (name for mover in self.live.plan.movers for name in self.live.names[mover] if others):
            self.live.parameters[name].grad = result.begun[others[name]] if name in others else None


def shapes_of(batches: Sequence[Batch]) -> tuple[Any, ...]:
    """What a program is compiled for of its batches: which tensors there are, their shapes and types."""
    present = tuple((*batch.noise, batch.label is not None) for batch in batches)
    return present, *((t.shape, t.stride(), t.dtype, t.device) for t in tensors_of_batches(batches))


def tensors_of_batches(batches: Sequence[Batch]) -> list[Tensor]:
    """The tensors of several batches, one after another."""
    return [tensor for batch in batches for tensor in tensors_of_batch(batch)]


def tensors_of_batch(batch: Batch) -> list[Tensor]:
    """As `tensors_of`, which takes ten times as long."""
    labels = [] if batch.label is None else [batch.label]
    return [batch.real, batch.latent, *batch.noise.values(), *labels]


def _positions(structure: Any) -> Any:
    """A structure with the position of each tensor in its place."""
    return pytree.tree_unflatten(list(range(structure.num_leaves)), structure)


def _leaves(positions: Any) -> list[int]:
    leaves: list[int] = pytree.tree_leaves(positions)
    return leaves


def _span(positions: Any) -> slice:
    """Where the tensors of a part lie, one after another."""
    leaves = _leaves(positions)
    return slice(leaves[0], leaves[-1] + 1) if leaves else slice(0)

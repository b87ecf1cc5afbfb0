"""A compiled round: few programs, bound to live tensors, that make all moves of a round in place."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree

from agon.dynamics.moves import Optimisers
from agon.dynamics.unrolled import program
from agon.dynamics.unrolled.dynamics import AHEAD
from agon.dynamics.unrolled.live_round import LiveRound
from agon.dynamics.unrolled.partition import partition
from agon.dynamics.unrolled.round import Begun, Moved, RoundFunctions
from agon.dynamics.unrolled.step_context import SAMPLES
from agon.dynamics.unrolled.tracing import tensors_of
from agon.games.game import Batch, Game, Losses


class RoundResult(NamedTuple):
    """The tensors of a `Begun`, of a `SurrogateResult`, and of the looking player's `Moved`."""

    begun: list[Tensor]
    surrogate: list[Tensor]
    own: list[Tensor]


class RoundProgram:
    """The compiled functions of a round.

    Args:
        functions: the functions to compile.
        live: an example of the live tensors.
        batches: an example of the batches.
        samples: an example of generated samples "n *shape".
        direct: the looking player's parameters on which losses depend other than through samples.

    Attributes:
        before: the round up to the first inner step.
        unroll: the look-ahead.
        after: the looking player's move.
        again: which tensors of the round's start `after` takes, by position.
        begun, own: the structures of `Begun` and of the looking player's `Moved`, with positions for tensors.
        surrogate: that of `SurrogateResult`.
    """

    def __init__(
        self,
        functions: RoundFunctions,
        live: LiveRound,
        batches: Sequence[Batch],
        samples: Float[Tensor, "n ..."],
        direct: tuple[str, ...],
    ) -> None:
        self.direct = direct
        start, ahead = live.start(batches), live.ahead({SAMPLES: samples, **{n: live.parameters[n] for n in direct}})
        parts = partition(functions.around, start, ahead)
        given = tensors_of(start)
        with torch.no_grad():
            early = list(parts.early(*given))
        begun: Begun = pytree.tree_unflatten(early[: parts.returned[0].num_leaves], parts.returned[0])
        context = functions.context(start, batches[-1], begun.samples, begun.state.buffers, direct)
        self.again = parts.again
        self.before = program.compiled(parts.early, *given)
        kept = early[parts.returned[0].num_leaves :]
        self.after = program.compiled(parts.late, *[given[i] for i in self.again], *kept, *tensors_of(ahead))
        self.unroll = program.Program(functions, begun.state, context, direct)
        self.begun: Begun = _positions(parts.returned[0])
        self.own: Moved = _positions(parts.returned[1])
        self.surrogate = _positions(self.unroll.returned)


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
        begun, own, surrogate = compiled.begun, compiled.own, compiled.surrogate
        moving = {*(name for group in live.groups for name in group.parameters), *compiled.direct}
        self._fixed, self._moments = tensors_of(live.start(())), tensors_of(live.ahead({}))
        self._parameters = tensors_of(
            [[live.parameters[n] for n in compiled.direct], [p for n, p in live.parameters.items() if n not in moving]]
        )
        self._state, self._first = _span(begun.state), _span(begun.first)
        self._sources, self._kept = _span(surrogate.cotangents.sources), len(_leaves(begun))
        self._statistics = list(begun.statistics.values())
        self._others = _leaves((begun.others.parameters, begun.others.moments, begun.others.buffers))
        self._own, self._buffers = _leaves((own.parameters, own.moments)), list(surrogate.statistics.values())
        self._targets = list(chain.from_iterable(self.targets(live)))
        turns = live.plan.own_turns + live.plan.together
        self._counts = [pair for pair in ((live.steps(live.groups), turns), (live.steps(live.own), 1)) if all(pair)]

    def fits(self, game: Game, optimisers: Optimisers, batches: Sequence[Batch]) -> bool:
        """Whether the program is that of a round of this game on these batches."""
        return self.live.holds(game, optimisers) and shapes_of(batches) == self._shapes

    def step(self, batches: Sequence[Batch]) -> Losses:
        """Make the round's moves; return its losses and the scalars for the log."""
        result = self.result(batches)
        with torch.no_grad():
            torch._foreach_copy_(self._targets, self.values(result))
            for steps, by in self._counts:
                torch._foreach_add_(steps, by)
        self._set_gradients(result)
        begun, surrogate = self._program.begun, self._program.surrogate
        losses = {name: result.begun[i] for name, i in begun.losses.items()}
        seen = {name: result.begun[i] for name, i in begun.seen.items()}
        seen |= {AHEAD + name: result.surrogate[i] for name, i in surrogate.seen.items()}
        return Losses({**losses, self.live.plan.player: result.surrogate[surrogate.loss]}, seen)

    @torch.no_grad()
    def result(self, batches: Sequence[Batch], *, through: bool = True) -> RoundResult:
        """The tensors of the round, which changes nothing; without `through`, along the first-order gradient."""
        fixed = tensors_of(self.live.start(())) if self.live.is_scheduled else self._fixed
        given = [*tensors_of(batches), *fixed]
        begun = self._program.before(given)
        samples, statistics = begun[self._program.begun.samples], [begun[i] for i in self._statistics]
        context = [*tensors_of(batches[-1]), samples, *self._parameters, *statistics]
        surrogate = self._program.unroll.flat_surrogate(
            begun[self._state], context, self._steps, begun[self._first], through=through
        )
        again, kept = [given[i] for i in self._program.again], begun[self._kept :]
        own = self._program.after([*again, *kept, *surrogate[self._sources], *self._moments])
        return RoundResult(begun, surrogate, own)

    def values(self, result: RoundResult) -> list[Tensor]:
        """The values of all that the round changes, in the order of `targets`."""
        return [
            *(result.begun[i] for i in self._others),
            *(result.own[i] for i in self._own),
            *(result.surrogate[i] for i in self._buffers),
        ]

    def targets(self, live: LiveRound) -> list[list[Tensor]]:
        """All that the round changes but the numbers of steps: parameters, moments and buffers, kind by kind."""
        begun, own = self._program.begun, self._program.own
        kinds = []
        for moved, moments in ((begun.others, live.moments), (own, live.own_moments)):
            kinds.append([live.parameters[name] for name in moved.parameters])
            kinds += [list(kept[name]) for kept, after in zip(moments, moved.moments, strict=False) for name in after]
            kinds.append([live.buffers[name] for name in moved.buffers])
        return [*kinds, [live.buffers[name] for name in self._program.surrogate.statistics]]

    @property
    def gradients(self) -> dict[str, int]:
        """The looking player's parameters that have a gradient, and its position among its results."""
        return self._program.own.gradients  # type: ignore[return-value]

    def _set_gradients(self, result: RoundResult) -> None:
        player, others = self.live.plan.player, self._program.begun.others.gradients
        for name in self.live.names[player]:
            index = self.gradients.get(name)
            self.live.parameters[name].grad = None if index is None else result.own[index]
        for name in (name for other in self.live.plan.others for name in self.live.names[other] if others):
            self.live.parameters[name].grad = result.begun[others[name]] if name in others else None


def shapes_of(batches: Sequence[Batch]) -> tuple[Any, ...]:
    """What a program is compiled for of its batches: which tensors there are, their shapes and types."""
    present = tuple((*batch.noise, batch.label is not None) for batch in batches)
    return present, *((t.shape, t.stride(), t.dtype, t.device) for t in tensors_of(batches))


def _positions(structure: Any) -> Any:
    """A structure with the position of each tensor in its place."""
    return pytree.tree_unflatten(list(range(structure.num_leaves)), structure)


def _leaves(positions: Any) -> list[int]:
    leaves: list[int] = pytree.tree_leaves(positions)
    return leaves


def _span(positions: Any) -> slice:
    """Where the tensors of a part lie, one after another."""
    leaves = _leaves(positions)
    return slice(leaves[0], leaves[-1] + 1)

"""What a round begins with, what it gives, and which tensors it changes."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from agon.dynamics.functional import RATE
from agon.dynamics.unrolled.compiled.step_context import NamedTensors
from agon.dynamics.unrolled.compiled.vjp import StepResult
from agon.dynamics.unrolled.inner_step import InnerState
from agon.games.game import Batch

STEP = "step"  # name of the number of steps in torch's state
GroupMoments = tuple[dict[str, tuple[Tensor, ...]], ...]  # for each group: name -> a moment of each parameter
Change = tuple[Tensor, Tensor]  # a live tensor and its new value


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
    numbers: GroupMoments


class Ahead(NamedTuple):
    """What the look-ahead has given.

    Attributes:
        sources: f_K's derivatives in the sources.
        vectors: those in the looking player's own groups "p" at θ^0, if it anticipates its own steps.
        statistics: the looking player's buffers after its last pass.
        moments: the looking player's, which change after it only.
    """

    sources: NamedTensors
    vectors: tuple[Tensor, ...]
    statistics: NamedTensors
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
        gradients: along which the others that move do so.
        losses: of the movers, before their last move.
        seen: scalars for the log.
    """

    state: InnerState
    first: tuple[StepResult, ...]
    samples: NamedTensors
    statistics: NamedTensors
    gradients: NamedTensors
    losses: NamedTensors
    seen: NamedTensors


def changes(start: RoundStart, live: GroupMoments, moved: Moved) -> Iterator[Change]:
    """What a move changes of parameters, of their live moments and of buffers."""
    for name, parameter in moved.parameters.items():
        yield start.parameters[name], parameter
    for before, after in zip(live, moved.moments, strict=True):
        for name, moments in after.items():
            yield from zip(before[name], moments, strict=True)
    for name, buffer in moved.buffers.items():
        yield start.buffers[name], buffer


def counted(numbers: GroupMoments, by: int) -> Iterator[Change]:
    """The numbers of steps of groups after so many more."""
    for step in (step for group in numbers for step in group.get(STEP, ()) if by):
        yield step, step + by


def first_of(numbers: dict[str, tuple[Tensor, ...]]) -> NamedTensors:
    """A group's numbers, which are the same for all of its parameters, as an update rule takes them."""
    return {name: values[0].double() for name, values in numbers.items()}


def with_rates(groups: Sequence[dict[str, tuple[Tensor, ...]]], rates: Sequence[NamedTensors]) -> GroupMoments:
    """The groups' moments or numbers, each with its scheduled rate if it has one."""
    pairs = zip(groups, rates, strict=True)
    return tuple({**group, **({RATE: (named[RATE],)} if named else {})} for group, named in pairs)

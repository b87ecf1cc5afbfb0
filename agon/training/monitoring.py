"""A monitor looks at what a training records while it goes on. `agon.diagnosis.Alarms` makes one."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from agon.runs import Run
from agon.training.training import Training


class Look(NamedTuple):
    """What a look at a training says.

    Attributes:
        lines: what to tell, a line each; nothing of a healthy training.
        stop: why the training has to stop; "" if it goes on.
    """

    lines: Sequence[str] = ()
    stop: str = ""


class Monitor(Protocol):
    """Looks at one training, in its main process. It must not change the training."""

    def look(self, last: bool) -> Look:
        """Look after a step that wrote a record or samples; `last` is whether the training ends with it."""

    def spared(self, steps: Collection[int]) -> Collection[int]:
        """The steps, among these, whose checkpoints stay although newer ones are written."""


Monitoring = Callable[[Training, Run], Monitor]  # makes the monitor of a training and its run

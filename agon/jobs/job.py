"""A job: a piece of work that another process can do, and how it ends."""

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from agon.errors import AgonError, refused
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory


@dataclass(frozen=True)
class Job:
    """A function with its arguments, which some process calls once.

    Attributes:
        name: by which it is told apart.
        work: is called with what makes its progress display. It must be picklable: a module's function, of which
            a pickle holds the import path, or a `functools.partial` of one.
        imports: the user's classes that its arguments need, as "module:name".
    """

    name: str
    work: Callable[[ProgressFactory], object]
    imports: tuple[str, ...] = ()


class Ended(NamedTuple):
    """How a job has ended.

    Attributes:
        status: 0 if it is done; else the exit status of its error.
        sentence: why it failed or was interrupted; empty if it is done.
    """

    status: int
    sentence: str


@dataclass
class Outcome:
    """What became of the jobs; a job that is not in `ended` was not begun, or was stopped.

    Attributes:
        ended: job name -> how it ended.
        signal: the number of the signal that stopped all, or 0.
    """

    ended: dict[str, Ended]
    signal: int


@runtime_checkable
class Executor(Protocol):
    """Does jobs; made before anything is written, so that it can refuse."""

    def run(self, progress: MultiProgress) -> Outcome:
        """Do them all, and show how far each is."""


def failure(error: Exception, say: Callable[[str], object]) -> Ended:
    """How a job ends that raised an error: a sentence.

    Args:
        error: what it raised.
        say: takes the traceback of a fault of agon's, under AGON_DEBUG.
    """
    known = error if isinstance(error, AgonError) else refused(error)
    if known is not None:
        return Ended(known.status, known.typed)
    if "AGON_DEBUG" in os.environ:
        say(traceback.format_exc())
    return Ended(1, f"{error!r}; AGON_DEBUG=1 shows where it was raised")

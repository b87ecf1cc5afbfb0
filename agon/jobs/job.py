"""A job: a piece of work that another process can do, and its result."""

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from agon.errors import AgonError, as_agon_error
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory


@dataclass(frozen=True)
class Job:
    """A function with its arguments, to be called once in some process.

    Attributes:
        name: a unique name.
        work: the function, called with a factory of its progress display. It must be picklable: a module's
            function, or a `functools.partial` of one.
        imports: the user's classes that the arguments need, as "module:name".
    """

    name: str
    work: Callable[[ProgressFactory], object]
    imports: tuple[str, ...] = ()


class Ended(NamedTuple):
    """How a job ended.

    Attributes:
        status: 0 if it succeeded; else the exit status of its error.
        sentence: why it failed or was interrupted; empty if it succeeded.
    """

    status: int
    sentence: str


@dataclass
class Outcome:
    """The results of several jobs; a job that is not in `ended` was not begun, or was stopped.

    Attributes:
        ended: job name -> how it ended.
        signal: the number of the signal that stopped the jobs, or 0.
    """

    ended: dict[str, Ended]
    signal: int


def note(ended: dict[str, Ended], name: str, result: Ended, progress: MultiProgress, *, stopped: bool) -> None:
    """Note how a job ended, and show it; after a signal, which `stopped` says, an error is not a failure."""
    if result.status and stopped:
        progress.drop(name)
        return
    ended[name] = result
    if result.status:
        progress.fail(name, result.sentence)
    else:
        progress.done(name)


@runtime_checkable
class Executor(Protocol):
    """Does jobs; constructed before anything is written, so that it can refuse them."""

    def run(self, progress: MultiProgress) -> Outcome:
        """Do all jobs, and show the progress of each."""


def failure(error: Exception, say: Callable[[str], object]) -> Ended:
    """The result of a job that raised an error.

    Args:
        error: the error.
        say: called with the traceback of an unexpected error if AGON_DEBUG is set.
    """
    known = error if isinstance(error, AgonError) else as_agon_error(error)
    if known is not None:
        return Ended(known.status, known.typed)
    if "AGON_DEBUG" in os.environ:
        say(traceback.format_exc())
    return Ended(1, f"{error!r}; AGON_DEBUG=1 shows where it was raised")

"""A worker: a process that does one job after another, and reports its progress."""

import io
import os
import pickle
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, suppress
from functools import partial
from multiprocessing import current_process, spawn
from multiprocessing.connection import Connection
from types import FrameType, FunctionType
from typing import Any, NamedTuple

from agon.errors import AgonError
from agon.jobs.job import Ended, Job, failure
from agon.terminal.progress import Progress

NAME = "agon-worker"  # the process's name while it imports the user's script
PAUSE = 0.2  # seconds between two progress messages
ADVICE = (
    "put its classes into a module on PYTHONPATH, or, in a script, "
    'what is to happen once under if __name__ == "__main__":'
)


class Ready(NamedTuple):
    """The worker has imported everything it needs."""


class Begun(NamedTuple):
    """A job begins, on a cluster, where it may have waited for a place."""


class Refused(NamedTuple):
    """The worker cannot do the jobs."""

    sentence: str


class Reached(NamedTuple):
    """Progress of the current job; `record` is the last one logged since the previous message, if any."""

    step: int
    total: int
    record: Mapping[str, float] | None


class Said(NamedTuple):
    """A line that would have gone to standard error."""

    line: str


Message = Ready | Begun | Refused | Reached | Said | Ended  # Ended: how the current job ended


def in_worker() -> bool:
    """Whether this process is a worker that is importing the user's script."""
    return current_process().name == NAME


def begin(connection: Connection, environment: Mapping[str, str]) -> None:
    """Work for the process at the other end of the connection, until it closes the connection.

    Args:
        connection: the connection to the executor.
        environment: the executor's environment variables.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which the process that it is forked from ignores
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles it
    os.environ.clear()
    os.environ.update(environment)
    random.seed()  # a fork has its parent's streams
    Worker(connection).work()


class Worker:
    """Does the jobs whose names it receives.

    A signal during a job's steps takes effect after the current step, and further signals are
    ignored; at any other time there is nothing to lose, and the worker exits at once.

    Args:
        connection: the connection to the executor.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stepping = self.orphaned = False

    def work(self) -> None:
        """Do jobs until the connection is closed."""
        signal.signal(signal.SIGTERM, self.leave)
        with suppress(EOFError, OSError):  # the executor has ended
            jobs = self._received()
            if jobs is None:
                return
            self.tell(Ready())
            while True:
                self.tell(self.done(jobs[self.connection.recv()]))

    def tell(self, message: Message) -> None:
        """Send a message; if the executor has ended, stop the current job after its next step."""
        try:
            self.connection.send(message)
        except OSError:
            if self.stepping and not self.orphaned:
                self.orphaned = True
                signal.raise_signal(signal.SIGTERM)

    def _received(self) -> dict[str, Job] | None:
        """Receive the jobs by name, after importing the user's script if they need its classes."""
        jobs = unpickled(self.connection.recv(), self.connection.recv_bytes())
        if isinstance(jobs, Refused):
            self.tell(jobs)
            return None
        return jobs

    def done(self, job: Job) -> Ended:
        """Do a job; the executor prints what it writes to standard error."""
        try:
            with redirect_stderr(Lines(lambda line: self.tell(Said(line)))):
                job.work(partial(Relay, self))
        except Exception as error:
            return failure(error, lambda text: self.tell(Said(text)))
        return Ended(0, "")

    def leave(self, number: int, frame: FrameType | None) -> None:
        """End the process, unless a job is at its steps, which handles the signal itself."""
        if not self.stepping:
            os._exit(128 + number)


class Relay(Progress):
    """Progress that is sent to another process, from time to time, instead of shown.

    Args:
        worker: sends the progress.
        total: the step at which the job ends.
        start: the step at which it starts.
        show: ignored; the other process decides.
    """

    def __init__(self, worker: Worker, total: int, start: int, show: bool) -> None:
        super().__init__(total, start, show=False)
        self.worker, self.sent = worker, 0.0
        self.record: Mapping[str, float] | None = None

    def __enter__(self) -> "Relay":
        self.worker.stepping = True
        self._send()
        return self

    def __exit__(self, *_: object) -> None:
        self._send()
        self.worker.stepping = False

    def update(self, step: int, record: Mapping[str, float] | None = None) -> None:
        """Note a step, and send the progress if the last message is long enough ago."""
        self.step, self.record = step, record or self.record
        if time.monotonic() - self.sent >= PAUSE:
            self._send()

    def _send(self) -> None:
        self.worker.tell(Reached(self.step, self.total, self.record))
        self.sent, self.record = time.monotonic(), None


class Lines(io.TextIOBase):
    """A stream that passes each line that is written to it to a function.

    Args:
        on_line: called with each line, without its end.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.on_line, self.rest = on_line, ""

    def write(self, text: str) -> int:
        """Pass on the lines that are complete."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in filter(None, lines):
            self.on_line(line)
        return len(text)


def unpickled(preparation: dict[str, Any], content: bytes) -> "dict[str, Job] | Refused":
    """Return the jobs by name, after importing the user's script if they need its classes; or why that fails."""
    try:
        spawn.prepare(preparation)
        _restore_names()
        jobs: dict[str, Job] = pickle.loads(content)
    except AgonError as error:
        return Refused(str(error))
    except Exception as error:
        return Refused(f"the experiment cannot be imported by another process ({error!r}); {ADVICE}")
    return jobs


def _restore_names() -> None:
    """Restore the module name of the user's script in its classes, as a run writes their import path."""
    for value in list(vars(sys.modules["__main__"]).values()):
        if isinstance(value, type | FunctionType) and value.__module__ == "__mp_main__":
            value.__module__ = "__main__"

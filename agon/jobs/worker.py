"""A worker: a process of its own that does one job after another, and tells how far it is."""

import io
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, suppress
from functools import partial
from multiprocessing import current_process, spawn
from multiprocessing.connection import Connection
from types import FrameType, FunctionType
from typing import NamedTuple

from agon.errors import AgonError
from agon.jobs.job import Ended, Job, failure
from agon.terminal.progress import Progress

NAME = "agon-worker"  # of the process, while it imports the user's script
PAUSE = 0.2  # seconds between two messages of how far a job is
ADVICE = (
    "put its classes into a module on PYTHONPATH, or, in a script, "
    'what is to happen once under if __name__ == "__main__":'
)


class Ready(NamedTuple):
    """The worker has imported all it needs."""


class Refused(NamedTuple):
    """The jobs cannot be had in another process."""

    sentence: str


class Reached(NamedTuple):
    """How far the present job is; `record` is the last one that was logged since the last message."""

    step: int
    total: int
    record: Mapping[str, float] | None


class Said(NamedTuple):
    """A line that would have gone to standard error."""

    line: str


Message = Ready | Refused | Reached | Said | Ended  # the last: how the present job has ended


def in_worker() -> bool:
    """Whether this process is a worker that imports the user's script."""
    return current_process().name == NAME


def main() -> None:
    """Work for the process that holds the other end of the connection, until it closes it."""
    handle = int(sys.argv[1])
    os.set_inheritable(handle, False)
    Worker(Connection(handle)).work()


class Worker:
    """Does the jobs whose names it is sent.

    A signal that comes while a job makes its steps is honoured after the step at hand, and
    further ones are ignored; at any other time there is nothing to lose, and it ends at once.

    Args:
        connection: to the process that says which.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stepping = self.orphaned = False

    def work(self) -> None:
        """Do jobs until the connection is closed."""
        signal.signal(signal.SIGTERM, self._leave)
        with suppress(EOFError, OSError):  # nobody is there any more
            jobs = self._received()
            if jobs is None:
                return
            self.tell(Ready())
            while True:
                self.tell(self._done(jobs[self.connection.recv()]))

    def tell(self, message: Message) -> None:
        """Send a message; once nobody listens, the present job stops after the next step."""
        try:
            self.connection.send(message)
        except OSError:
            if self.stepping and not self.orphaned:
                self.orphaned = True
                signal.raise_signal(signal.SIGTERM)

    def _received(self) -> dict[str, Job] | None:
        """The jobs by name; a user's script is imported first, if a class of it is needed."""
        preparation, content = self.connection.recv(), self.connection.recv_bytes()
        try:
            spawn.prepare(preparation)
            _restore_names()
            received: dict[str, Job] = pickle.loads(content)
        except AgonError as error:
            self.tell(Refused(str(error)))
        except Exception as error:
            self.tell(Refused(f"the experiment cannot be imported by another process ({error!r}); {ADVICE}"))
        else:
            return received
        return None

    def _done(self, job: Job) -> Ended:
        """Do a job; what it writes to standard error is said by the other process."""
        try:
            with redirect_stderr(Lines(lambda line: self.tell(Said(line)))):
                job.work(partial(Relay, self))
        except Exception as error:
            return failure(error, lambda text: self.tell(Said(text)))
        return Ended(0, "")

    def _leave(self, number: int, frame: FrameType | None) -> None:
        if not self.stepping:
            os._exit(128 + number)


class Relay(Progress):
    """Progress that is sent to another process, now and then, instead of shown.

    Args:
        worker: sends it.
        total: the step at which the job ends.
        start: the step at which it starts.
        show: ignored: the other process decides.
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
        """After a step."""
        self.step, self.record = step, record or self.record
        if time.monotonic() - self.sent >= PAUSE:
            self._send()

    def _send(self) -> None:
        self.worker.tell(Reached(self.step, self.total, self.record))
        self.sent, self.record = time.monotonic(), None


class Lines(io.TextIOBase):
    """A stream that hands over each line that is written to it.

    Args:
        heard: what is called with each line, without its end.
    """

    def __init__(self, heard: Callable[[str], None]) -> None:
        self.heard, self.rest = heard, ""

    def write(self, text: str) -> int:
        """Hand over what has become whole lines."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in filter(None, lines):
            self.heard(line)
        return len(text)


def _restore_names() -> None:
    """Call the classes of a user's script what they are called there: a run writes their import path."""
    for value in list(vars(sys.modules["__main__"]).values()):
        if isinstance(value, type | FunctionType) and value.__module__ == "__mp_main__":
            value.__module__ = "__main__"

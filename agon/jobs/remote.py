"""A job on a Ray cluster, seen from the worker process that does it."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import current_process
from typing import Any

from agon.jobs.job import Ended
from agon.jobs.worker import Begun, Message, Refused, Worker, unpickled

PATIENCE = 10.0  # seconds until the last messages of a job are given up
POLL = 1.0  # seconds between two looks whether to stop
GRACE = 2.0  # seconds in which the processes of a lost node end, before its job starts again
OURS = ("AGON_",)  # beginnings of the environment variables that a job brings along


class Mailbox:
    """An actor beside the driver: messages of all jobs, and whether they are to stop."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, int, Message]] = []
        self.all_stopped = False
        self.stopped_jobs: set[str] = set()

    def put(self, name: str, attempt: int, message: Message) -> None:
        """Keep a message of a job."""
        self.messages.append((name, attempt, message))

    def take(self) -> list[tuple[str, int, Message]]:
        """Return the messages since the last call, in their order."""
        messages, self.messages = self.messages, []
        return messages

    def stop(self, name: str | None = None) -> None:
        """Tell a job, or all of them, to stop after the current step."""
        if name is None:
            self.all_stopped = True
        else:
            self.stopped_jobs.add(name)

    def stopped(self, name: str) -> bool:
        """Whether a job is to stop."""
        return self.all_stopped or name in self.stopped_jobs


class RemoteWorker(Worker):
    """Does one job, and sends its messages to the mailbox.

    Args:
        mailbox: handle of the `Mailbox`.
        name: the job's name.
        attempt: how often it was begun before.
    """

    def __init__(self, mailbox: Any, name: str, attempt: int) -> None:
        self.mailbox, self.name, self.attempt = mailbox, name, attempt
        self.stepping = self.orphaned = False
        self.ended = threading.Event()
        self.last: Any = None  # Ray's reference of the last message

    def tell(self, message: Message) -> None:
        """Send a message; nothing waits for its arrival before the end of the job."""
        self.last = self.mailbox.put.remote(self.name, self.attempt, message)

    def arrived(self) -> None:
        """Wait until all messages have arrived, in their order; if the driver has gone, nobody reads them."""
        import ray

        with suppress(ray.exceptions.RayError):
            ray.get(self.last, timeout=PATIENCE)

    def begin(self, preparation: Mapping[str, Any], content: bytes) -> Ended | Refused:
        """Do the job of this name, which stops after its current step if the driver says so or has gone."""
        if not os.path.isdir(preparation["dir"]):
            return Refused(
                f"expected the folder {preparation['dir']} on every machine of the cluster, got none on "
                f"{os.uname().nodename}; start the command in a folder that all of them share"
            )
        jobs = unpickled(with_own_path(preparation), content)
        if isinstance(jobs, Refused):
            return jobs
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # how Ray cancels what runs; the driver's word is enough
        signal.signal(signal.SIGTERM, self.leave)
        threading.Thread(target=self._listen, daemon=True).start()
        self.tell(Begun())
        try:
            result = self.done(jobs[self.name])
            if self.last is not None:
                self.arrived()
            return result
        finally:
            self.ended.set()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _listen(self) -> None:
        """Send this process a SIGTERM once, when the driver wants to stop or has gone."""
        import ray

        while not self.ended.wait(POLL):
            try:
                stop = bool(ray.get(self.mailbox.stopped.remote(self.name)))
            except ray.exceptions.RayError:
                stop = True
            if stop and not self.ended.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                return


def do(
    name: str,
    attempt: int,
    content: bytes,
    preparation: Mapping[str, Any],
    environment: Mapping[str, str],
    mailbox: Any,
) -> Ended | Refused:
    """Do a job: the function that Ray calls in a worker process.

    Args:
        name: the job's.
        attempt: how often it was begun before.
        content: the job, pickled by the driver.
        preparation: what is imported first, as of `sending.preparation`.
        environment: variables to set.
        mailbox: handle of the `Mailbox`.
    """
    os.environ.update(environment)
    if attempt:
        time.sleep(GRACE)
    process, before = current_process(), current_process().name
    try:
        return RemoteWorker(mailbox, name, attempt).begin(preparation, content)
    finally:
        process.name = before


def with_own_path(preparation: Mapping[str, Any]) -> dict[str, Any]:
    """The preparation for this machine: the driver's module path as far as it is here, then this machine's own."""
    here = [place for place in preparation["sys_path"] if not place or os.path.exists(place)]
    return {**preparation, "sys_path": [*here, *(place for place in sys.path if place not in here)]}


def brought() -> dict[str, str]:
    """The environment variables that jobs bring along: agon's own, and no others, which may be secrets."""
    return {name: value for name, value in os.environ.items() if name.startswith(OURS)}

"""The means for a CPU's cores: processes of a few threads each, started once, fed from one queue."""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from signal import SIGTERM
from signal import Signals as Signal
from typing import Any

from agon.errors import SettingError
from agon.replicates.board import Board
from agon.replicates.job import Job
from agon.replicates.plan import found
from agon.replicates.worker import NAME, Ended, Message, Reached, Ready, Refused, Said
from agon.training import Arithmetic
from agon.training.signals import Signals

# An interrupt of the terminal reaches every process of its group: only the one that was started honours it.
BEGIN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from agon.replicates.worker import main; main()"
TICK = 0.25  # seconds after which a signal is noticed, where no worker says anything
PATIENCE = 10.0  # seconds for a process that has nothing left to do


@dataclass
class Outcome:
    """What became of the jobs; those that are not in `ended` were not begun, or not ended.

    Attributes:
        ended: of each job by its name, how it ended.
        signal: the number of the signal that stopped all, or 0.
    """

    ended: dict[str, Ended]
    signal: int


@dataclass
class Hand:
    """A worker process, seen from here.

    Attributes:
        process: it.
        connection: to it.
        job: the name of what it trains now, if it does.
    """

    process: "subprocess.Popen[bytes]"
    connection: Connection
    job: str | None = None


class Processes:
    """Does jobs, as many at once as there are cores.

    Each worker is a new process, never a fork: it imports what it needs once, and does one job
    after another. Jobs are handed out one by one, so that no worker waits while there is one left.

    Args:
        jobs: what is trained, one or more, all by the same arithmetic.

    Raises:
        SettingError: an experiment cannot be had in another process.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.signals, self.queue = Signals(), deque(job.name for job in jobs)
        self.workers = min(room(jobs[0].arithmetic), len(jobs))
        self.preparation, self.errand = _preparation(jobs), _pickled(jobs)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.hands: dict[object, Hand] = {}
        self.ended: dict[str, Ended] = {}

    def work(self, board: Board) -> Outcome:
        """Until the queue is empty and all have ended, or a signal has come and was honoured."""
        stopped = False
        with self.signals, self._dismissed():
            for _ in range(self.workers):
                self._hire()
            while self.hands:
                if self.signals.received and not stopped:
                    self._stop()
                    stopped = True
                for connection in wait([hand.connection for hand in self.hands.values()], timeout=TICK):
                    self._hear(self.hands[connection], board)
        return Outcome(self.ended, self.signals.received)

    def _hire(self) -> None:
        """Start a process, and tell it what is trained; it answers when it has imported all it needs."""
        ours, theirs = Pipe()
        with theirs:
            path = os.pathsep.join(os.path.abspath(place) for place in sys.path)
            process = subprocess.Popen(
                [sys.executable, "-c", BEGIN, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path},
            )
        self.processes.append(process)
        self.hands[ours] = Hand(process, ours)
        with suppress(OSError):  # its end is noticed where it is listened to
            ours.send(self.preparation)
            ours.send_bytes(self.errand)

    def _hear(self, hand: Hand, board: Board) -> None:
        try:
            message: Message = hand.connection.recv()
        except (EOFError, OSError):
            self._lost(hand, board)
            return
        name = hand.job or ""
        match message:
            case Reached(step, total, record):
                board.update(name, step, total, record)
            case Said(line):
                board.say(f"{name}: {line}")
            case Refused(sentence):
                raise SettingError(sentence)
            case Ready():
                self._assign(hand)
            case Ended():
                self._note(hand, message, board)
                self._assign(hand)

    def _assign(self, hand: Hand) -> None:
        """The next job, or nothing more to do."""
        hand.job = self.queue.popleft() if self.queue and not self.signals.received else None
        if hand.job is None:
            del self.hands[hand.connection]
            hand.connection.close()
        else:
            with suppress(OSError):
                hand.connection.send(hand.job)

    def _note(self, hand: Hand, ended: Ended, board: Board) -> None:
        """How a worker's job has ended, which after a signal is no failure."""
        if hand.job is None:
            return
        if ended.status and self.signals.received:
            board.drop(hand.job)
            return
        self.ended[hand.job] = ended
        if ended.status:
            board.fail(hand.job, ended.sentence)
        else:
            board.done(hand.job)

    def _lost(self, hand: Hand, board: Board) -> None:
        """A process has ended by itself: its job has failed, and another takes its place in the queue."""
        status = hand.process.wait()
        del self.hands[hand.connection]
        hand.connection.close()
        self._note(hand, Ended(1, _death(status)), board)
        if hand.job is None and not self.hands and not self.signals.received:
            raise SettingError(f"no worker process could be started ({_death(status)}); what it said is above")
        if hand.job is not None and self.queue:
            self._hire()

    def _stop(self) -> None:
        """Each worker ends after the step at hand, and no other job is begun."""
        self.queue.clear()
        for hand in self.hands.values():
            hand.process.send_signal(SIGTERM)

    @contextmanager
    def _dismissed(self) -> Iterator[None]:
        """Afterwards no process is left: they have ended, or, after an error, are ended at once."""
        patience = 0.0
        try:
            yield
            patience = PATIENCE
        finally:
            for process in self.processes:
                try:
                    process.wait(patience)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _death(status: int) -> str:
    """How a process has ended, in words."""
    if status >= 0:
        return f"its process ended with status {status}"
    name = Signal(-status).name
    advice = "; the memory may have been full" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{advice}"


def room(arithmetic: Arithmetic) -> int:
    """How many trainings are made at once: on an accelerator one, since what sharing it costs is not measured."""
    if arithmetic.device != "cpu":
        return 1
    cores = replace(arithmetic, threads=0).resolved().threads
    return max(1, cores // arithmetic.threads)


def _preparation(jobs: Sequence[Job]) -> dict[str, Any]:
    """What `spawn.prepare` wants; the user's script is named in it only if classes of it are needed.

    Raises:
        SettingError: they are from a session that no process can import.
    """
    preparation = {"name": NAME, "sys_argv": sys.argv, "dir": os.getcwd()}
    imported = {path for job in jobs for path in found(job.experiment.describe(), "import")}
    needed = sorted(path for path in imported if path.startswith("__main__:"))
    if not needed:
        return preparation
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return {**preparation, "init_main_from_name": main.__spec__.name}
    if getattr(main, "__file__", None) is not None:
        return {**preparation, "init_main_from_path": os.path.abspath(str(main.__file__))}
    raise SettingError(
        f"seeds: {needed[0].removeprefix('__main__:')} was defined in an interactive session, which no other "
        "process can import; put it into a module of its own"
    )


def _pickled(jobs: Sequence[Job]) -> bytes:
    """For a process of our own, over a pipe; what lies in a file is never a pickle."""
    try:
        return pickle.dumps({job.name: job for job in jobs})
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise SettingError(
            f"seeds: the experiment cannot be handed to other processes ({error}); "
            "define its classes at the top of a module or script"
        ) from error

"""The means for a CPU's cores: processes of a few threads each, started once, fed from one queue."""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from signal import SIGTERM
from signal import Signals as Signal
from typing import Any

from agon.errors import SettingError
from agon.replicates.board import Board
from agon.replicates.folder import Folder
from agon.replicates.plan import Plan, found
from agon.replicates.worker import NAME, Ended, Message, Reached, Ready, Refused, Said
from agon.training.signals import Signals

# An interrupt of the terminal reaches every process of its group: only the one that was started honours it.
BEGIN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from agon.replicates.worker import main; main()"
TICK = 0.25  # seconds after which a signal is noticed, where no worker says anything
PATIENCE = 10.0  # seconds for a process that has nothing left to do


@dataclass
class Outcome:
    """What became of the seeds; those that are not in `ended` were not begun, or not ended.

    Attributes:
        ended: of each seed, how it ended.
        signal: the number of the signal that stopped all, or 0.
    """

    ended: dict[int, Ended]
    signal: int


@dataclass
class Hand:
    """A worker process, seen from here.

    Attributes:
        process: it.
        connection: to it.
        seed: what it trains now, if it does.
    """

    process: "subprocess.Popen[bytes]"
    connection: Connection
    seed: int | None = None


class Processes:
    """Trains every seed of a plan, as many at once as there are cores.

    Each worker is a new process, never a fork: it imports what it needs once, and trains one seed
    after another. Seeds are handed out one by one, so that no worker waits while there is one left.

    Args:
        folder: where the runs are.
        plan: what is trained.

    Raises:
        SettingError: the experiment cannot be had in another process.
    """

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self.signals, self.queue = Signals(), deque(plan.seeds)
        self.workers = min(room(plan), len(plan.seeds))
        self.preparation, self.errand = _preparation(plan), _pickled(folder, plan)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.hands: dict[object, Hand] = {}
        self.ended: dict[int, Ended] = {}

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
        name = f"seed-{hand.seed}"
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
        """The next seed, or nothing more to do."""
        hand.seed = self.queue.popleft() if self.queue and not self.signals.received else None
        if hand.seed is None:
            del self.hands[hand.connection]
            hand.connection.close()
        else:
            with suppress(OSError):
                hand.connection.send(hand.seed)

    def _note(self, hand: Hand, ended: Ended, board: Board) -> None:
        """How a worker's seed has ended, which after a signal is no failure."""
        if hand.seed is None:
            return
        name = f"seed-{hand.seed}"
        if ended.status and self.signals.received:
            board.drop(name)
            return
        self.ended[hand.seed] = ended
        if ended.status:
            board.fail(name, ended.sentence)
        else:
            board.done(name)

    def _lost(self, hand: Hand, board: Board) -> None:
        """A process has ended by itself: its seed has failed, and another takes its place in the queue."""
        status = hand.process.wait()
        del self.hands[hand.connection]
        hand.connection.close()
        self._note(hand, Ended(1, _death(status)), board)
        if hand.seed is None and not self.hands and not self.signals.received:
            raise SettingError(f"no worker process could be started ({_death(status)}); what it said is above")
        if hand.seed is not None and self.queue:
            self._hire()

    def _stop(self) -> None:
        """Each worker ends after the step at hand, and no other seed is begun."""
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


def room(plan: Plan) -> int:
    """How many replicates are trained at once: on an accelerator one, since what sharing it costs is not measured."""
    if plan.arithmetic.device != "cpu":
        return 1
    cores = replace(plan.arithmetic, threads=0).resolved().threads
    return max(1, cores // plan.arithmetic.threads)


def _preparation(plan: Plan) -> dict[str, Any]:
    """What `spawn.prepare` wants; the user's script is named in it only if classes of it are needed.

    Raises:
        SettingError: they are from a session that no process can import.
    """
    preparation = {"name": NAME, "sys_argv": sys.argv, "dir": os.getcwd()}
    needed = [path for path in found(plan.experiment.describe(), "import") if path.startswith("__main__:")]
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


def _pickled(folder: Folder, plan: Plan) -> bytes:
    """For a process of our own, over a pipe; what lies in a file is never a pickle."""
    try:
        return pickle.dumps((folder, plan))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise SettingError(
            f"seeds: the experiment cannot be handed to other processes ({error}); "
            "define its classes at the top of a module or script"
        ) from error

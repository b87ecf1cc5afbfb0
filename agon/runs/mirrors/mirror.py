"""A thread that brings the storage of a run up to date while its training goes on."""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import Signals as Signal

from agon.errors import Interrupted, NotMirroredError, command
from agon.runs.directory import Directory
from agon.runs.holding import HeldError, holding, lock_of
from agon.runs.layout import PAPER, RUN_LOCK
from agon.runs.mirrors.content import names_in, newest
from agon.runs.mirrors.manifest import Manifest
from agon.runs.mirrors.opening import claim
from agon.runs.mirrors.place import Place
from agon.runs.mirrors.pushing import Push, SupersededError
from agon.storage import Objects, StorageError, open_store
from agon.terminal import warn
from agon.terminal.signals import Signals
from agon.terminal.waiting import note, stage, waiting

FIRST, LONGEST = 1.0, 15.0  # seconds between two attempts, at first and at last
LIMIT = 600.0  # seconds of failures after which a training is said to go on without its mirror
ENDING = 60.0  # seconds of failures that a training waits for at its end
TICK = 0.1  # seconds between two looks at the thread and at signals at the end


class Mirror:
    """Keeps the storage of one run up to date: `notify` when something was written, `close` at the end.

    The training never waits for storage before its end. Notices between two pushes become one push, so nothing piles
    up. A push that fails is tried again, after 1 to 15 s; lines about that wait in `lines` for the training's thread.

    Args:
        files: the directory of the run.
        store: its storage.
        session: the word of this session, from `claim`.
    """

    def __init__(self, files: Directory, store: Objects, session: str) -> None:
        self.files, self.store = files, store
        self.lines: deque[str] = deque()
        self._push = Push(files, store, session)
        self._due, self._closing = threading.Event(), threading.Event()
        self._stored = Manifest()
        self._failed, self._since, self._end = "", 0.0, 0.0  # why the last push failed, since when, and until when
        self._refused = self._said_limit = self._superseded = False
        self._thread = threading.Thread(target=self._work, name="agon-mirror", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, path: Path) -> "Mirror | None":
        """Begin to mirror a run directory; None if it has no storage.

        Raises:
            RunError: another process has gone on with the run, or storage does not answer.
        """
        files = Directory(path)
        claimed = claim(files)
        return None if claimed is None else cls(files, *claimed)

    def notify(self) -> None:
        """Say that the run has something new."""
        self._due.set()

    def close(self, *, ended: bool) -> None:
        """Mirror what is left, and end the thread. A signal ends the wait.

        Args:
            ended: whether the training ended well; if not, what is not mirrored is a line, since another error ends it.

        Raises:
            NotMirroredError: something is not mirrored.
            Interrupted: SIGINT or SIGTERM came before all was mirrored.
        """
        self._end = time.monotonic() + ENDING
        self._closing.set()
        self._due.set()
        with Signals() as signals:
            self._wait(signals)
        self.speak(warn)
        if self._thread.is_alive():
            self._failed = f"{Signal(signals.received).name} came before it was"
        if self._failed:
            sentence = self._missing()
            if ended:
                raise Interrupted(sentence, signals.received) if signals.received else NotMirroredError(sentence)
            warn(f"agon: {sentence}")

    def _wait(self, signals: Signals) -> None:
        """Wait until the thread has ended, or a signal comes, and say how long it takes."""
        with waiting(), stage(f"waiting until {self.store.address} has everything"):
            while self._thread.is_alive() and not signals.received:
                self._thread.join(TICK)
                self.speak(note)

    def speak(self, say: Callable[[str], object]) -> None:
        """Print the lines that wait."""
        while self.lines:
            say(self.lines.popleft())

    def _work(self) -> None:
        pause = FIRST
        while True:
            self._due.wait()
            self._due.clear()
            closing = self._closing.is_set()
            final = self._pushed()
            if final or (closing and (not self._failed or self._refused or time.monotonic() > self._end)):
                return
            if self._failed:
                self._closing.wait(pause) if not closing else time.sleep(min(pause, FIRST))
                pause = min(2 * pause, LONGEST)
                self._due.set()
            else:
                pause = FIRST

    def _pushed(self) -> bool:
        """Push once, and note how it went; whether no other attempt can succeed."""
        try:
            self._stored = self._push()
        except SupersededError as error:
            self._failed, self._superseded = str(error), True
            self.lines.append(f"agon: {error}")
            return True
        except StorageError as error:
            self._note(error.reason, error.advice)
        except Exception as error:  # a fault in the mirror must not end a training
            self._note(str(error) or repr(error), "")
        else:
            if self._failed:
                self.lines.append(f"agon: {self.store.address} has everything again")
            self._failed, self._said_limit = "", False
        return False

    def _note(self, reason: str, advice: str) -> None:
        """Note a failure; one line at the first, another after the limit."""
        now, self._refused = time.monotonic(), bool(advice)
        if not self._failed:
            self._since = now
            what = f"refuses ({reason}); {advice}" if advice else f"does not answer ({reason})"
            self.lines.append(f"agon: {self.store.address} {what}; the training goes on, and tries again to mirror")
        self._failed = reason
        if now - self._since > LIMIT and not self._said_limit:
            self._said_limit = True
            self.lines.append(
                f"agon: nothing was mirrored for {LIMIT / 60:.0f} minutes; the training goes on on this machine alone. "
                f"{self._missing()}"
            )

    def _missing(self) -> str:
        """What storage does not have, and what mirrors it later."""
        here, there = newest(names_in(self.files)), newest(self._stored.files)
        has = "no checkpoint" if there < 0 else f"the checkpoint of step {there}"
        behind = "" if here < 0 else f": {self.store.address} has {has}, and here is that of step {here}"
        again = "the same command" if self.files.holds(PAPER) else command("resume", self.files.root)
        if self._superseded:
            behind, again = "", f"{again} --storage ANOTHER-ADDRESS"
        return f"{self.files.root} is not all mirrored ({self._failed}){behind}; {again} mirrors it"


def mirror_now(path: Path) -> None:
    """Mirror all of a directory that has an address, in a session of its own.

    Raises:
        NotMirroredError: something is not mirrored.
        RunError: another process has gone on with the run, or storage does not answer.
    """
    mirror = Mirror.of(path)
    if mirror is not None:
        mirror.close(ended=True)


def catch_up(path: Path) -> None:
    """Mirror what was added to a directory after its training, such as its page; a line says if that fails.

    Nothing happens if the directory is not mirrored, comes from elsewhere, or another process has gone on with it.
    While a training holds the directory, it alone writes to storage: all that is new, with its next checkpoint.
    """
    files = Directory(path)
    if Place.read(files) is not None:
        with suppress(HeldError), holding(lock_of(files, RUN_LOCK), f"{path} is"):
            push_held(path)


def push_held(path: Path) -> None:
    """As `catch_up`, by a process that holds the directory."""
    place = Place.read(Directory(path))
    if place is None or place.copy or not place.is_own:
        return
    try:
        Push(Directory(path), open_store(place.address), place.sessions[-1])()
    except SupersededError:
        return
    except StorageError as error:
        warn(f"agon: {path}: what is new is not mirrored ({error}); {command('resume', path)} mirrors it")

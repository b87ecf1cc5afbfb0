"""Say what a long computation does, how far it is and how long it will take, every few seconds.

A function names its stages (`stage`, `tracked`); they are shown only within `waiting`, so that a function called as a
part of a library is silent.
"""

import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from agon.terminal import OutputStream, is_watched, tell
from agon.terminal.progress import Progress, bar, duration, fitting, room_beside

if TYPE_CHECKING:
    import rich.progress

T = TypeVar("T")
FIRST, EVERY = 2.0, 4.5  # seconds before the first line in a file, and between two
TICK = 0.25  # seconds between two looks at the clock, and between two drawings on a terminal


class Stage:
    """One part of a computation.

    Args:
        what: it, in words.
        total: its size, in any unit; None if only its time is known.
        seconds: how long it takes, if that is known beforehand.
        clock: monotonic clock in seconds.
    """

    def __init__(self, what: str, total: int | None, seconds: float | None, clock: Callable[[], float]) -> None:
        self.what, self.total, self.seconds, self.done = what, total, seconds, 0
        self._clock, self._began = clock, clock()

    def advance(self, by: int = 1) -> None:
        """Report that so much more is done."""
        self.done += by

    def state(self) -> str:
        """Return how far it is, and the time left.

        >>> stage = Stage("features", 100, None, iter([0.0, 30.0]).__next__)
        >>> stage.advance(25)
        >>> stage.state()
        '25/100 (25 %)  1:30 left'
        """
        passed, parts = self._clock() - self._began, []
        left = self._left_after(passed)
        if self.total is not None:
            parts.append(f"{self.done:,}/{self.total:,} ({100 * self.done // max(self.total, 1)} %)")
        else:
            parts.append(f"{duration(passed)} so far")
        if left is not None:
            parts.append(f"{duration(left)} left" if left > 0 else "a little longer than expected")
        return "  ".join(parts)

    def left(self) -> float | None:
        """Return the seconds left; None if that is not known."""
        return self._left_after(self._clock() - self._began)

    def _left_after(self, passed: float) -> float | None:
        if self.total is not None and self.done:
            return passed / self.done * (self.total - self.done)
        return None if self.seconds is None else self.seconds - passed

    @property
    def name(self) -> str:
        """What it is, and how far, of one that is being done in smaller stages."""
        return self.what if self.total is None else f"{self.what} {self.done:,}/{self.total:,}"


class Waiting:
    """The display of stages: a bar on a terminal, or a line every few seconds in a file.

    It is drawn by a thread, since a single matrix decomposition can take a minute; the thread ends with the block.
    Within a training's display it writes there; while a training begun within it shows its own, it is silent.

    Args:
        show: whether to print anything.
        stream: stream to print to; standard error if None.
        clock: monotonic clock in seconds.
    """

    def __init__(
        self, show: bool = True, stream: OutputStream | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.show, self.clock = show, clock
        self.stages: list[Stage] = []
        self._stream = sys.stderr if stream is None else stream
        self._outer = Progress.current()
        self._bar: rich.progress.Progress | None = None
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._due = clock() + FIRST

    def __enter__(self) -> "Waiting":
        self._thread = threading.Thread(target=self._watch, daemon=True, name="agon-waiting")
        if self.show:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self.show:
            self._thread.join()
        self._stop()

    def line(self, room: float = math.inf) -> str:
        """Return the stages from the outermost to the innermost, how far each is, and the time left of all.

        A line that would have more than `room` characters leaves the outer stages out.
        """
        stages = list(self.stages)
        if not stages:
            return ""
        names, state = [*(stage.name for stage in stages[:-1]), stages[-1].what], stages[-1].state()
        left = next((left for stage in stages[:-1] if (left := stage.left()) is not None and left > 0), None)
        ending = "" if left is None else f", {duration(left)} in all"
        return fitting((f"{': '.join(names[first:])}  {state}{ending}" for first in range(len(names))), room)

    def look(self) -> None:
        """Draw if it is time to, and if no other display is in use."""
        with self._lock:
            if Progress.current() is not self._outer:
                self._stop()
            elif line := self.line():
                self._show(line)
            else:
                self._stop()

    def note(self, line: str) -> None:
        """Print a line beside the stages."""
        with self._lock:
            if self._outer is not None:
                self._outer.note(line)
            elif self._bar is not None:
                self._bar.console.print(line, markup=False, highlight=False)
            else:
                tell(self._stream, line)

    def _show(self, line: str) -> None:
        if self.clock() < self._due:
            return
        if self._outer is None and is_watched(self._stream):
            if self._bar is None:
                self._bar = bar(self._stream)
                self._bar.add_task("", line="")
                self._bar.start()
            stage, line = self.stages[-1], self.line(room_beside(self._bar))
            self._bar.update(self._bar.task_ids[0], total=stage.total, completed=stage.done, line=line)
            self._bar.refresh()
            return
        self._due = self.clock() + EVERY
        if self._outer is None:
            tell(self._stream, line)
        else:
            self._outer.note(line)

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _watch(self) -> None:
        while not self._ended.wait(TICK):
            try:
                self.look()
            except IndexError:  # the stage ended at this moment
                continue


_shown: list[Waiting] = []


@contextmanager
def waiting(show: bool = True, stream: OutputStream | None = None) -> Iterator[None]:
    """Show the stages of what is called within this block; a block within another one changes nothing."""
    if _shown:
        yield
        return
    with Waiting(show, stream) as display:
        _shown.append(display)
        try:
            yield
        finally:
            _shown.pop()


def waiting_beside_training() -> AbstractContextManager[None]:
    """Show the stages of what is called within this block where a training's display is shown, and nowhere else."""
    display = Progress.current()
    return waiting(display is not None and display.show)


def is_shown() -> bool:
    """Whether stages are shown at this moment."""
    return bool(_shown) and _shown[-1].show


def note(line: str) -> None:
    """Print a line beside the stages, if they are shown."""
    if is_shown():
        _shown[-1].note(line)


@contextmanager
def stage(
    what: str, total: int | None = None, seconds: Callable[[], float] | None = None
) -> Iterator[Callable[[int], None]]:
    """Name a part of a computation; the block gets a function that reports how much more is done.

    Args:
        what: the part, in words.
        total: its size, in any unit.
        seconds: estimates how long it takes; called only if it is shown.
    """
    if not _shown:
        yield lambda _: None
        return
    display = _shown[-1]
    part = Stage(what, total, seconds() if seconds and display.show else None, display.clock)
    display.stages.append(part)
    try:
        yield part.advance
    finally:
        display.stages.remove(part)


def tracked(items: Iterable[T], what: str, total: int, by: Callable[[T], int] = lambda _: 1) -> Iterator[T]:
    """Yield the items, and report each when the next is asked for.

    Args:
        items: any.
        what: what is done with them, in words.
        total: the sum of `by` over all items.
        by: how much an item is.
    """
    with stage(what, total) as advance:
        for item in items:
            yield item
            advance(by(item))

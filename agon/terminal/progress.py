"""What a training shows on the terminal: how far it is, how fast, how long yet, and the last losses."""

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from agon.terminal import OutputStream, is_watched, tell
from agon.untrusted import printable

if TYPE_CHECKING:
    import rich.progress

QUIET = 10.0  # seconds between two lines where nobody watches: a log of an hour has 360
REDRAW = 0.1  # seconds between two drawings of the bar
WINDOW = 30  # marks of one second or more: the speed is that of the last half minute or so
SHOWN = "loss/"  # the part of a record that is told


class Progress:
    """A bar on a terminal, a plain line now and then in a file; nothing is drawn from a thread.

    The bar is redrawn by `update` alone, so a signal or an exception passes as if it were not
    there, and nothing lives on after the `with` block.

    Args:
        total: the step at which the training ends.
        start: the step at which it starts; over 0 when a run goes on.
        show: False for a process that should say nothing (every rank but 0).
        stream: where to; standard error if None.
        clock: seconds, never going back.

    >>> with Progress(total=2, show=False) as progress:
    ...     for step in (1, 2):
    ...         progress.update(step, {"loss/critic": 1.386})
    >>> progress.line()  # doctest: +ELLIPSIS
    'step 2/2 (100 %) ... 0:00 left  loss/critic 1.386'
    """

    def __init__(
        self,
        total: int,
        start: int = 0,
        show: bool = True,
        stream: OutputStream | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.step, self.show = total, start, show
        self.losses: dict[str, float] = {}
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque([(clock(), start)], maxlen=WINDOW)
        self._told: tuple[float, int] = (clock(), start)  # when, and of which step
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> "Progress":
        now = self._clock()
        self._marks.clear()
        self._marks.append((now, self.step))
        self._told = (now, self.step)
        if self.show and is_watched(self._stream):
            self._bar = bar(self._stream)
            self._bar.add_task("", total=self.total, completed=self.step, told=self.line())
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show the last step, give the cursor back, and let any exception pass."""
        if self._bar is not None:
            try:
                self._draw()
            finally:
                self._bar.stop()
                self._bar = None
        elif self._told[1] != self.step:
            self._tell()

    def update(self, step: int, record: Mapping[str, float] | None = None) -> None:
        """After a step: cheap, so it may be called at every one.

        Args:
            step: steps made so far, of `total`.
            record: what was logged at this step, if anything was: its `loss/...` are shown until the next.
        """
        now = self._clock()
        self.step = step
        if record is not None:
            self.losses = {name: value for name, value in record.items() if name.startswith(SHOWN)}
        if now - self._marks[-1][0] >= 1.0:
            self._marks.append((now, step))
        if self._bar is not None and now - self._told[0] >= REDRAW:
            self._draw()
        elif self._bar is None and now - self._told[0] >= QUIET:
            self._tell()

    def speed(self) -> float | None:
        """Steps a second over the last half minute or so; None before there is one to tell."""
        since, first = self._marks[0]
        seconds, steps = self._clock() - since, self.step - first
        return steps / seconds if seconds > 0 and steps > 0 else None

    def line(self) -> str:
        """All that is known, on one line; it starts with the step."""
        percent = 100 * self.step // self.total if self.total > 0 else 100  # 999 of 1000 is not yet 100 %
        return "  ".join([f"step {self.step}/{self.total} ({percent} %)", *self._pace()])

    def _pace(self) -> list[str]:
        speed, left = self.speed(), max(self.total - self.step, 0)
        parts = [] if speed is None else [_speed(speed)]
        if speed is not None or left == 0:
            parts.append(f"{duration(left / speed if speed else 0)} left")
        return [*parts, *(f"{printable(name)} {value:.4g}" for name, value in self.losses.items())]

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.step, told=self.line())
            self._bar.refresh()
            self._told = (self._clock(), self.step)

    def _tell(self) -> None:
        self._told = (self._clock(), self.step)
        if self.show:
            tell(self._stream, self.line())


ProgressFactory = Callable[[int, int, bool], Progress]  # of the budget, the first step, and whether to show anything


def bar(stream: Any) -> "rich.progress.Progress":
    """A bar without rich's refreshing thread: a thread would live through a signal, and through a fork."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    told = TextColumn("{task.fields[told]}", markup=False)
    return Progress(
        BarColumn(bar_width=24),
        told,
        console=Console(file=stream),
        auto_refresh=False,
        redirect_stdout=is_watched(sys.stdout),  # what is piped elsewhere must arrive there
    )


def _speed(speed: float) -> str:
    if speed < 1:
        return f"{1 / speed:.3g} s/step"
    return f"{speed:.1f} steps/s" if speed < 100 else f"{speed:.0f} steps/s"


def duration(seconds: float) -> str:
    """Seconds as h:mm:ss, without the hours where there are none.

    >>> duration(65), duration(3 * 3600 + 5)
    ('1:05', '3:00:05')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"

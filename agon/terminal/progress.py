"""Progress of a training on the terminal: step, speed, time left and the last losses."""

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from agon.terminal import OutputStream, is_watched, tell
from agon.untrusted import printable

if TYPE_CHECKING:
    import rich.progress

QUIET = 5.0  # seconds between two lines in a file: an hour has 720
REDRAW = 0.1  # seconds between two drawings of the bar
WINDOW = 30  # marks at intervals of a second or more, over which the speed is averaged
SHOWN = "loss/"  # the entries of a record that are shown


class Progress:
    """A bar on a terminal, or a plain line now and then in a file.

    Only `update` redraws the bar, without a thread, so that signals and exceptions pass unchanged and nothing
    remains after the `with` block.

    Args:
        total: the step at which the training ends.
        start: the step at which it starts; over 0 if a run is resumed.
        show: False for a process that prints nothing (every rank but 0).
        stream: stream to print to; standard error if None.
        clock: monotonic clock in seconds.

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
        self._last_shown: tuple[float, int] = (clock(), start)  # when, and of which step
        self._bar: rich.progress.Progress | None = None

    _open: ClassVar[list["Progress"]] = []

    @classmethod
    def current(cls) -> "Progress | None":
        """Return the display that is in use, the innermost; None if there is none."""
        return cls._open[-1] if cls._open else None

    def __enter__(self) -> "Progress":
        Progress._open.append(self)
        now = self._clock()
        self._marks.clear()
        self._marks.append((now, self.step))
        self._last_shown = (now, self.step)
        if self.show and is_watched(self._stream):
            self._bar = bar(self._stream)
            self._bar.add_task("", total=self.total, completed=self.step, line=self.line())
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show the last step, give the cursor back, and let any exception pass."""
        Progress._open.remove(self)
        if self._bar is not None:
            try:
                self._draw()
            finally:
                self._bar.stop()
                self._bar = None
        elif self._last_shown[1] != self.step:
            self._print()

    def update(self, step: int, record: Mapping[str, float] | None = None) -> None:
        """Report a step; this is cheap enough for every step.

        Args:
            step: number of steps done, of `total`.
            record: the log record of this step, if there is one; its `loss/...` are shown until the next.
        """
        now = self._clock()
        self.step = step
        if record is not None:
            self.losses = {name: value for name, value in record.items() if name.startswith(SHOWN)}
        if now - self._marks[-1][0] >= 1.0:
            self._marks.append((now, step))
        if self._bar is not None and now - self._last_shown[0] >= REDRAW:
            self._draw()
        elif self._bar is None and now - self._last_shown[0] >= QUIET:
            self._print()

    def note(self, text: str) -> None:
        """Show what goes on between two steps, such as an evaluation."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], line=f"step {self.step}/{self.total}  {text}")
            self._bar.refresh()
        elif self.show:
            tell(self._stream, text)

    def speed(self) -> float | None:
        """Steps per second over about the last half minute; None before it can be measured."""
        since, first = self._marks[0]
        seconds, steps = self._clock() - since, self.step - first
        return steps / seconds if seconds > 0 and steps > 0 else None

    def line(self) -> str:
        """Return step, speed, time left and losses in one line."""
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
            self._bar.update(self._bar.task_ids[0], completed=self.step, line=self.line())
            self._bar.refresh()
            self._last_shown = (self._clock(), self.step)

    def _print(self) -> None:
        self._last_shown = (self._clock(), self.step)
        if self.show:
            tell(self._stream, self.line())


ProgressFactory = Callable[[int, int, bool], Progress]  # of the total, the first step, and whether to show anything


def bar(stream: Any) -> "rich.progress.Progress":
    """Return a bar without rich's refresh thread, which would survive signals and forks."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    line = TextColumn("{task.fields[line]}", markup=False)
    return Progress(
        BarColumn(bar_width=24),
        line,
        console=Console(file=stream),
        auto_refresh=False,
        redirect_stdout=is_watched(sys.stdout),  # piped output must pass
    )


def _speed(speed: float) -> str:
    if speed < 1:
        return f"{1 / speed:.3g} s/step"
    return f"{speed:.1f} steps/s" if speed < 100 else f"{speed:.0f} steps/s"


def duration(seconds: float) -> str:
    """Format seconds as h:mm:ss, or m:ss under an hour.

    >>> duration(65), duration(3 * 3600 + 5)
    ('1:05', '3:00:05')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"

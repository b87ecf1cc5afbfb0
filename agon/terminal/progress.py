"""Progress of a training on the terminal: step, speed, time left and the last losses."""

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
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
WIDE, BAR, SHORT_BAR = 110, 24, 8  # columns of a terminal with room for the long bar; lengths of the bars
LETTERS = 3  # of a player's name, at least, where a line is very short


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
            self._bar.add_task("", total=self.total, completed=self.step, line=self.line(self.room))
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
            steps = f"{self.step}/{self.total}"
            line = fitting((f"step {steps}  {text}", f"{steps}  {text}", text), self.room)
            self._bar.update(self._bar.task_ids[0], line=line)
            self._bar.refresh()
        elif self.show:
            tell(self._stream, text)

    def speed(self) -> float | None:
        """Steps per second over about the last half minute; None before it can be measured."""
        since, first = self._marks[0]
        seconds, steps = self._clock() - since, self.step - first
        return steps / seconds if seconds > 0 and steps > 0 else None

    def line(self, room: float = math.inf) -> str:
        """Return step, speed, time left and losses in one line of at most `room` characters, if that is possible.

        A short line has shorter words, and then no speed and no time left, but always all losses.

        >>> progress = Progress(6500, 83, show=False)
        >>> progress.losses = {"loss/critic": 0.05341, "loss/generator": 0.6931}
        >>> progress.line(45), progress.line(30)
        ('83/6500  critic 0.0534  generator 0.693', '83/6500  cri 0.053  gen 0.69')
        """
        return fitting(self._forms(), room)

    @property
    def room(self) -> float:
        """Characters of a line beside the bar; infinite without a bar."""
        return math.inf if self._bar is None else room_beside(self._bar)

    def _forms(self) -> Iterator[str]:
        """The line in shorter and shorter words."""
        percent = 100 * self.step // self.total if self.total > 0 else 100  # 999 of 1000 is not yet 100 %
        steps, speed, left = f"{self.step}/{self.total}", self.speed(), max(self.total - self.step, 0)
        known = speed is not None or left == 0
        time_left = [f"{duration(left / speed if speed else 0)} left"] if known else []
        players = [name.removeprefix(SHOWN) for name in self.losses]
        whole = [f"step {steps} ({percent} %)", *([] if speed is None else [_speed(speed)]), *time_left]
        brief = [steps, *([] if speed is None else [_speed(speed, "/s")]), *time_left]
        yield "  ".join([*whole, *self._losses(self.losses, 4)])
        yield "  ".join([*whole, *self._losses(players, 4)])
        yield "  ".join([*brief, *self._losses(players, 3)])
        yield "  ".join([*brief, *self._losses(abbreviated(players), 2)])
        yield "  ".join([steps, *time_left, *self._losses(abbreviated(players), 2)])
        yield "  ".join([steps, *self._losses(abbreviated(players), 2)])

    def _losses(self, names: Iterable[str], digits: int) -> list[str]:
        pairs = zip(names, self.losses.values(), strict=True)
        return [f"{printable(name)} {value:.{digits}g}" for name, value in pairs]

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.step, line=self.line(self.room))
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

    line, console = TextColumn("{task.fields[line]}", markup=False), Console(file=stream)
    return Progress(
        BarColumn(bar_width=BAR if console.width >= WIDE else SHORT_BAR),
        line,
        console=console,
        auto_refresh=False,
        redirect_stdout=is_watched(sys.stdout),  # piped output must pass
    )


def room_beside(shown: "rich.progress.Progress") -> int:
    """Characters that the terminal has beside the bar."""
    from rich.progress import BarColumn

    bars = (column.bar_width or 0 for column in shown.columns if isinstance(column, BarColumn))
    return shown.console.width - sum(bars) - 1


def fitting(forms: Iterable[str], room: float) -> str:
    """Return the first form of a line that has at most `room` characters, or else the last form."""
    form = ""
    for form in forms:
        if len(form) <= room:
            break
    return form


def abbreviated(names: Iterable[str]) -> list[str]:
    """Return the beginnings of names, as short as they differ.

    >>> abbreviated(["critic", "generator"]), abbreviated(["judge_a", "judge_b"])
    (['cri', 'gen'], ['judge_a', 'judge_b'])
    """
    names = list(names)
    lengths = range(LETTERS, max(map(len, names), default=0))
    return next((short for n in lengths if len({*(short := [name[:n] for name in names])}) == len(names)), names)


def _speed(speed: float, unit: str = " steps/s") -> str:
    if speed < 1:
        return f"{1 / speed:.3g} s/step"
    return f"{speed:.1f}{unit}" if speed < 100 else f"{speed:.0f}{unit}"


def duration(seconds: float) -> str:
    """Format seconds as h:mm:ss, or m:ss under an hour.

    >>> duration(65), duration(3 * 3600 + 5)
    ('1:05', '3:00:05')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"

"""Progress of several jobs on the terminal: a bar for each running job, and how many are done."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agon.terminal import OutputStream, is_watched, tell
from agon.terminal.progress import QUIET, REDRAW, Progress, bar, duration, room_beside
from agon.untrusted import printable

if TYPE_CHECKING:
    import rich.progress


class MultiProgress:
    """One display for several jobs: bars on a terminal, a plain line now and then in a file.

    Args:
        steps: job name -> its number of steps.
        show: whether to print anything.
        stream: stream to print to; standard error if None.
        clock: monotonic clock in seconds.
        alike: whether the steps of all jobs take the same time, so that the time left can be estimated.

    >>> with MultiProgress({"seed-0": 10, "seed-1": 10}, show=False) as progress:
    ...     progress.update("seed-0", 10, 10)
    ...     progress.done("seed-0")
    ...     progress.update("seed-1", 4, 10)
    >>> progress.line()
    '1 of 2 done  seed-1 40 %'
    """

    def __init__(
        self,
        steps: Mapping[str, int],
        show: bool = True,
        stream: OutputStream | None = None,
        clock: Callable[[], float] = time.monotonic,
        alike: bool = True,
    ) -> None:
        self.alike = alike
        self.left = dict(steps)
        self.running: dict[str, Progress] = {}
        self.count, self.succeeded, self.failed = len(steps), 0, 0
        self.show, self._clock = show, clock
        self._stream = sys.stderr if stream is None else stream
        self._last_shown = clock()
        self._bar: rich.progress.Progress | None = None
        self._rows: dict[str, rich.progress.TaskID] = {}

    def __enter__(self) -> "MultiProgress":
        if self.show and is_watched(self._stream):
            self._bar = bar(self._stream)
            self._rows[""] = self._bar.add_task("", total=self.count, line=self._summary())
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show the last state, give the cursor back, and let any exception pass."""
        if self._bar is not None:
            try:
                self._draw()
            finally:
                self._bar.stop()
                self._bar = None
        else:
            self._print(self.line())

    def update(self, name: str, step: int, total: int, record: Mapping[str, float] | None = None) -> None:
        """Report that a job has reached a step; the first call shows its bar."""
        if name not in self.running:
            self.running[name] = Progress(total, step, show=False, stream=self._stream, clock=self._clock)
            if self._bar is not None:
                self._rows[name] = self._bar.add_task("", total=total, completed=step, line=name)
        self.running[name].update(step, record)
        self.left[name] = total - step
        since = self._clock() - self._last_shown
        if self._bar is not None and since >= REDRAW:
            self._draw()
        elif self._bar is None and since >= QUIET:
            self._print(self.line())

    def tick(self) -> None:
        """Print where the jobs are if nothing was printed for some time: none of them has begun, or all are busy."""
        if self._bar is None and self._clock() - self._last_shown >= QUIET:
            self._print(self.line())

    def done(self, name: str) -> None:
        """Report that a job is done."""
        self.drop(name)
        self.succeeded += 1
        self.say(f"{name}: done")

    def fail(self, name: str, sentence: str) -> None:
        """Report that a job has failed; the others go on."""
        self.drop(name)
        self.failed += 1
        self.say(f"{name}: {sentence}")

    def drop(self, name: str) -> None:
        """Remove a job that no longer runs."""
        self.running.pop(name, None)
        self.left.pop(name, None)
        if self._bar is not None and name in self._rows:
            self._bar.remove_task(self._rows.pop(name))

    def say(self, line: str) -> None:
        """Print a line that stays above the bars."""
        if self._bar is not None:
            self._bar.console.print(printable(line), markup=False, highlight=False)
            self._draw()
        else:
            self._print(line)

    def line(self) -> str:
        """Return how many jobs are done, the time left, and the progress of each running job."""
        reached = (
            f"{name} {100 * progress.step // max(progress.total, 1)} %" for name, progress in self.running.items()
        )
        return "  ".join([self._summary(), *reached])

    def _summary(self) -> str:
        parts = [f"{self.succeeded} of {self.count} done", *([f"{self.failed} failed"] if self.failed else [])]
        speeds = {name: speed for name, progress in self.running.items() if (speed := progress.speed())}
        if speeds and self.alike:
            together = sum(self.left.values()) / sum(speeds.values())
            longest = max(self.left[name] / speed for name, speed in speeds.items())
            parts.append(f"{duration(max(together, longest))} left")
        return "  ".join(parts)

    def _draw(self) -> None:
        if self._bar is not None:
            self._last_shown = self._clock()
            self._bar.update(self._rows[""], completed=self.succeeded + self.failed, line=self._summary())
            for name, progress in self.running.items():
                line = f"{name}  {progress.line(room_beside(self._bar) - len(name) - 2)}"
                self._bar.update(self._rows[name], completed=progress.step, line=line)
            self._bar.refresh()

    def _print(self, line: str) -> None:
        self._last_shown = self._clock()
        if self.show:
            tell(self._stream, line)

"""Time limits of jobs: which of them is to be stopped now, and which to be killed, since it did not stop."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agon.errors import DivergedError, SettingError, TimeLimitError
from agon.jobs.job import Ended

GRACE = 30.0  # seconds between SIGTERM and SIGKILL, as of SLURM
MOST = 525_600  # minutes of a year


@dataclass(frozen=True, kw_only=True)
class TimeLimits:
    """How long a job may take; None is no limit.

    Attributes:
        minutes: of each job, from its beginning to its end; one that starts again elsewhere has them again.
        minutes_without_progress: since the last step or line of a job; a score makes none, so it should fit in.

    Raises:
        SettingError: a limit is not over 0.
    """

    minutes: float | None = None
    minutes_without_progress: float | None = None

    def __post_init__(self) -> None:
        limits = {"--minutes-per-job": self.minutes, "--minutes-without-progress": self.minutes_without_progress}
        for name, limit in limits.items():
            if limit is not None and not 0 < limit <= MOST:
                raise SettingError(f"{name}: expected a number over 0, up to {MOST:,}, got {limit:g}")

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.minutes is not None or self.minutes_without_progress is not None


NO_LIMITS = TimeLimits()


@dataclass
class Timed:
    """The times of a running job, in seconds of a clock.

    Attributes:
        began: when it began.
        heard: when it last made progress.
        stopped: when it was told to stop, if it was.
        killed: whether it was killed.
        reason: why it was told to stop.
    """

    began: float
    heard: float
    stopped: float | None = None
    killed: bool = False
    reason: str = ""


class Watch:
    """Watches the time of running jobs, on the executor's side, so that a job that hangs cannot miss its limit.

    Args:
        limits: of each job.
        clock: monotonic clock in seconds.

    >>> now = [0.0]
    >>> watch = Watch(TimeLimits(minutes=1), clock=lambda: now[0])
    >>> watch.begin("seed-0")
    >>> now[0] = 60.0
    >>> list(watch.due()), list(watch.due())
    ([('seed-0', 'stop')], [])
    >>> now[0] += GRACE
    >>> list(watch.due())
    [('seed-0', 'kill')]
    """

    def __init__(self, limits: TimeLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.jobs: dict[str, Timed] = {}

    def begin(self, name: str) -> None:
        """Note that a job begins, for the first time or again."""
        now = self.clock()
        self.jobs[name] = Timed(now, now)

    def hear(self, name: str) -> None:
        """Note that a job makes progress."""
        if name in self.jobs:
            self.jobs[name].heard = self.clock()

    def due(self) -> Iterator[tuple[str, Literal["stop", "kill"]]]:
        """Yield the jobs that are over a limit, each once to be stopped, and once to be killed if it did not stop."""
        now = self.clock()
        for name, job in self.jobs.items() if self.limits.limited else ():
            if job.stopped is None:
                job.reason = self._reason(job, now)
                if job.reason:
                    job.stopped = now
                    yield name, "stop"
            elif not job.killed and now >= job.stopped + GRACE:
                job.killed = True
                yield name, "kill"

    def _reason(self, job: Timed, now: float) -> str:
        minutes, silent = self.limits.minutes, self.limits.minutes_without_progress
        if minutes is not None and now >= job.began + 60 * minutes:
            return f"it took longer than {_spelled(minutes)}"
        if silent is not None and now >= job.heard + 60 * silent:
            return f"it made no progress for {_spelled(silent)}"
        return ""

    def over(self, name: str) -> bool:
        """Whether a job was told to stop."""
        return name in self.jobs and self.jobs[name].stopped is not None

    def ended(self, name: str, result: Ended) -> Ended:
        """Return how a job ended: by its limit, unless it has succeeded or diverged all the same; forget its times."""
        job = self.jobs.pop(name, None)
        if job is None or job.stopped is None or result.status in (0, DivergedError.status):
            return result
        end = f"killed, as it did not stop within {GRACE:g} seconds" if job.killed else "stopped"
        return Ended(TimeLimitError.status, f"{job.reason} and was {end}; what it had written is kept")


def _spelled(minutes: float) -> str:
    """Spell a duration.

    >>> _spelled(1), _spelled(0.5), _spelled(90)
    ('1 minute', '30 seconds', '90 minutes')
    """
    if minutes < 1:
        return f"{60 * minutes:.3g} seconds"
    return f"{minutes:g} minute{'s' * (minutes != 1)}"

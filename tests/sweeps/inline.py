"""An executor that does jobs in this process, one after another, and can be killed after some of them."""

from collections.abc import Sequence
from typing import ClassVar

from agon.jobs import Ended, Job, Outcome, TimeLimits, failure
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import Progress


class Killed(BaseException):
    """What no code of a sweep catches, as none catches a SIGKILL."""


class Inline:
    """Does jobs in this process.

    `done` has the names of those that ended, `kills_after` is how many may, and those in `late` are over their limit.
    """

    done: ClassVar[list[str]] = []
    kills_after: ClassVar[int | None] = None
    late: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, jobs: Sequence[Job], workers: int, limits: TimeLimits) -> None:
        self.jobs = jobs

    def run(self, progress: MultiProgress) -> Outcome:
        """Do all jobs."""
        ended: dict[str, Ended] = {}
        for job in self.jobs:
            if len(self.done) == self.kills_after:
                raise Killed
            if job.name in self.late:
                ended[job.name] = Ended(124, "it took longer than 1 minute and was stopped")
                continue
            try:
                job.work(lambda total, start, show: Progress(total, start, show=False))
                ended[job.name] = Ended(0, "")
            except Exception as error:
                ended[job.name] = failure(error, print)
            self.done.append(job.name)
        return Outcome(ended, 0)

"""Progress of a count on the terminal: a line every few seconds, none if it takes less."""

import sys
import time
from collections.abc import Callable

from agon.terminal import OutputStream, tell
from agon.terminal.progress import duration

QUIET = 5.0  # seconds without a line


class Counting:
    """Says how much of a count is done, and how long the rest will take.

    Args:
        doing: what is done, such as "looking at images".
        total: the count at the end.
        stream: stream to print to; standard error if None.
        clock: monotonic clock in seconds.

    >>> times = iter([0.0, 1.0, 6.0])
    >>> counting = Counting("looking at images", 400, sys.stdout, lambda: next(times))
    >>> counting.update(50)
    >>> counting.update(100)
    looking at images: 100 of 400, 0:18 left
    """

    def __init__(
        self,
        doing: str,
        total: int,
        stream: OutputStream | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.doing, self.total = doing, total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._begun = self._last = clock()

    def update(self, done: int) -> None:
        """Report how much is done; this is cheap."""
        now = self._clock()
        if now - self._last >= QUIET and done:
            self._last = now
            left = (now - self._begun) / done * max(self.total - done, 0)
            tell(self._stream, f"{self.doing}: {done:,} of {self.total:,}, {duration(left)} left")

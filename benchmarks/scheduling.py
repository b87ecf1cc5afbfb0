"""How long the threads of a process ran, and how long they waited for a core, as Linux counts it."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.report import table

TASKS = Path("/proc/self/task")


class Scheduled(NamedTuple):
    """Seconds, added up over threads; zero where the system does not count them.

    Attributes:
        running: on a core.
        waiting: ready to run, while others had the cores.
    """

    running: float
    waiting: float

    @classmethod
    def now(cls) -> "Scheduled":
        """Of this process, so far."""
        counted = [list(map(int, file.read_text().split())) for file in TASKS.glob("*/schedstat")]
        return cls(*(sum(each[place] for each in counted) / 1e9 for place in (0, 1)))

    def since(self, before: "Scheduled") -> "Scheduled":
        """What was added."""
        return Scheduled(self.running - before.running, self.waiting - before.waiting)


def explanation(rows: Sequence[tuple[str, str, int, float, Sequence[Scheduled]]]) -> str:
    """A table of what rows' threads did, each of a name, whose, threads, ms of a step, and each step's times."""
    lines = [
        (name, whose, str(threads), f"{wall:.0f}", *(f"{1000 * median(each):.0f}" for each in zip(*steps, strict=True)))
        for name, whose, threads, wall, steps in rows
    ]
    heads = ("set, busy processes", "", "threads", "wall", "running", "waiting for a core")
    return (
        "\n\nWhat the threads of a step did in the rows beside one busy process, and with none, in ms, added up over a "
        "process's threads. A thread that waits for another one in a loop runs, too.\n\n" + table(heads, lines)
    )

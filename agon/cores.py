"""The cores that this process may use, and how many of them nothing else uses.

Threads that share a layer wait for the slowest one. Beside other work that is the one without a core, and every step
takes many times as long as with one thread (docs/benchmarks.md, "Beside other work").
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from agon.ranks import Ranks, joined

STAT = Path("/proc/stat")
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of CPU in a period of microseconds
SHORTEST, LONGEST = 0.2, 30.0  # seconds over which other work is measured
USER, SYSTEM, IRQ, SOFTIRQ, STEAL = 0, 2, 5, 6, 7  # columns of STAT; 1 is the work that makes way for others
ASKED = os.environ.get("OMP_NUM_THREADS") if "TORCHELASTIC_RUN_ID" not in os.environ else None  # torchrun sets 1


class CpuTimes(NamedTuple):
    """Seconds at a moment: of the clock, of CPU by all processes on these cores, and by this one."""

    clock: float
    all: float
    own: float


def cores() -> int:
    """The number of cores that this process may use: its affinity, at most its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _quota() or allowed)


def busy_cores() -> float:
    """How many of these cores other processes use, on average over the last moments; 0 where the system does not tell.

    The moments since agon was imported or this was asked last, if they are 0.2 to 30 s; else it waits for 0.2 s.
    """
    global _last
    if not SHORTEST <= time.monotonic() - _last.clock <= LONGEST:
        _last = _times()
        time.sleep(SHORTEST)
    before, _last = _last, _times()
    others = (_last.all - before.all) - (_last.own - before.own)
    return max(0.0, others / (_last.clock - before.clock))


def default_threads(devices: int, ranks: Ranks | None = None) -> int:
    """Threads of each of so many processes: OMP_NUM_THREADS if a user has set it, else the cores that are free.

    Where torchrun or SLURM has started the processes, they are each other's work, and all cores are shared among them.
    """
    if ASKED is not None and ASKED.isdecimal() and int(ASKED):
        return int(ASKED)
    if ranks is not None:
        return ranks.share(cores())
    free = cores() - busy_cores() if cores() > devices else cores()
    return max(1, int(free + 0.5) // devices)


def of_few_threads(threads: int, devices: int) -> list[str]:
    """A line that says why a training by default takes fewer threads than there are cores; none if it does not."""
    every = max(1, cores() // devices)
    if threads >= every or ASKED is not None or joined() is not None:  # a launcher has shared the cores out
        return []
    return [
        f"threads: {threads} of {every} cores, as other processes use the rest, and threads that wait for each other "
        f"make every step slower; --threads {every} takes all"
    ]


def _quota() -> int | None:
    """The whole cores of a container's quota, at least 1; None without one."""
    try:
        allowed, period = QUOTA.read_text().split()
        return max(1, int(allowed) // int(period))
    except (OSError, ValueError):  # "max" is no number
        return None


def _times() -> CpuTimes:
    try:
        lines = STAT.read_text().splitlines()
    except OSError:  # another system
        return CpuTimes(time.monotonic(), 0.0, 0.0)
    return CpuTimes(time.monotonic(), _used(lines), time.process_time())


def _used(lines: Iterable[str]) -> float:
    """Seconds of CPU on the cores of this process, but for work that makes way for others."""
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    columns = [line.split()[1:] for line in lines if line.partition(" ")[0] in mine]
    ticks = sum(int(row[i]) for row in columns for i in (USER, SYSTEM, IRQ, SOFTIRQ, STEAL) if i < len(row))
    return ticks / os.sysconf("SC_CLK_TCK")


_last = _times()

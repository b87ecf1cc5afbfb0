"""What Ray costs a job beside worker processes, and what many jobs cost the command that waits for them.

    python -m benchmarks.jobs [JOBS] [SECONDS]        # 16 jobs of 3 s; the bound is for 32 of 10 s
    python -m benchmarks.jobs many [JOBS] [SECONDS]   # 1,000 jobs of 0.1 s: jobs a second, memory of the driver

The same jobs go through both executors, two at a time. A job waits, in steps of 50 ms that it reports, and computes
nothing, so that what is measured is the executor and not who else uses the cores.
"""

import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from agon.jobs import PROCESSES, Job, OnRay, executor_for
from agon.jobs.session import session
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from benchmarks.provenance import machine

STEP, AT_ONCE = 0.05, 2  # seconds; jobs at a time
BOUND = 1.15  # of Ray's time over that of processes, for 32 jobs of 10 s
MARKS = (0.1, 0.5, 1.0)  # shares of the jobs, after which the driver's memory is read


class Measured(NamedTuple):
    """What an executor took.

    Attributes:
        seconds: from before it starts anything to the end of the last job.
        memory: number of jobs that were done -> MiB of the driver then.
    """

    seconds: float
    memory: Mapping[int, float]


class CountingProgress(MultiProgress):
    """A display that reads the memory of this process after some of the jobs."""

    def __init__(self, steps: Mapping[str, int]) -> None:
        super().__init__(steps, show=False)
        self.marks = {max(1, round(share * len(steps))) for share in MARKS}
        self.memory: dict[int, float] = {}

    def done(self, name: str) -> None:
        super().done(name)
        if self.succeeded in self.marks:
            self.memory[self.succeeded] = resident()


def resident() -> float:
    """MiB of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def wait(seconds: float, progress: ProgressFactory) -> None:
    """Wait for so many seconds, in steps."""
    steps = round(seconds / STEP)
    with progress(steps, 0, True) as shown:
        for step in range(1, steps + 1):
            time.sleep(STEP)
            shown.update(step)


def measured(on: Any, count: int, seconds: float) -> Measured:
    """What an executor takes for so many jobs.

    Args:
        on: of `executor_for`.
        count: number of jobs.
        seconds: of each.
    """
    from benchmarks.jobs import wait  # not from __main__, which no other process imports

    jobs = [Job(f"job-{number}", partial(wait, seconds)) for number in range(count)]
    began = time.perf_counter()
    with CountingProgress({job.name: round(seconds / STEP) for job in jobs}) as progress:
        outcome = executor_for(jobs, AT_ONCE, on).run(progress)
    took = time.perf_counter() - began
    assert len(outcome.ended) == count
    assert not any(ended.status for ended in outcome.ended.values())
    return Measured(took, progress.memory)


@contextmanager
def warm_ray() -> Iterator[None]:
    """A Ray whose workers are there and have imported torch."""
    with session(""):
        measured("ray", AT_ONCE, STEP)
        yield


def compared(count: int, seconds: float) -> Iterator[str]:
    """Time both executors, each from nothing and then again; a row for each, and the ratio that is bounded."""
    yield f"{count} jobs of {seconds:g} s, {AT_ONCE} at a time; {machine()}"
    ideal = -(-count // AT_ONCE) * seconds

    def row(name: str, took: float) -> str:
        return f"| {name} | {took:.1f} | {took / ideal:.3f} | {(took - ideal) * AT_ONCE / count:.2f} |"

    cold = measured(PROCESSES, count, seconds).seconds
    yield row("processes, from nothing", cold)
    yield row("processes, whose server is there", measured(PROCESSES, count, seconds).seconds)
    ray = measured(OnRay(), count, seconds).seconds
    yield row("Ray, from nothing", ray)
    with warm_ray():
        yield row("Ray, whose workers are there", measured("ray", count, seconds).seconds)
    yield f"from nothing, Ray took {ray / cold:.3f} times as long; the bound for 32 jobs of 10 s is {BOUND}"


def many(count: int, seconds: float, places: Sequence[str] = (PROCESSES, "ray")) -> Iterator[str]:
    """Put many short jobs through executors that are warm; a row for each: jobs a second, memory of the driver."""
    yield f"{count} jobs of {seconds:g} s, {AT_ONCE} at a time; {machine()}"
    for on in places:
        if on == PROCESSES:
            measured(on, AT_ONCE, STEP)
            took = measured(on, count, seconds)
        else:
            with warm_ray():
                took = measured(on, count, seconds)
        marks = ", ".join(f"{jobs:,}: {memory:.1f}" for jobs, memory in sorted(took.memory.items()))
        grown = max(took.memory.values()) - took.memory[min(took.memory)]
        yield f"| {on} | {took.seconds:.1f} | {count / took.seconds:.1f} | {marks} | {grown:+.1f} |"


def main(words: Sequence[str]) -> None:
    """Print the rows of what is asked for."""
    if words[:1] == ["many"]:
        numbers, rows, usual = words[1:], many, (1_000, 0.1)
    else:
        numbers, rows, usual = words, compared, (16, 3.0)
    count = int(numbers[0]) if numbers else int(usual[0])
    for row in rows(count, float(numbers[1]) if len(numbers) > 1 else usual[1]):
        print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

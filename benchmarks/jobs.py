"""What Ray costs a job beside worker processes: python -m benchmarks.jobs [JOBS] [SECONDS].

The same jobs go through both executors, two at a time. A job waits, in steps of 50 ms that it reports, and computes
nothing, so that what is measured is the executor and not who else uses the cores.
"""

import sys
import time
from functools import partial

from agon.jobs import PROCESSES, Job, executor_for
from agon.jobs.session import session
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from benchmarks.provenance import machine

STEP, AT_ONCE = 0.05, 2  # seconds; jobs at a time


def wait(seconds: float, progress: ProgressFactory) -> None:
    """Wait for so many seconds, in steps."""
    steps = round(seconds / STEP)
    with progress(steps, 0, True) as shown:
        for step in range(1, steps + 1):
            time.sleep(STEP)
            shown.update(step)


def timed(on: str, count: int, seconds: float) -> float:
    """Seconds that an executor takes for so many jobs, from before it starts anything to the end of the last."""
    from benchmarks.jobs import wait  # not from __main__, which no other process imports

    jobs = [Job(f"job-{number}", partial(wait, seconds)) for number in range(count)]
    began = time.perf_counter()
    with MultiProgress({job.name: round(seconds / STEP) for job in jobs}, show=False) as progress:
        outcome = executor_for(jobs, AT_ONCE, on).run(progress)
    took = time.perf_counter() - began
    assert len(outcome.ended) == count
    assert not any(ended.status for ended in outcome.ended.values())
    return took


def main(count: int, seconds: float) -> None:
    """Time both executors, each from nothing and then again, and print a row for each."""
    print(f"{count} jobs of {seconds:g} s, {AT_ONCE} at a time; {machine()}")
    ideal = -(-count // AT_ONCE) * seconds

    def row(name: str, on: str) -> None:
        took = timed(on, count, seconds)
        print(f"| {name} | {took:.1f} | {took / ideal:.3f} | {(took - ideal) * AT_ONCE / count:.2f} |", flush=True)

    row("processes, from nothing", PROCESSES)
    row("processes, whose server is there", PROCESSES)
    row("Ray, from nothing", "ray")
    with session(""):
        timed("ray", AT_ONCE, STEP)  # its workers import torch
        row("Ray, whose workers are there", "ray")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16, float(sys.argv[2]) if len(sys.argv) > 2 else 3.0)

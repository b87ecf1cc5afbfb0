"""A DCGAN step beside other work: agon's training with the threads that it chooses, and the hand-written loop.

python -m benchmarks.beside SIDE NAME FILE: takes steps, and answers each line of its standard input, a number of steps,
with the number of its threads, the seconds that they took, and how long the threads ran and waited for a core.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.report import Section, shown, table
from benchmarks.scheduling import Scheduled, explanation
from benchmarks.sets import Set
from benchmarks.timing import Rounds, by_turns

WARM = 3  # steps
SPIN = "while True: pass"
BOUND = 0.3  # beside one busy process
ROW = 15  # seconds of a row's rounds
NEW = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY"}  # a user who has set nothing


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set and number of busy processes beside the training."""
    rounds = Rounds(1) if quick else Rounds(8, 3, BOUND, least=4, seconds=ROW)
    rows = [row for each in sets for row in _rows(each, rounds)]
    told = [line for _, threads in rows for line in threads]
    return Section(
        "Beside other work",
        "An alternating DCGAN step, batch 64, width 64, beside processes that keep a core busy each. Ours is "
        "`Training.advance` with the threads that a training takes by default; theirs `benchmarks/hand_written.py` "
        "with torch's own number. Each in a process of its own, ours begun when the others are busy already, as it "
        f"looks at them once, when it begins. By turns: {rounds}; medians, 95 % bootstrap interval. Bound: {BOUND} "
        "beside one busy process. Ours cannot be below one thread's time on a core of its own; how much theirs "
        "loses, whose threads wait for each other, depends on the system's scheduler.",
        table(
            (
                *("set", "busy processes", "our threads", "ours, ms", "their threads", "theirs, ms"),
                *("ours / theirs", "95 % interval", "rounds"),
            ),
            [row for row, _ in rows],
        )
        + explanation(told),
    )


Threads = tuple[str, str, int, float, Sequence[Scheduled]]


def _rows(each: Set, rounds: Rounds) -> Iterator[tuple[tuple[str, ...], list[Threads]]]:
    """A line for each number of busy processes, and what the threads of both sides did if there is at most one."""
    with _side("hand-written", each) as theirs:
        theirs.seconds(WARM)  # so that it waits when ours looks at what else is busy
        for busy in (0, 1, 2):
            with _working(busy), _side("ours", each) as ours:
                for one in (ours, theirs):
                    one.seconds(WARM)
                    one.steps.clear()
                c = by_turns(ours.seconds, theirs.seconds, rounds if busy == 1 else replace(rounds, bound=None))
            ratio = f"**{c.ratio:.2f}**" if busy == 1 else f"{c.ratio:.2f}"
            times = (str(ours.threads), f"{c.ours:.0f}", str(theirs.threads), f"{c.theirs:.0f}")
            both = (("ours", ours, c.ours), ("theirs", theirs, c.theirs))
            did = [(f"{each.name}, {busy}", whose, one.threads, wall, list(one.steps)) for whose, one, wall in both]
            line = (each.name, str(busy), *times, ratio, f"{c.low:.2f}-{c.high:.2f}", f"{c.rounds}")
            yield shown(line), did if busy <= 1 else []


@contextmanager
def _working(busy: int) -> Iterator[None]:
    """Within it, so many processes are busy."""
    others = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(busy)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


class Side:
    """A side in a process of its own.

    Attributes:
        threads: that it computes with, known after its first steps.
        steps: what its threads did in a step, one for each time that it was asked for some.
    """

    threads: int

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.steps: list[Scheduled] = []

    def seconds(self, steps: int) -> float:
        """Wall time of that many steps."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(steps, file=self._process.stdin, flush=True)
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("a process beside others has ended")
        threads, seconds, *did = map(float, line.split())
        self.threads = int(threads)
        self.steps.append(Scheduled(*(each / steps for each in did)))
        return seconds


@contextmanager
def _side(side: str, each: Set) -> Iterator[Side]:
    """Within it, the side's process lives."""
    environment = {name: value for name, value in os.environ.items() if name not in NEW}
    command = [sys.executable, "-m", "benchmarks.beside", side, each.name, str(each.file)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process: subprocess.Popen[str] = subprocess.Popen(command, env=environment, **pipes)  # type: ignore[call-overload]
    try:
        yield Side(process)
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """One side."""
    import torch

    from agon.training import Compute
    from benchmarks.sides import agon_side, hand_written_side

    side, each = sys.argv[1], Set(sys.argv[2], Path(sys.argv[3]), real=True)
    if side == "ours":
        how = Compute(device="cpu").resolved()
        torch.set_num_threads(how.threads)
        advance = agon_side(each, "round", how).advance
    else:
        advance = hand_written_side(each).advance
    with suppress(BrokenPipeError):
        for line in sys.stdin:
            before, began = Scheduled.now(), time.perf_counter()
            for _ in range(int(line)):
                advance()
            took = time.perf_counter() - began
            print(torch.get_num_threads(), took, *Scheduled.now().since(before), flush=True)


if __name__ == "__main__":
    main()

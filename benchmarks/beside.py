"""A DCGAN step beside other work: agon's training with the threads that it chooses, and the hand-written loop.

python -m benchmarks.beside SIDE NAME FILE: takes steps, and answers each line of its standard input, a number of steps,
with the number of its threads and the seconds that they took.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.report import Section, table
from benchmarks.sets import Set

SPIN = "while True: pass"
SIDES = ("ours", "hand-written")
NEW = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY"}  # a user who has set nothing


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set and number of busy processes beside the training."""
    rounds, steps = (1, 2) if quick else (3, 20)
    rows = [_row(each, busy, rounds, steps) for each in sets for busy in (0, 1, 2)]
    return Section(
        "Beside other work",
        "An alternating DCGAN step, batch 64, width 64, beside processes that keep a core busy each. Ours is "
        "`Training.advance` with the threads that a training takes by default; theirs `benchmarks/hand_written.py` "
        "with torch's own number. Each in a fresh process, begun when the others are busy already, by turns: median of "
        f"{rounds} processes of {steps} steps. Bound: 0.3 beside one busy process.",
        table(
            ("set", "busy processes", "our threads", "ours, ms", "their threads", "theirs, ms", "ours / theirs"), rows
        ),
    )


def _row(each: Set, busy: int, rounds: int, steps: int) -> tuple[str, ...]:
    with _working(busy):
        taken = {name: [] for name in SIDES}
        for at in range(rounds):
            for name in SIDES if at % 2 == 0 else SIDES[::-1]:
                taken[name].append(_taken(name, each, steps))
    threads = {name: "/".join(sorted({str(count) for count, _ in taken[name]})) for name in SIDES}
    ours, theirs = (statistics.median(seconds / steps * 1_000 for _, seconds in taken[name]) for name in SIDES)
    ratio = f"**{ours / theirs:.2f}**" if busy == 1 else f"{ours / theirs:.2f}"
    return (each.name, str(busy), threads["ours"], f"{ours:.0f}", threads["hand-written"], f"{theirs:.0f}", ratio)


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


def _taken(side: str, each: Set, steps: int) -> tuple[int, float]:
    """Threads of a side in a process of its own, and the seconds of so many steps after three."""
    environment = {name: value for name, value in os.environ.items() if name not in NEW}
    command = [sys.executable, "-m", "benchmarks.beside", side, each.name, str(each.file)]
    answers = subprocess.run(
        command, input=f"3\n{steps}\n", env=environment, capture_output=True, text=True, check=True
    )
    threads, seconds = answers.stdout.split("\n")[1].split()
    return int(threads), float(seconds)


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
            began = time.perf_counter()
            for _ in range(int(line)):
                advance()
            print(torch.get_num_threads(), time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()

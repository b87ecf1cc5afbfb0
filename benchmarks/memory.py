"""Peak memory of the trainer above that of the hand-written loop, each in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.report import Section, table
from benchmarks.sets import Set

MIB = 2**20
HEADS = ("set", "side", "peak, MiB", "above theirs", "peak of the steps, MiB", "above theirs")


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set and side."""
    steps = 4 if quick else 30
    return Section(
        "Memory",
        f"High-water mark of the resident set of a process of {steps} steps, the set in memory on both "
        "sides. Ours is `agon.train` with three checkpoints, samples and a log; ours without its run is "
        "`Training.advance` alone; theirs writes nothing. Files that are mapped count as long as their "
        "pages are in memory; the last columns leave out what opening the set took. Bound: 10 % above theirs.",
        table(HEADS, list(_rows(sets, steps))),
    )


def _rows(sets: list[Set], steps: int) -> Iterator[tuple[str, ...]]:
    for each in sets:
        peaks = {side: _peaks(side, each, steps) for side in SIDES}
        theirs = peaks["hand-written"]
        for side, (peak, stepping) in peaks.items():
            bold = "**" if side == "agon.train" else ""
            above = f"{bold}{peak / theirs[0] - 1:+.1%}{bold}"
            yield each.name, side, _mib(peak), above, _mib(stepping), f"{stepping / theirs[1] - 1:+.1%}"


def _mib(size: int) -> str:
    return f"{size / MIB:.0f}"


def _peaks(side: str, of: Set, steps: int) -> tuple[int, int]:
    """Bytes, of the whole process and of its steps, as the process that runs one side tells them."""
    command = [sys.executable, "-m", "benchmarks.memory", side, of.name, str(of.file), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return int(told["peak"]), int(told["stepping"])


def _theirs(of: Set, steps: int) -> int:
    from benchmarks.sides import hand_written_side

    return _stepped(hand_written_side(of).advance, steps)


def _advance(of: Set, steps: int) -> int:
    from benchmarks.sides import agon_side

    return _stepped(agon_side(of).advance, steps)


def _train(of: Set, steps: int) -> int:
    from agon import train
    from agon.training.recording import Recording
    from benchmarks.sides import agon_experiment, compute

    before: list[int] = []
    enter = Recording.__enter__

    def entered(recording: Recording) -> Recording:  # the set is open, the steps begin
        before.append(restart())
        return enter(recording)

    Recording.__enter__ = entered  # type: ignore[method-assign]
    every = max(1, steps // 2)
    experiment = replace(agon_experiment(of), steps=steps, checkpoint_every=every, sample_every=every)
    with tempfile.TemporaryDirectory() as folder:
        train(experiment, Path(folder) / "run", compute=compute(), show=False)
    return before[0]


def _stepped(advance: Callable[[], object], steps: int) -> int:
    before = restart()
    for _ in range(steps):
        advance()
    return before


def restart() -> int:
    """The high-water mark so far, in bytes; it starts anew from here."""
    mark = high_water()
    Path("/proc/self/clear_refs").write_text("5")
    return mark


def high_water() -> int:
    """Bytes. Not `ru_maxrss`, which a process inherits from the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


SIDES: dict[str, Callable[[Set, int], int]] = {
    "hand-written": _theirs,
    "agon.train": _train,
    "agon, without its run": _advance,
}

if __name__ == "__main__":
    torch.set_num_threads(2)
    name, of, file, count = sys.argv[1:]
    opening = SIDES[name](Set(of, Path(file), True), int(count))
    print(json.dumps({"peak": max(opening, high_water()), "stepping": high_water()}))

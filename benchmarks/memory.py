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


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set and side."""
    steps = 4 if quick else 30
    return Section(
        "Memory",
        f"High-water mark of the resident set of a process of {steps} steps, the set in memory on both "
        "sides. Ours is `agon.train` with three checkpoints, samples and a log; ours without its run is "
        "`Training.advance` alone; theirs writes nothing. Files that are mapped count as long as their "
        "pages are in memory. Bound: 10 % above theirs.",
        table(("set", "side", "peak, MiB", "above theirs"), list(_rows(sets, steps))),
    )


def _rows(sets: list[Set], steps: int) -> Iterator[tuple[str, ...]]:
    for each in sets:
        peaks = {side: _peak(side, each, steps) for side in SIDES}
        theirs = peaks["hand-written"]
        for side, peak in peaks.items():
            bold = "**" if side == "agon.train" else ""
            yield each.name, side, f"{peak / MIB:.0f}", f"{bold}{peak / theirs - 1:+.1%}{bold}"


def _peak(side: str, of: Set, steps: int) -> int:
    """Bytes, as the process that runs one side tells them."""
    command = [sys.executable, "-m", "benchmarks.memory", side, of.name, str(of.file), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout.splitlines()[-1])["peak"])


def _theirs(of: Set, steps: int) -> None:
    from benchmarks.sides import hand_written_side

    side = hand_written_side(of)
    for _ in range(steps):
        side.advance()


def _advance(of: Set, steps: int) -> None:
    from benchmarks.sides import agon_side

    side = agon_side(of)
    for _ in range(steps):
        side.advance()


def _train(of: Set, steps: int) -> None:
    from agon import train
    from benchmarks.sides import agon_experiment, arithmetic

    every = max(1, steps // 2)
    experiment = replace(agon_experiment(of), steps=steps, checkpoint_every=every, sample_every=every)
    with tempfile.TemporaryDirectory() as folder:
        train(experiment, Path(folder) / "run", arithmetic=arithmetic(), show=False)


SIDES: dict[str, Callable[[Set, int], None]] = {
    "hand-written": _theirs,
    "agon.train": _train,
    "agon, without its run": _advance,
}


def _high_water() -> int:
    """Bytes. Not `ru_maxrss`, which a process inherits from the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    torch.set_num_threads(2)
    name, of, file, count = sys.argv[1:]
    SIDES[name](Set(of, Path(file), True), int(count))
    print(json.dumps({"peak": _high_water()}))

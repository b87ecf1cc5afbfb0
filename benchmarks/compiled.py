"""Whether torch.compile makes this step faster on a CPU."""

import shutil
import time
from collections.abc import Iterator

import torch

from benchmarks.report import Section, table
from benchmarks.sets import Set
from benchmarks.sides import THREADS, agon_side, compute
from benchmarks.timing import compared


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set; empty where there is no C++ compiler."""
    torch.set_num_threads(THREADS)
    rows = list(_rows(sets, 6 if quick else 30)) if shutil.which("g++") else []
    return Section(
        "Compiling on a CPU",
        "agon's step with `--compile on` (torch.compile, inductor) over the same without, by turns. The "
        "first step is the one that compiles. The default, `auto`, compiles on CUDA only, and only where "
        "it measures faster." + ("" if rows else " Not run: there is no C++ compiler here."),
        table(("set", "compiled, ms", "not, ms", "compiled / not", "95 % interval", "first step, s"), rows),
    )


def _rows(sets: list[Set], rounds: int) -> Iterator[tuple[str, ...]]:
    for each in sets:
        compiled, plain = agon_side(each, how=compute(compile="on")), agon_side(each)
        began = time.perf_counter()
        compiled.advance()
        first = time.perf_counter() - began
        c = compared(compiled.advance, plain.advance, rounds=rounds, steps=2)
        interval = f"{c.low:.3f}-{c.high:.3f}"
        yield each.name, f"{c.ours:.1f}", f"{c.theirs:.1f}", f"{c.ratio:.3f}", interval, f"{first:.0f}"

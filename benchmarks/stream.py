"""The stream's share of a step: how long a training waits for its data."""

import statistics
from collections.abc import Iterator

import torch

from agon.data import MEMORY, Stream
from benchmarks.report import Section, table
from benchmarks.sets import Set
from benchmarks.sides import BATCH, THREADS, agon_side
from benchmarks.timing import seconds


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each set, in memory and memory-mapped."""
    torch.set_num_threads(THREADS)
    times = 5 if quick else 30
    return Section(
        "The stream",
        f"`Stream.draw` of {BATCH} images (index, convert, scale to [-1, 1]) over one step of agon's "
        f"trainer, drawing included; medians of {times}, a draw after each step, so that caches are as cold as in a "
        "training. Memory-mapped means a budget of 0 bytes: every batch is read from the decoded cache. "
        "Bound: a share under 3 %.",
        table(("set", "where", "draw, ms", "step, ms", "share"), list(_rows(sets, times))),
    )


def _rows(sets: list[Set], times: int) -> Iterator[tuple[str, ...]]:
    for each in sets:
        training = agon_side(each)
        seconds(training.advance, 3)
        for where, memory in (("in memory", MEMORY), ("memory-mapped", 0)):
            stream = Stream(each.source, batch=BATCH, seed=0, memory=memory)
            seconds(stream.draw, 3)
            pairs = [(seconds(training.advance, 1), seconds(stream.draw, 1)) for _ in range(times)]
            step, draw = (statistics.median(side) for side in zip(*pairs, strict=True))
            yield each.name, where, f"{1000 * draw:.3f}", f"{1000 * step:.1f}", f"**{draw / step:.2%}**"

"""How time and memory of the main jobs grow: a curve for each size, its exponent, and a picture."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

from agon.figures.drawing import drawing_png, sheet
from benchmarks.growing import BATCH, GROWTHS, SIDE, WIDTH, Call, Growth
from benchmarks.memory import MIB, high_water, restart
from benchmarks.report import PAGE, Section, table

PICTURE = PAGE.parent / "gallery" / "growth.png"
INK, PALE, COLUMNS = "#2f6db5", "#8c959f", 4
LEFT_OUT = (
    "Left out, to stay within minutes: compiled look-aheads (see the unrolled step against K), more than 8 seeds in "
    "processes (each is one more start and one more training on its core), and sets larger than 256 MB, whose batches "
    "a disk reads, and not the memory that holds its files"
)


class Point(NamedTuple):
    """One measurement: milliseconds, and MiB above what was resident before the work was prepared."""

    milliseconds: float
    mebibytes: float


def section(quick: bool) -> Section:
    """A row for each curve; the picture beside the page, unless it is quick."""
    few = 2 if quick else None
    found = {name: [_apart(name, size) for size in growth.sizes[:few]] for name, growth in GROWTHS.items()}
    if not quick:
        PICTURE.write_bytes(picture(found))
    return Section(
        "Growth",
        f"Each point in a process of its own with one thread: its processor time, the median of a few calls (wall time "
        f"where other processes do the work). A DCGAN has width {WIDTH}, batch {BATCH} and {SIDE}x{SIDE} pixels unless "
        "that is what grows. The exponent is the slope through the larger half of the points, both axes logarithmic: 1 "
        f"means in proportion, and the dashed lines have it. Memory is the peak above what was resident before. "
        f"{LEFT_OUT}. {breaks_first(found)}\n\n![time against size, a panel a job](gallery/growth.png)",
        table(
            ("what", "grows with", "from", "to", "ms", "exponent", "MiB", "exponent"), list(map(_row, found.items()))
        ),
    )


def breaks_first(found: dict[str, list[Point]]) -> str:
    """What internet scale would take, from the curves alone."""
    hours = {
        "opening a set of a billion images": _at(found, "opening", 1e9),
        "the scores of a million samples": _at(found, "samples", 1e6),
    }
    told = ", ".join(f"{what} {value / 3.6e6:,.1f} h" for what, value in hours.items())
    first, last = (found["stream"][at].milliseconds for at in (0, -1))
    return (
        f"Continued on paper, on one such core: {told}, and one step at 1,024x1,024 pixels "
        f"{_at(found, 'side', 1024) / 1e3:,.0f} s. A batch from disk took {first:.2f} to {last:.2f} ms, little beside "
        "a step. So the arithmetic of a step breaks first, by pixels and width, where only accelerators help; "
        "then the scores, whose pairs are quadratic in the samples, and which are to be taken of fewer; and then the "
        "first opening of a set, which reads every image once, and whose peak of memory grows with the set. "
        "Tournaments are judged in time quadratic in the contestants, which these few do not show: opening them "
        "takes longer."
    )


def _at(found: dict[str, list[Point]], name: str, size: float) -> float:
    """Milliseconds of a curve continued to a size by its exponent."""
    sizes, times = _sizes(GROWTHS[name])[: len(found[name])], [point.milliseconds for point in found[name]]
    return times[-1] * float((size / sizes[-1]) ** exponent(sizes, times))


def _row(found: tuple[str, Sequence[Point]]) -> tuple[str, ...]:
    name, points = found
    growth = GROWTHS[name]
    times, memories = ([point[column] for point in points] for column in (0, 1))
    sizes = _sizes(growth)[: len(points)]
    memory = ("-", "-") if growth.apart else (f"{memories[0]:.0f} to {memories[-1]:.0f}", _two(sizes, memories))
    return (
        growth.of,
        growth.by,
        f"{growth.sizes[0]:,}",
        f"{growth.sizes[len(points) - 1]:,}",
        f"{times[0]:,.1f} to {times[-1]:,.1f}",
        f"**{_two(sizes, times)}**",
        *memory,
    )


def _two(sizes: Sequence[float], values: Sequence[float]) -> str:
    return f"{exponent(sizes, values):.2f}"


def _sizes(growth: Growth) -> list[float]:
    """Positions on a logarithmic axis: a look-ahead of no step is one step of work."""
    return [float(size + (growth.sizes[0] == 0)) for size in growth.sizes]


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope through the larger half of the points, both axes logarithmic.

    >>> round(exponent([1, 2, 4, 8], [5, 3, 12, 48]), 6)
    2.0
    """
    half = min(len(sizes) // 2, len(sizes) - 2)
    pairs = [(x, y) for x, y in zip(sizes[half:], values[half:], strict=True) if y > 0]
    if len(pairs) < 2:
        return float("nan")
    x, y = np.log(np.array(pairs)).T
    return float(np.polyfit(x, y, 1)[0])


def picture(found: dict[str, list[Point]]) -> bytes:
    """A panel for each curve, both axes logarithmic, with a dashed line in proportion to the size."""
    rows = -(-len(found) // COLUMNS)
    figure = sheet(1040, 215 * rows, constrained=True)
    for place, (name, points) in enumerate(found.items(), start=1):
        growth, axes = GROWTHS[name], figure.add_subplot(rows, COLUMNS, place)
        sizes, times = _sizes(growth)[: len(points)], [point.milliseconds for point in points]
        axes.loglog(sizes, times, color=INK, marker="o", markersize=3, linewidth=1.4)
        axes.loglog(sizes, [times[-1] * size / sizes[-1] for size in sizes], color=PALE, linestyle="--", linewidth=1)
        axes.set_title(f"{growth.of}, ms: exponent {_two(sizes, times)}", fontsize=8)
        axes.set_xlabel(growth.by, fontsize=8)
        axes.set_xticks(sizes, list(map(_short, growth.sizes[: len(points)])), fontsize=7)
        axes.tick_params(labelsize=7, which="both")
        axes.minorticks_off()
    return drawing_png(figure)


def _short(size: int) -> str:
    """A number for a small axis.

    >>> _short(512), _short(10_000), _short(1_000_000)
    ('512', '10k', '1M')
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


def _apart(name: str, size: int) -> Point:
    """A point, in a fresh process whose modules were imported before."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([point.__module__])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = pool.submit(point, name, size).result()
    print(name, size, *found, flush=True)
    return found


def point(name: str, size: int) -> Point:
    """Measure one point in this process."""
    torch.set_num_threads(1)
    restart()
    before, growth = high_water(), GROWTHS[name]
    with contextmanager(growth.job)(size) as call:
        clock = time.perf_counter if growth.apart else time.process_time
        _seconds(call, growth.warm, clock)
        times = [_seconds(call, 1, clock) for _ in range(growth.calls)]
        return Point(1_000 * median(times), (high_water() - before) / MIB)


def _seconds(call: Call, times: int, clock: Callable[[], float]) -> float:
    began = clock()
    for _ in range(times):
        call()
    return clock() - began

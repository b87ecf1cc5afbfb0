"""How time and memory of the main jobs grow: a curve for each size, its exponent, and a picture.

python -m benchmarks.growth JOB SIZE: one point in a process of its own; tells its milliseconds and its peak of memory.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from agon import Adversarial, Compute, Experiment, Images, Turns, part
from agon.dynamics import Unrolled
from agon.figures.drawing import drawing_png, sheet
from agon.metrics import kernel_distance, prdc
from agon.networks import dcgan, gran
from agon.recipes import find
from agon.training import Training
from agon.training.compilation import choose_compilation
from benchmarks.memory import MIB, high_water, restart
from benchmarks.report import PAGE, Section, table
from benchmarks.timing import seconds

PICTURE = PAGE.parent / "gallery" / "growth.png"
ONE = Compute(device="cpu", threads=1)
BATCH, WIDTH, SIDE, STEPS = 64, 32, 32, 5
INK, COLUMNS = "#2f6db5", 3

Job = Callable[[int], Callable[[], object]]  # of a size: what is timed


class Growth(NamedTuple):
    """A curve.

    Attributes:
        job: of a size.
        of: what is timed, in words.
        by: what grows, in words.
        sizes: increasing.
    """

    job: Job
    of: str
    by: str
    sizes: tuple[int, ...]


class Point(NamedTuple):
    """One measurement: milliseconds, and MiB above what was resident before the first step."""

    milliseconds: float
    mebibytes: float


def _digits(batch: int = BATCH, width: int = WIDTH, side: int = SIDE) -> Callable[[], object]:
    """A step of a DCGAN on digits of some size."""
    images = Images(path="digits", size=side)
    network = {"shape": images.shape, "width": width}
    game = part(
        Adversarial,
        generator=part(dcgan.Generator, latent=100, range=images.range, **network),
        critic=part(dcgan.Critic, **network),
    )
    return _advance(Experiment(game=game, data=images, batch=batch, dynamics=Turns(draws="round"), steps=10**6))


def _times(steps: int) -> Callable[[], object]:
    """A step of a GRAN that paints in so many time steps."""
    images = Images(path="digits", size=SIDE)
    kernels = (4 * WIDTH, 2 * WIDTH, WIDTH)
    game = part(
        Adversarial,
        generator=part(
            gran.Generator, shape=images.shape, latent=100, steps=steps, kernels=kernels, range=images.range
        ),
        critic=part(dcgan.Critic, shape=images.shape, width=WIDTH),
    )
    return _advance(Experiment(game=game, data=images, batch=BATCH, steps=10**6))


def _unrolled(steps: int) -> Callable[[], object]:
    """A round of the ring that looks ahead so many steps, compiled as a long training is."""
    ring = find("metz2017/ring-k10").experiment()
    dynamics = Unrolled(steps=steps) if steps else Turns()
    return _advance(replace(ring, dynamics=dynamics))


def _advance(experiment: Experiment) -> Callable[[], object]:
    training = Training(experiment, ONE.resolved(), torch.device("cpu"))
    choose_compilation(training)
    return training.advance


def _scores(n: int) -> Callable[[], object]:
    """Kernel distance, precision, recall, density and coverage of features of 64 numbers."""
    first, second = torch.randn(2, n, 64, generator=torch.Generator().manual_seed(0))
    return lambda: (kernel_distance(first, second), prdc(first, second))


GROWTHS = {
    "batch": Growth(lambda n: _digits(batch=n), "a DCGAN step", "batch", (16, 32, 64, 128, 256, 512)),
    "width": Growth(lambda n: _digits(width=n), "a DCGAN step", "width", (16, 32, 64, 128)),
    "side": Growth(lambda n: _digits(side=n), "a DCGAN step", "pixels of a side", (28, 32, 64, 96, 128)),
    "look-ahead": Growth(_unrolled, "a round of the ring", "steps of look-ahead, plus 1", (0, 1, 5, 10, 20, 40)),
    "canvas": Growth(_times, "a GRAN step", "time steps", (1, 3, 5, 10)),
    "samples": Growth(_scores, "KID and PRDC", "samples", (1_000, 2_000, 5_000, 10_000, 20_000)),
}


def section(quick: bool) -> Section:
    """A row for each curve; the picture beside the page, unless it is quick."""
    few = 2 if quick else None
    found = {name: [_apart(name, size) for size in growth.sizes[:few]] for name, growth in GROWTHS.items()}
    if not quick:
        PICTURE.write_bytes(picture(found))
    return Section(
        "Growth",
        f"Each point in a process of its own with one thread, the median of {STEPS} calls after two; a DCGAN of "
        f"width {WIDTH} and batch {BATCH} at {SIDE}x{SIDE} else. The exponent is the slope of a line "
        "through the larger half of the points, both axes logarithmic: 1 means in proportion. Memory is the peak above "
        "what was resident before. ![time against size](gallery/growth.png)",
        table(
            ("what", "grows with", "from", "to", "ms", "exponent", "MiB", "exponent"), list(map(_row, found.items()))
        ),
    )


def _row(found: tuple[str, Sequence[Point]]) -> tuple[str, ...]:
    name, points = found
    growth = GROWTHS[name]
    times, memories = ([point[column] for point in points] for column in (0, 1))
    sizes = _sizes(growth)[: len(points)]
    return (
        growth.of,
        growth.by,
        f"{growth.sizes[0]:,}",
        f"{growth.sizes[len(points) - 1]:,}",
        f"{times[0]:.1f} to {times[-1]:.1f}",
        f"**{exponent(sizes, times):.2f}**",
        f"{memories[0]:.0f} to {memories[-1]:.0f}",
        f"{exponent(sizes, memories):.2f}",
    )


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
    figure = sheet(920, 240 * rows, constrained=True)
    for place, (name, points) in enumerate(found.items(), start=1):
        growth, axes = GROWTHS[name], figure.add_subplot(rows, COLUMNS, place)
        sizes, times = _sizes(growth), [point.milliseconds for point in points]
        axes.loglog(sizes, times, color=INK, marker="o", markersize=3, linewidth=1.4)
        axes.loglog(
            sizes, [times[-1] * size / sizes[-1] for size in sizes], color="#8c959f", linestyle="--", linewidth=1
        )
        axes.set_title(f"{growth.of}, ms", fontsize=8.5)
        axes.set_xlabel(growth.by, fontsize=8)
        axes.set_xticks(sizes, [f"{size:,}" for size in growth.sizes], fontsize=7)
        axes.tick_params(labelsize=7, which="both")
        axes.minorticks_off()
    return drawing_png(figure)


def _apart(name: str, size: int) -> Point:
    command = [sys.executable, "-m", "benchmarks.growth", name, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Point(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """One point."""
    torch.set_num_threads(1)
    call = GROWTHS[sys.argv[1]].job(int(sys.argv[2]))
    restart()
    before = high_water()
    seconds(call, 2)
    times = sorted(seconds(call, 1) for _ in range(STEPS))
    print(json.dumps(Point(1_000 * times[STEPS // 2], (high_water() - before) / MIB)._asdict()))


if __name__ == "__main__":
    main()

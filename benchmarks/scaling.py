"""What more GPUs would bring for metz2017/table1 at paper scale, computed: python -m benchmarks.scaling

An item is independent trainings, so that many GPUs train many of them at once, until the longest training alone takes
all the time. Beyond that, one training has to be spread over several GPUs, which exchange gradients in every step.

* Durations are relative, in trainings of K = 0: the measured minutes at quick scale (agon/recipes/costs.json), of the
  same number of steps. At paper scale all have eight times the channels and the batch; that the ratios stay is assumed.
* Jobs begin in the order of their duration, the longest first, each on the next GPU that is free. Start-up, seconds
  beside hours, is left out.
* A step with K unrolling steps averages gradients over p GPUs 2K + 2 times: of the critic in each inner step, and once
  more on the way back through it, and of each network in its own move. An all-reduce of b bytes takes
  2 (p - 1)/p · b/bandwidth + 2 (p - 1) · latency (a ring). Bandwidths and latencies are round numbers of such links.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from heapq import heapify, heapreplace
from typing import NamedTuple

import torch

from agon.games.game import parameters_of
from agon.papers import ITEMS
from agon.recipes import RECIPES, costs

ITEM, GPUS, SHARED = "metz2017/table1", (1, 2, 4, 8, 16, 64), (2, 4, 8)
BYTES = 4  # of a float32


class Link(NamedTuple):
    """What connects GPUs: bytes a second, and seconds until the first byte arrives."""

    name: str
    bandwidth: float
    latency: float


LINKS = (Link("NVLink, 300 GB/s, 10 µs", 300e9, 10e-6), Link("Ethernet, 10 Gb/s, 50 µs", 1.25e9, 50e-6))


def makespan(durations: Sequence[Fraction], workers: int) -> Fraction:
    """The time until all jobs are done: the longest first, each for the next worker that is free."""
    free = [Fraction(0)] * workers
    heapify(free)
    for duration in sorted(durations, reverse=True):
        heapreplace(free, free[0] + duration)
    return max(free)


def enough(durations: Sequence[Fraction]) -> int:
    """The number of workers from which more of them bring nothing."""
    return next(count for count in range(1, len(durations) + 1) if makespan(durations, count) == max(durations))


def exchanged(link: Link, gpus: int, sizes: Sequence[int]) -> float:
    """Seconds of the all-reduces of a step over a ring of GPUs, of messages of these sizes in bytes."""
    return sum(2 * (gpus - 1) / gpus * size / link.bandwidth + 2 * (gpus - 1) * link.latency for size in sizes)


def messages(steps_ahead: int, generator: int, critic: int) -> list[int]:
    """The bytes of each all-reduce of a step with so many unrolling steps, from the networks' numbers of weights."""
    return [BYTES * critic] * (2 * steps_ahead + 1) + [BYTES * generator]


def trainings() -> Mapping[str, Fraction]:
    """Label of each training of the item -> its duration, in trainings without unrolling."""
    item = ITEMS[ITEM]
    minutes = {label: Fraction(str(costs.minutes(it.name)["quick"])) for label, it in item.trainings.items()}
    return {label: value / min(minutes.values()) for label, value in minutes.items()}


def weights(recipe: str) -> dict[str, int]:
    """Player -> its number of weights at paper scale."""
    with torch.device("meta"):
        game = RECIPES[recipe].experiment(scale="paper").game.build()
    return {player: sum(p.numel() for p in parameters_of(game, player)) for player in game.players}


def of_jobs(durations: Sequence[Fraction]) -> list[str]:
    """The table of independent trainings."""
    total, last = sum(durations), enough(durations)
    rows = ["| GPUs | time, in trainings of K = 0 | times faster than one | each GPU is busy |", "|---|---|---|---|"]
    for gpus in sorted({*GPUS, last}):
        time = makespan(durations, gpus)
        rows.append(f"| {gpus} | {float(time):.1f} | {float(total / time):.1f} | {float(total / time / gpus):.0%} |")
    return rows


def of_steps(steps_ahead: Sequence[int], generator: int, critic: int) -> list[str]:
    """The table of a training that is spread: the shortest step on one GPU for which that brings anything."""
    rows = ["| K | MB a step | link | " + " | ".join(f"{p} GPUs" for p in SHARED) + " |", "|---|---|---|" + 3 * "---|"]
    for k in steps_ahead:
        sizes = messages(k, generator, critic)
        for link in LINKS:
            shortest = [1_000 * exchanged(link, p, sizes) * p / (p - 1) for p in SHARED]
            cells = " | ".join(f"{milliseconds:.2g} ms" for milliseconds in shortest)
            rows.append(f"| {k} | {sum(sizes) / 1e6:.0f} | {link.name} | {cells} |")
    return rows


def page() -> list[str]:
    """Both tables."""
    item, durations = ITEMS[ITEM], trainings()
    jobs = [duration for duration in durations.values() for _ in range(item.seeds)]
    sizes = weights(next(iter(item.trainings.values())).name)
    return [*of_jobs(jobs), "", *of_steps([0, 1, 5, 10], sizes["generator"], sizes["critic"])]


if __name__ == "__main__":
    print("\n".join(page()))

"""The jobs whose growth is measured: each of a size, as a call that does the work once."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from agon import Adversarial, Compute, Experiment, Images, Turns, part, train
from agon.arena import TournamentSettings, tournament
from agon.data import Stream
from agon.dynamics import Unrolled
from agon.metrics import kernel_distance, nearest_neighbours, prdc
from agon.networks import dcgan, gran
from agon.recipes import find
from agon.training import Training
from agon.training.replicates import replicate
from agon.training.replicates.batched_training import BatchedTraining
from benchmarks.tournament import noisy

ONE = Compute(device="cpu", threads=1, compile="off")
BATCH, WIDTH, SIDE, FEATURES = 64, 32, 32, 64
PIXELS, CHUNK = 16, 10_000  # side of a streamed image; images that are written at a time
SHORT = 200  # steps of a training of points in a process of its own
FOUGHT = 200  # samples of each contestant

Call = Callable[[], object]


class Growth(NamedTuple):
    """A curve.

    Attributes:
        job: of a size, yields the call.
        of: what is timed, in words.
        by: what grows, in words.
        sizes: increasing.
        calls: how often it is timed; the median counts.
        warm: calls before the clock runs.
        apart: whether other processes do the work, so that wall time counts and memory is not known.
    """

    job: Callable[[int], Iterator[Call]]
    of: str
    by: str
    sizes: tuple[int, ...]
    calls: int = 3
    warm: int = 1
    apart: bool = False


def _digits(batch: int = BATCH, width: int = WIDTH, side: int = SIDE) -> Iterator[Call]:
    """A step of a DCGAN on digits of some size."""
    images = Images(path="digits", size=side)
    game = part(
        Adversarial,
        generator=part(dcgan.Generator, shape=images.shape, width=width, latent=100, range=images.range),
        critic=part(dcgan.Critic, shape=images.shape, width=width),
    )
    yield _training(Experiment(game=game, data=images, batch=batch, dynamics=Turns(draws="round"), steps=1)).advance


def _painted(steps: int) -> Iterator[Call]:
    """A step of a GRAN that paints in so many time steps."""
    images = Images(path="digits", size=SIDE)
    kernels = (4 * WIDTH, 2 * WIDTH, WIDTH)
    painter = {"shape": images.shape, "latent": 100, "steps": steps, "kernels": kernels, "range": images.range}
    game = part(
        Adversarial,
        generator=part(gran.Generator, **painter),
        critic=part(dcgan.Critic, shape=images.shape, width=WIDTH),
    )
    yield _training(Experiment(game=game, data=images, batch=BATCH, steps=1)).advance


def _unrolled(steps: int) -> Iterator[Call]:
    """A round of the ring that looks ahead so many steps."""
    ring = find("metz2017/ring-k10").experiment()
    yield _training(replace(ring, dynamics=Unrolled(steps=steps) if steps else Turns())).advance


def _batched(seeds: int) -> Iterator[Call]:
    """A step of so many seeds of the ring in one program."""
    ring = find("first/ring").experiment()
    trainings = [_training(replace(ring, seed=seed)) for seed in range(seeds)]
    yield BatchedTraining(trainings).advance if seeds > 1 else trainings[0].advance


def _processes(seeds: int) -> Iterator[Call]:
    """Whole short trainings of so many seeds of the ring, each in a process of its own."""
    ring = replace(find("first/ring").experiment(), steps=SHORT)
    with tempfile.TemporaryDirectory() as folder:
        how = {"strategy": "processes", "compute": ONE, "show": False}
        yield lambda: replicate(ring, Path(folder, "all"), seeds, **how)


def _tournament(count: int) -> Iterator[Call]:
    """A tournament of copies of a short training whose weights have noise of their own."""
    experiment = replace(find("first/digits").experiment(None, "smoke"), steps=2)
    with tempfile.TemporaryDirectory() as folder:
        first = train(experiment, Path(folder, "0"), compute=ONE, show=False)
        runs = [first.path, *(noisy(first, Path(folder, str(seed)), seed) for seed in range(1, count))]
        yield lambda: tournament(runs, settings=TournamentSettings(n=FOUGHT), references=False, show=False)


def _scores(n: int) -> Iterator[Call]:
    """Kernel distance, precision to coverage, and nearest neighbours of features."""
    first, second = torch.randn(2, n, FEATURES, generator=torch.Generator().manual_seed(0))
    yield lambda: (kernel_distance(first, second), prdc(first, second), nearest_neighbours(first, second))


def _opened(count: int) -> Iterator[Call]:
    """Open a set for the first time."""
    with _written(count) as images:
        yield lambda: Stream(images, batch=BATCH, seed=0, memory=0)


def _streamed(count: int) -> Iterator[Call]:
    """Draw a batch of a set that stays on disk."""
    with _written(count) as images:
        yield Stream(images, batch=BATCH, seed=0, memory=0).draw


@contextmanager
def _written(count: int) -> Iterator[Images]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cache = folder / "cache"
        stack.callback(shutil.rmtree, cache, ignore_errors=True)
        pixels = np.lib.format.open_memmap(folder / "set.npy", "w+", np.uint8, (count, PIXELS, PIXELS))
        rng = np.random.default_rng(0)
        for start in range(0, count, CHUNK):
            pixels[start : start + CHUNK] = rng.integers(0, 256, pixels[start : start + CHUNK].shape, np.uint8)
        pixels.flush()
        yield Images(path=str(folder / "set.npy"), holdout=0.0)


def _training(experiment: Experiment) -> Training:
    return Training(replace(experiment, steps=10**6), ONE.resolved(), torch.device("cpu"))


DCGAN = "a DCGAN step"
GROWTHS = {
    "batch": Growth(lambda n: _digits(batch=n), DCGAN, "batch", (16, 64, 256, 512)),
    "width": Growth(lambda n: _digits(width=n), DCGAN, "width", (16, 32, 64, 128)),
    "side": Growth(lambda n: _digits(side=n), DCGAN, "pixels a side", (28, 32, 64, 128)),
    "look-ahead": Growth(_unrolled, "a ring step, eager", "K, plus 1", (0, 1, 5, 10, 20, 40)),
    "canvas": Growth(_painted, "a GRAN step", "T", (1, 3, 5, 10)),
    "batched": Growth(_batched, "a step of all seeds, batched", "seeds", (1, 4, 16, 64)),
    "processes": Growth(_processes, f"{SHORT} steps, processes", "seeds", (1, 2, 4, 8), calls=1, warm=0, apart=True),
    "tournament": Growth(_tournament, "a tournament", "contestants", (2, 4, 8, 16), calls=1, warm=0),
    "samples": Growth(_scores, "KID, PRDC, neighbours", "samples", (1_000, 3_000, 10_000), calls=1, warm=0),
    "opening": Growth(_opened, "opening a set", "images", (1_000, 10_000, 100_000, 1_000_000), calls=1, warm=0),
    "stream": Growth(_streamed, "a batch from disk", "images", (1_000, 10_000, 100_000, 1_000_000), calls=30, warm=3),
}

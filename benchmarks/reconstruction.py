"""Inference via optimisation: all images and starts at once against torch's L-BFGS on one after the other."""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

from agon import Adversarial, Experiment, Normal, Turns, part
from agon.metrics import reconstruct
from agon.metrics.lbfgs import HISTORY
from agon.metrics.reconstruction import Reconstruction
from agon.networks import dcgan
from agon.training import Training
from agon.training.allocation import keep_freed_memory
from benchmarks.operators import Profile, explanation, profiled
from benchmarks.report import Section, shown, table
from benchmarks.sets import Set
from benchmarks.sides import BATCH, THREADS, compute
from benchmarks.timing import seconds

IMAGES, STARTS, LATENT = 256, 3, 100
WIDTHS = (16, 32, 64)  # of the generator's last hidden stage
MOST = 100  # iterations of theirs
FEWER = 60  # of ours, in the row that is bound
FASTER, WORSE = 20, 1.01  # bounds: times as fast, and the error of ours over theirs


class Scale(NamedTuple):
    """How much is measured.

    Attributes:
        widths: of the generators.
        steps: of their training.
        images: that ours searches for.
        alone: of these, that theirs searches for, one after the other.
        rounds: how often ours is timed where its speed is bound; else it is once.
    """

    widths: tuple[int, ...]
    steps: int
    images: int
    alone: int
    rounds: int


FULL = Scale(WIDTHS, 200, IMAGES, 48, 2)
QUICK = Scale((16,), 20, 32, 1, 1)


def section(sets: list[Set], quick: bool) -> Section:
    """Two rows a width: as many iterations as theirs, and fewer."""
    torch.set_num_threads(THREADS)
    keep_freed_memory()  # as every evaluation and training does; both sides share a process
    scale = QUICK if quick else FULL
    mnist = next(each for each in sets if each.name == "mnist")
    images = mnist.source.take(scale.images).real
    rows = [row for width in scale.widths for row in measured(trained(mnist, width, scale.steps), width, images, scale)]
    losing = [reason for _, reason in rows if reason]
    return Section(
        "Latent reconstruction",
        f"For each of {scale.images} MNIST images, the nearest sample that a DCGAN generator can make is searched for "
        f"from {STARTS} random starts ({scale.steps} steps of training, batches of {BATCH}; {THREADS} threads). Ours "
        "is `metrics.reconstruct`, all images and starts at once, its look at the generator's derivatives included; "
        "theirs a loop of `torch.optim.LBFGS` (strong Wolfe line search) over single images and starts, the "
        f"generator's parameters frozen, from the same starts and with the same history of {HISTORY} pairs, "
        f"timed on the first {scale.alone} images. Errors are means over those images of the best start's squared "
        "error, pixels from -1 to 1. Ours moves in coordinates in which the generator is about equally sensitive, so "
        "half as many iterations come about as far, a few per cent less or more by the generator; neither side has "
        "converged. One small pass costs theirs mostly calls, a wide generator mostly arithmetic, of which ours does "
        "less (`networks.winograd`), but not as much less as it makes fewer calls: the ratio falls with the width. "
        f"Bound, in the rows of {FEWER} iterations: at least {FASTER} times as fast, with an error at most 1 % higher.",
        table(
            (
                *("width", "iterations, ours", "theirs", "s an image, ours", "theirs", "times as fast"),
                *("error, ours", "theirs", "ours / theirs"),
            ),
            [row for row, _ in rows],
        )
        + explanation(losing)
        + ("\n\nThese are for one image, with all of its starts and iterations." if losing else ""),
    )


Losing = tuple[str, Profile, Profile]


def measured(
    generator: dcgan.Generator, width: int, images: Tensor, scale: Scale
) -> Iterator[tuple[tuple[str, ...], Losing | None]]:
    """The rows of one generator, and where the time of both sides goes if a row misses its bound."""
    few = images[: scale.alone]
    theirs: list[float] = []
    alone = seconds(lambda: theirs.extend(one_by_one(generator, few, len(images))), 1) / len(few)
    error = sum(theirs) / len(theirs)
    reconstruct(generator, few, draw, STARTS, iterations=1, tolerance=0.0)  # which warms it up
    for iterations in (MOST, FEWER):
        took, errors = at_once(generator, images, iterations, scale.rounds if iterations == FEWER else 1)
        together, ours = took / len(images), float(errors[: len(few)].mean())
        times = f"{alone / together:.1f}"
        line = (
            *(f"{width}", f"{iterations}", f"{MOST}", f"{together:.4f}", f"{alone:.3f}"),
            f"**{times}**" if iterations == FEWER else times,
            *(f"{ours:.5f}", f"{error:.5f}", f"**{ours / error:.3f}**"),
        )
        loses = iterations == FEWER and (alone < FASTER * together or ours > WORSE * error)
        yield shown(line), _profiles(f"width {width}", generator, images) if loses else None


def _profiles(row: str, generator: dcgan.Generator, images: Tensor) -> Losing:
    """Of one image: ours of a whole search's, theirs of one that is searched for."""

    def ours() -> object:
        return reconstruct(generator, images, draw, STARTS, iterations=FEWER, tolerance=0.0)

    def theirs() -> object:
        return list(one_by_one(generator, images[:1], len(images)))

    return row, profiled(ours, 1).divided(len(images)), profiled(theirs, 1)


def at_once(generator: dcgan.Generator, images: Tensor, iterations: int, times: int) -> tuple[float, Tensor]:
    """Median seconds of some equal searches, and each image's error."""
    found: list[Reconstruction] = []

    def search() -> None:
        found.append(reconstruct(generator, images, draw, STARTS, iterations=iterations, tolerance=0.0))

    return median(seconds(search, 1) for _ in range(times)), found[0].errors


def one_by_one(generator: dcgan.Generator, images: Tensor, of: int) -> Iterator[float]:
    """The error of each image's best start; the starts are those that ours draws for the first images of `of`."""
    starts = draw(of * STARTS, torch.Generator().manual_seed(0)).reshape(of, STARTS, 1, LATENT)
    for image, begin in zip(images[:, None], starts, strict=False):
        yield min(alone(generator, image, latent.clone()) for latent in begin)


def alone(generator: dcgan.Generator, image: Tensor, latent: Tensor) -> float:
    """One search as one would write it."""
    latent.requires_grad_()
    optimiser = torch.optim.LBFGS([latent], max_iter=MOST, history_size=HISTORY, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (generator(latent) - image).square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return float((generator(latent) - image).square().mean())


def trained(mnist: Set, width: int, steps: int) -> dcgan.Generator:
    """A generator of a short training, in evaluation mode, its parameters frozen."""
    shape = mnist.source.shape
    experiment = Experiment(
        game=part(
            Adversarial,
            generator=part(dcgan.Generator, shape=shape, latent=LATENT, width=width),
            critic=part(dcgan.Critic, shape=shape, width=width),
        ),
        data=mnist.source,
        latent=Normal(),
        dynamics=Turns(draws="round"),
        batch=BATCH,
        steps=steps,
    )
    training = Training(experiment, compute(compile="off"), torch.device("cpu"))
    for _ in range(steps):
        training.advance()
    generator = training.game.generator
    assert isinstance(generator, dcgan.Generator)
    return generator.eval().requires_grad_(False)


def draw(n: int, rng: torch.Generator) -> Tensor:
    return torch.randn(n, LATENT, generator=rng)

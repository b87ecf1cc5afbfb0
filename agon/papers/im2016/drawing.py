"""Runs to pictures: nearest neighbours, samples, and canvases after each time step; all of the first seed."""

from collections.abc import Mapping, Sequence

from jaxtyping import UInt8
from torch import Tensor

from agon.data.source import as_bytes
from agon.figures.pictures import read_grid
from agon.figures.tiles import tiles_png
from agon.papers.im2016.measuring import UNLABELLED, canvases, memorisation
from agon.papers.item import first_seeds
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample
from agon.samples.reading import real_samples

NEIGHBOURS, SEARCHED = 8, 5  # images in a row of the picture that the metric keeps, and rows of it
WORDS = "at the left a sample, then its nearest training images, the nearest first"
SMALL, LARGE = (14, 6), (10, 4)  # images in a row of samples, and rows of them, by the images' size
CANVASES = {3: (16, 4), 5: (12, 3)}  # time steps -> canvases of each in the picture, and how many of them in a row
MOST = 16  # canvases of a step

Runs = Mapping[str, Sequence[Run]]


def neighbours(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
    """A row a sample: itself, then its nearest training images, the nearest first."""
    rows = {}
    for label, run in first_seeds(runs).items():
        picture = run.path / memorisation(run, scale).passport["pictures"]["neighbours"]
        rows[label] = [read_grid(picture)[: NEIGHBOURS * SEARCHED]]
    return {".png": tiles_png(rows, [WORDS], across=NEIGHBOURS)}


def samples(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
    """Samples of each training, and a row of the data."""
    rows: dict[str, Sequence[UInt8[Tensor, "n c h w"]]] = {}
    for label, run in first_seeds(runs).items():
        training = load(run)
        source = training.experiment.data
        across, high = SMALL if source.shape[1] < UNLABELLED else LARGE
        rows[label] = [as_bytes(sample(training, across * high // len(runs)), source)]
    rows["data"] = [real_samples(source, across)]
    return {".png": tiles_png(rows, [""], across=across)}


def time_steps(runs: Runs, scale: Scale) -> Mapping[str, bytes]:
    """A row a training, a column a step; a place in a panel is one sample's."""
    painted = {label: canvases(run, MOST) for label, run in first_seeds(runs).items()}
    steps = len(next(iter(painted.values())))
    count, across = CANVASES[steps]
    rows = {label: [images[: count // len(runs)] for images in each] for label, each in painted.items()}
    return {".png": tiles_png(rows, [f"step {t + 1}" for t in range(steps)], across=across)}

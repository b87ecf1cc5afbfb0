"""Pictures of first seeds: nearest neighbours, samples, and canvases after each time step."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.data.source import as_bytes
from agon.figures.tiles import tiles_png
from agon.metrics import nearest_neighbours
from agon.papers.im2016.canvases import canvases
from agon.papers.im2016.measuring import UNLABELLED, partition
from agon.papers.item import TrainedRuns, first_seeds
from agon.recipes.scales import Scale
from agon.samples.making import load, sample
from agon.samples.reading import real_samples

SHOWN, NEIGHBOURS = 5, 7  # samples, and the nearest training images of each
WORDS = "at the left a sample, then its nearest training images, the nearest first"
SMALL, LARGE = (14, 6), (10, 4)  # (images in a row, rows) of samples, for small and large images
CANVASES = {3: (16, 4), 5: (12, 3)}  # time steps -> (canvases of each step, canvases in a row)
MOST = 16  # canvases at a time step


def neighbours(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw a row for each sample: the sample, then its nearest training images, the nearest first."""
    rows = {}
    for label, run in first_seeds(runs).items():
        training = load(run)
        source = training.experiment.data
        shown, train = as_bytes(sample(training, SHOWN), source), partition(source).train
        nearest = nearest_neighbours(shown.flatten(1), train, k=NEIGHBOURS).indices
        images = train[nearest].reshape(SHOWN, NEIGHBOURS, *source.shape)
        rows[label] = [torch.cat([shown[:, None], images], dim=1).flatten(0, 1)]
    return {".png": tiles_png(rows, [WORDS], across=NEIGHBOURS + 1)}


def samples(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw samples of each training, and a row of the data."""
    rows: dict[str, Sequence[UInt8[Tensor, "n c h w"]]] = {}
    for label, run in first_seeds(runs).items():
        training = load(run)
        source = training.experiment.data
        across, high = SMALL if source.shape[1] < UNLABELLED else LARGE
        rows[label] = [as_bytes(sample(training, across * high // len(runs)), source)]
    rows["data"] = [real_samples(source, across)]
    return {".png": tiles_png(rows, [""], across=across)}


def time_steps(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw a row for each training and a column for each step; each place in a panel shows the same sample."""
    painted = {label: canvases(load(run), MOST).images for label, run in first_seeds(runs).items()}
    steps = len(next(iter(painted.values())))
    count, across = CANVASES[steps]
    rows = {label: [images[: count // len(runs)] for images in panels] for label, panels in painted.items()}
    return {".png": tiles_png(rows, [f"step {t + 1}" for t in range(steps)], across=across)}

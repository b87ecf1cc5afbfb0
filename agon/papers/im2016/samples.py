"""The figures of samples, with one noise for all time steps, and with a new one at each.

| the paper | here |
|---|---|
| figures 7, 8, 13, 14, 26: GRAN's number of time steps is not stated | 3, as in figures 11 and 12 beside them |
| no number beside the pictures | see below |

On the sets with classes, scores of their own classifier (`agon.classifiers`) of 10,000 samples: classes made and how
surely, and the classifier's score, which is no published Inception score. On the others precision, recall, density and
coverage of pixels, a weak measure at 64x64. On all of them "pairwise" and "distance": how far samples are apart.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.data.source import as_bytes
from agon.evaluate import Choice, evaluate
from agon.experiment import Experiment
from agon.figures.tiles import tiles_png
from agon.metrics import Score
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, firsts, of_each
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample
from agon.samples.reading import real_samples

LABELLED = {"smoke": 60, "quick": 10_000, "paper": 10_000}  # samples that are scored on sets with classes
OTHERS = {"smoke": 60, "quick": 2_000, "paper": 5_000}
UNLABELLED = 64  # pixels of a side from which on the paper's sets have no classes that it speaks of
ONE, NEW = "one noise", "new noise at every step"


def scores(run: Run, scale: Scale) -> Scores:
    """What the set's own classifier says, or else pixels, and distances."""
    labelled = Experiment.from_json(run.experiment).data.shape[1] < UNLABELLED
    n = (LABELLED if labelled else OTHERS)[scale]
    metrics, extractor = (["classifier", "is"], "classifier") if labelled else (["prdc"], "pixels")
    return [*evaluate(run, metrics=[*metrics, "pairwise"], n=n, extractor=Choice(extractor)), distance(run, n)]


def distance(run: Run, n: int) -> Score:
    """How far apart two samples are, as a share of how far two training images are.

        E |G(z) - G(z')| / E |x - x'|,

    over n/2 pairs of each that have no image in common, so that the standard error is that of independent ones. Unlike
    "pairwise", which is from 0, it tells the direction: below 1 samples are more alike than the data are.

    Args:
        run: with a checkpoint.
        n: samples, an even number from 4.
    """
    training = load(run)
    source = training.experiment.data
    fake, real = (_apart(images) for images in (as_bytes(sample(training, n), source), real_samples(source, n)))
    value = float(fake.mean() / real.mean())
    relative = [float(each.std() / each.mean()) / math.sqrt(len(each)) for each in (fake, real)]
    return Score(
        name="distance",
        value=value,
        error=value * math.hypot(*relative),
        n=n,
        n_real=2 * len(real),
        protocol="mean Euclidean distance of disjoint pairs of samples / of training images",
    )


def _apart(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, " pairs"]:
    """Distances of the first and second image, of the third and fourth, and so on."""
    pairs = len(images) // 2
    return torch.stack([torch.dist(images[2 * i].double(), images[2 * i + 1].double()) for i in range(pairs)])


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """Samples of each training, and a row of the data."""
    rows: dict[str, Sequence[UInt8[Tensor, "n c h w"]]] = {}
    for label, run in firsts(runs).items():
        training = load(run)
        source = training.experiment.data
        across, high = (14, 6) if source.shape[1] < UNLABELLED else (10, 4)
        rows[label] = [as_bytes(sample(training, across * high // len(runs)), source)]
    rows["data"] = [real_samples(source, across)]
    return {".png": tiles_png(rows, [""], across=across)}


def _item(figure: int, trainings: Mapping[str, str], claim: str, expects: Sequence[Expectation] = ()) -> Item:
    """A figure of samples of these trainings, the label of each with its name."""
    images, *_ = next(iter(trainings.values())).split("-gran")
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}",
        claim=claim,
        trainings={label: TRAININGS[name] for label, name in trainings.items()},
        measure=of_each(scores),
        draw=_draw,
        expects=expects,
        seeds=3 if images == "mnist" else 1,
    )


def _noises(figure: int, images: str, claim: str) -> Item:
    """A figure of samples with a new noise at every step, beside those with one noise."""
    alike = Expectation(says="with new noises samples are more alike", score="distance", row=NEW, below=ONE)
    return _item(figure, {NEW: f"{images}-gran3-noises", ONE: f"{images}-gran3"}, claim, [alike])


ALIKE = "with a new noise at every step samples can be told as well, but some look very alike"

ITEMS = (
    _item(7, {"GRAN3": "cifar10-gran3"}, "most samples of CIFAR-10 are discernible, and their classes can be told"),
    _item(8, {"GRAN3": "lsun-church-gran3"}, "samples of LSUN cover a variety of churches, with fine textures"),
    _noises(13, "cifar10", ALIKE),
    _noises(14, "lsun-church", ALIKE),
    _item(15, {"GRAN3": "lsun-rooms-gran3"}, "GRAN3 paints living rooms and kitchens"),
    _item(26, {"GRAN3": "mnist-gran3"}, "most samples of MNIST are discernible, and their classes can be told"),
    _item(38, {"GRAN5": "lsun-church-gran5"}, "GRAN5 paints churches"),
    _item(39, {"GRAN5": "lsun-rooms-gran5"}, "GRAN5 paints living rooms and kitchens"),
    _item(
        40, {"GRAN3": "imagenet-gran3"}, "of 1,000 classes no objects are made, but abstract pictures: no overfitting"
    ),
)

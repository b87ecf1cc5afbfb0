"""Figures of samples, with one noise for all time steps, and with a new noise at each step.

| the paper | here |
|---|---|
| figures 7, 8, 13, 14, 26: GRAN's number of time steps is not stated | 3, as in figures 11 and 12 beside them |
| no number beside the pictures | see below |

On sets with classes, their own classifier (`agon.classifiers`) scores 10,000 samples: which classes they are and how
surely, and the classifier's score, which is not the published Inception score. On the others, we measure precision,
recall, density and coverage of pixels, which is a weak measure at 64x64. On all sets, "pairwise" and "distance" measure
how far apart samples are.
"""

from collections.abc import Mapping, Sequence

from agon.papers.expectation import Expectation
from agon.papers.im2016 import drawing
from agon.papers.im2016.measuring import sample_scores
from agon.papers.item import Item, per_training
from agon.recipes.im2016.trainings import TRAININGS

ONE, NEW = "one noise", "new noise at every step"


def _item(figure: int, trainings: Mapping[str, str], claim: str, expects: Sequence[Expectation] = ()) -> Item:
    """A figure of samples of these trainings, given as label -> name."""
    images, *_ = next(iter(trainings.values())).split("-gran")
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}",
        claim=claim,
        trainings={label: TRAININGS[name] for label, name in trainings.items()},
        measure=per_training(sample_scores),
        draw=drawing.samples,
        expects=expects,
        seeds=3 if images == "mnist" else 1,
    )


def _noises(figure: int, images: str, claim: str) -> Item:
    """A figure of samples with a new noise at every step, beside samples with one noise."""
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

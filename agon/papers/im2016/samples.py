"""Figures of samples, with one noise for all time steps, and with a new noise at each step.

| the paper | here |
|---|---|
| figures 7, 8, 13, 14, 26: GRAN's number of time steps is not stated | 3, as in figures 11 and 12 beside them |
| no number beside the pictures | see below |

On sets with classes, their own classifier (`agon.classifiers`) scores 10,000 samples: which classes they are and how
surely, and the classifier's score, which is not the published Inception score. On the others, we measure precision,
recall, density and coverage of pixels, which is a weak measure at 64x64. On all sets, "pairwise" and "distance" measure
how far apart samples are.

With new noises the paper saw "samples that look very alike", and training "provokes GRAN to cheat". The mean distance
is smaller in untrained networks, too, because several noises average out. So it is expected that new noises bring
samples nearer to each other by a larger factor than in the same two networks untrained ("distance-gain"). "alike"
counts samples that have another very near. Until 2026-11-29 a smaller "distance" was expected, which untrained networks
have.
"""

from collections.abc import Mapping, Sequence

from agon.papers.expectation import Expectation
from agon.papers.im2016 import drawing
from agon.papers.im2016.measuring import UNTRAINED, noise_rows, pair_row, sample_scores
from agon.papers.item import Item, Measure, per_training
from agon.recipes.im2016.trainings import TRAININGS

SCORED = per_training(sample_scores)
ONE, NEW = "one noise", "new noise at every step"


def _item(
    figure: int,
    trainings: Mapping[str, str],
    claim: str,
    expects: Sequence[Expectation] = (),
    measure: Measure = SCORED,
) -> Item:
    """A figure of samples of these trainings, given as label -> name."""
    images, *_ = next(iter(trainings.values())).split("-gran")
    return Item(
        name=f"im2016/figure{figure}",
        paper=f"Im et al. 2016, figure {figure}",
        claim=claim,
        trainings={label: TRAININGS[name] for label, name in trainings.items()},
        measure=measure,
        draw=drawing.samples,
        expects=expects,
        seeds=3 if images == "mnist" else 1,
    )


def _noises(figure: int, images: str, claim: str) -> Item:
    """A figure of samples with a new noise at every step, beside samples with one noise."""
    alike = Expectation(
        says="with new noises samples are more alike, by more than in untrained networks",
        score="distance-gain",
        row=pair_row(NEW, ONE),
        below=pair_row(NEW, ONE) + UNTRAINED,
    )
    return _item(figure, {NEW: f"{images}-gran3-noises", ONE: f"{images}-gran3"}, claim, [alike], noise_rows)


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

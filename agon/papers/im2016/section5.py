"""Section 5, on different noises: whether a GRAN with a new noise at every step collapses in a long training.

| the paper | here |
|---|---|
| "the samples tend to collapse when training for a long time": how long is not stated | "-long", see `recipes` |
| for CIFAR-10 and LSUN (figures 13 and 14) | MNIST, whose classes the judge tells best |
| collapse, "very similar to each other", by eye | see below |

A run keeps samples of the same latents at 24 steps. What is expected of the GRAN with new noises, and why:

* "tend to collapse": by the end its samples have lost half of the distance from each other that they once had, or of
  real images' if they were farther apart than those ("distance-kept"); its direction: more than with one noise.
* "putting a lot of probability mass on samples that the discriminator cannot classify, which produce samples that look
  very similar to each other": over the last quarter of the looks more samples than with one noise have another very
  near ("late-alike", at equal contrast).

A network at step 0 has a single look and has lost nothing. Nothing is expected of the classes: untrained GRANs with new
noises put more samples into one class, too. "collapsed" is what the diagnosis says of the run.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.data import Source
from agon.diagnosis import view_of
from agon.diagnosis.collapse import examine
from agon.experiment import Experiment
from agon.metrics.classes import class_coverage, fullest_class
from agon.metrics.courses import collapse_told, distance_kept, late
from agon.metrics.distances import alike_share, distance_ratio
from agon.metrics.extractors import Extractor, extract
from agon.metrics.pixels import at_equal_contrast
from agon.papers.classified import CLASSIFIER
from agon.papers.expectation import Expectation
from agon.papers.im2016.samples import NEW, ONE
from agon.papers.item import Item, Scores, each_alone, per_training
from agon.papers.pictures import samples_over_time
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run, image_snapshots
from agon.samples.reading import real_samples

HALF = 0.5


def looks(run: Run) -> Mapping[int, Scores]:
    """Step -> distance, share of alike samples, classes and confidence, of the looks after step 0 if there are any."""
    source, images = Experiment.from_json(run.experiment).data, image_snapshots(run)
    shown = {step: each for step, each in images.items() if step > 0} or images
    classifier, real = CLASSIFIER.make(source), real_samples(source, len(next(iter(shown.values()))))
    return {step: [*_diversity(each, real), *_classes(each, source, classifier)] for step, each in shown.items()}


def _diversity(images: UInt8[Tensor, "n c h w"], real: UInt8[Tensor, "n c h w"]) -> Scores:
    level = [at_equal_contrast(each.float() / 255, 0.0, 1.0) for each in (images, real)]
    return [distance_ratio(images, real), alike_share(*level)]


def _classes(images: UInt8[Tensor, "n c h w"], source: Source, classifier: Extractor) -> Scores:
    probabilities = extract(classifier, images).probabilities
    assert probabilities is not None  # a classifier has classes
    return class_coverage(probabilities, source.classes, classifier.name)


def course_scores(run: Run, scale: Scale) -> Scores:
    """How diverse a run's samples are at the end, how much of that they have kept, and what the diagnosis says."""
    distances, alike, classes, confidence = zip(*looks(run).values(), strict=True)
    histograms = [torch.tensor(score.detail["histogram"]) for score in classes]
    found = [finding.sickness for finding in examine(view_of(run)).findings]
    return [
        distance_kept(distances),
        late(distances),
        replace(late(alike), protocol=f"{late(alike).protocol}; at equal contrast"),
        fullest_class(histograms[len(histograms) // 2 :]),
        late(classes),
        late(confidence),
        collapse_told(found, distances[-1].n),
    ]


SECTION_5 = Item(
    name="im2016/section5",
    paper="Im et al. 2016, section 5, on different noises",
    claim="with a new noise at every step, samples tend to collapse when training for a long time",
    trainings={NEW: TRAININGS["mnist-gran3-noises-long"], ONE: TRAININGS["mnist-gran3-long"]},
    rows=each_alone((NEW, ONE)),
    measure=per_training(course_scores),
    history=looks,
    draw=samples_over_time(steps=6, count=16, across=4),
    expects=(
        Expectation(
            says="with new noises, samples collapse: they lose half of their distances",
            score="distance-kept",
            row=NEW,
            below=HALF,
            direction=ONE,
        ),
        Expectation(
            says="at the end more of them look very similar to another than with one noise",
            score="late-alike",
            row=NEW,
            above=ONE,
        ),
    ),
    seeds=3,
)

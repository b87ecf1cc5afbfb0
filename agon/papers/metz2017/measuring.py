"""Scores of runs: modes of the ring, digits of a recurrent generator, and convolutional pairs on CIFAR-10."""

from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from agon.arena import ranked
from agon.classifiers import classifier_of
from agon.data.points import Mixture
from agon.evaluation import evaluate, over_time
from agon.experiment import Experiment
from agon.metrics import Coverage, Score, modes_held
from agon.metrics.classes import fullest_class
from agon.metrics.distances import median_ratio
from agon.metrics.extractors import extract
from agon.papers.classified import CLASSIFIER
from agon.papers.item import Rows, Scores
from agon.recipes.scales import Scale
from agon.runs import Run, image_snapshots

COVERED = ("modes", "quality", "mode-divergence")  # scores in figure 1's table
DIGITS = {"smoke": 64, "quick": 10_000, "paper": 10_000}  # samples of a recurrent generator
TARGETS = {"smoke": 8, "quick": 256, "paper": 1_280}  # training images to reconstruct
SAMPLES = {"smoke": 64, "quick": 5_000, "paper": 50_000}  # samples of a convolutional generator
MOST = 10_000  # samples whose distances are measured


def mode_scores(run: Run, scale: Scale) -> Scores:
    """The modes at the end, and the number of modes that held most mass in the training's second half."""
    coverage = list(modes_over_time(run).values())
    covered = [score for score in evaluate(run, metrics=["modes"], n=10_000) if score.name in COVERED]
    return [*covered, modes_held(coverage[len(coverage) // 2 :])]


def modes_over_time(run: Run) -> Mapping[int, Coverage]:
    """Step -> modes, quality and divergence of the kept points."""
    return over_time(run, mixture(run))


def mixture(run: Run) -> Mixture:
    """The mixture that a run of figure 1 was trained on."""
    source = Experiment.from_json(run.experiment).data
    assert isinstance(source, Mixture)  # the recipes of figure 1 have no other
    return source


def digit_scores(run: Run, scale: Scale) -> Scores:
    """Classes and distances of the last samples, and the fullest class's share in the training's second half."""
    scores = evaluate(run, metrics=["classifier", "pairwise"], n=DIGITS[scale])
    (ratio,) = (median_ratio(score) for score in scores if score.name == "pairwise")
    histograms = list(digits_over_time(run).values())
    return [*scores, ratio, fullest_class(histograms[len(histograms) // 2 :])]


def digits_over_time(run: Run) -> Mapping[int, Int[Tensor, " k"]]:
    """Step -> the number of kept samples of each class."""
    classifier = classifier_of(Experiment.from_json(run.experiment).data)
    histograms = {}
    for step, images in image_snapshots(run).items():
        probabilities = extract(classifier, images).probabilities
        assert probabilities is not None  # a classifier has classes
        histograms[step] = torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])
    return histograms


def fullest_over_time(run: Run) -> Mapping[int, Scores]:
    """Step -> the fullest class's share of the kept samples."""
    return {step: [fullest_class([histogram])] for step, histogram in digits_over_time(run).items()}


def reconstruction_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """Mean squared errors of one seed's models, and how often each model is the best."""
    errors = [reconstruction_score(run, scale) for run in runs.values()]
    ranks = ranked(list(runs.values()), errors)
    return {label: (error, rank) for label, error, rank in zip(runs, errors, ranks, strict=True)}


def reconstruction_score(run: Run, scale: Scale) -> Score:
    """The mean squared error of the best reconstructions of training images."""
    (score,) = evaluate(run, metrics=["reconstruction"], n=TARGETS[scale])
    return score


def classifier_scores(run: Run, scale: Scale) -> Scores:
    """The score by CIFAR-10's own classifier."""
    return evaluate(run, metrics=["is"], n=SAMPLES[scale], extractor=CLASSIFIER)


def distance_scores(run: Run, scale: Scale) -> tuple[Score, Score]:
    """How distances between samples differ from those between images, and the ratio of their medians."""
    (gap,) = evaluate(run, metrics=["pairwise"], n=min(MOST, 2 * SAMPLES[scale]))
    return gap, median_ratio(gap)

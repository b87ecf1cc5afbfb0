"""Metrics of features: distances between real and generated features, and the Inception score."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from agon import metrics
from agon.errors import DataError
from agon.evaluation.evidence import EvaluationContext, Measurement
from agon.evaluation.extractors import provenance
from agon.evaluation.requirements import probabilities, refuse_few
from agon.metrics import Score, Statistics
from agon.metrics.kid import LEAST
from agon.metrics.requested import Distance

SHUFFLED = 2020  # the seed of torch-fidelity's order and subsets, so that its scores can be compared
INTRA = 20  # subsets of each class for its KID
SUBSET = 1_000  # samples in each of KID's subsets, or all where there are fewer

PUBLISHED = {  # names of scores of the Inception's features; scores of other features name their extractor
    "inception-score": "inception-score",
    "frechet-distance": "fid",
    "frechet-distance-shrunk": "fid-shrunk",
    "kernel-distance": "kid",
    "intra-frechet-distance-shrunk": "intra-fid-shrunk",
    "intra-kernel-distance": "intra-kid",
}


def inception_scores(context: EvaluationContext, *, splits: int = 10) -> Measurement:
    """Compute exp E KL(p(y|x) || p(y)) of the shuffled samples, in 10 splits."""
    by_sample = probabilities(context.fake_features, context)
    order = np.random.RandomState(SHUFFLED).permutation(len(by_sample))
    score = metrics.inception_score(by_sample[torch.from_numpy(order)], splits)
    protocol = score.protocol.replace("in the order given", f"shuffled by seed {SHUFFLED}")
    return Measurement([named(replace(score, protocol=protocol), context)])


def frechet(context: EvaluationContext) -> Measurement:
    """Compute the Fréchet distance of the two sets of features, or of the generated one to known statistics."""
    if context.reference is not None:
        return Measurement([_to_statistics(context, context.reference)])
    return Measurement([named(metrics.frechet_distance(*_both(context)), context)])


def frechet_shrunk(context: EvaluationContext) -> Measurement:
    """Compute the Fréchet distance with shrunk covariances, for fewer samples than features."""
    score = metrics.frechet_distance(*_both(context), covariance="shrunk")
    return Measurement([named(replace(score, name=f"{score.name}-shrunk"), context)])


def kernel(context: EvaluationContext) -> Measurement:
    """Compute the kernel distance on torch-fidelity's subsets."""
    real, fake = _both(context)
    refuse_few(len(real), len(fake))
    size = min(SUBSET, len(real), len(fake))
    return Measurement([named(metrics.kernel_distance(real, fake, size=size, seed=SHUFFLED), context)])


def intra_frechet(context: EvaluationContext) -> Measurement:
    """Compute the mean over classes of the Fréchet distance, with shrunk covariances: a class has few samples."""
    shrunk = _intra(context, partial(metrics.frechet_distance, covariance="shrunk"))
    return Measurement([named(replace(shrunk, name=f"{shrunk.name}-shrunk"), context)])


def intra_kernel(context: EvaluationContext) -> Measurement:
    """Compute the mean over classes of the kernel distance, on subsets of a quarter of a class's expected samples.

    They have no more samples than the smallest class has on either side.
    """
    classes = len(context.data.classes)
    counts = [torch.bincount(labels, minlength=classes) for labels in (context.real_labels, context.requested)]
    fewest = min(int(of_side.min()) for of_side in counts)
    size = max(LEAST, min(SUBSET, context.n // (4 * classes), fewest))
    distance = partial(metrics.kernel_distance, subsets=INTRA, size=size, seed=SHUFFLED)
    return Measurement([named(_intra(context, distance), context)])


def _intra(context: EvaluationContext, distance: Distance) -> Score:
    real_labels, labels = context.real_labels, context.requested  # refused before features are computed
    real, fake = _both(context)
    return metrics.by_class(distance, real, real_labels, fake, labels, context.data.classes)


def precision_recall(context: EvaluationContext) -> Measurement:
    """Compute improved precision and recall, k = 3."""
    scores = metrics.precision_recall(*_both(context))
    return _named_scores({name: replace(score, name=f"improved-{name}") for name, score in scores.items()}, context)


def prdc(context: EvaluationContext) -> Measurement:
    """Compute precision, recall, density and coverage, k = 5."""
    return _named_scores(metrics.prdc(*_both(context)), context)


def named(score: Score, context: EvaluationContext) -> Score:
    """Return the score under a name that says which features it compares, with the extractor in its passport."""
    extractor = context.extractor
    name = PUBLISHED.get(score.name, score.name)
    if extractor.hash != metrics.INCEPTION_SHA256:
        name = f"{context.kind}-{score.name.removeprefix('inception-')}"
    score = replace(score, name=name, protocol=f"{score.protocol}; {extractor.name}")
    return score.stamped(extractor=provenance(extractor))


def _to_statistics(context: EvaluationContext, reference: Statistics) -> Score:
    extractor, features = context.extractor, context.fake_features.features
    if reference.extractor not in (None, extractor.hash):
        raise DataError(
            f"{reference.name}: expected statistics of the features of {extractor.name}, got those of another "
            f"extractor; use --extractor {reference.kind}"
        )
    if len(reference.mean) != features.shape[1]:
        raise DataError(
            f"{reference.name}: expected statistics of {features.shape[1]} features by {extractor.name}, got "
            f"{len(reference.mean)}; use the extractor that they were made with (Inception has 2048)"
        )
    score = metrics.frechet_distance_to_moments(reference.mean, reference.covariance, features, reference.n)
    unknown = "" if reference.extractor else ", whose extractor and images the file does not name"
    return named(replace(score, protocol=f"{score.protocol}; statistics of {reference.name}{unknown}"), context)


def _both(context: EvaluationContext) -> tuple[torch.Tensor, torch.Tensor]:
    return context.real_features.features, context.fake_features.features


def _named_scores(scores: Mapping[str, Score], context: EvaluationContext) -> Measurement:
    return Measurement([named(score, context) for score in scores.values()])

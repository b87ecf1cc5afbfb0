"""Scores of features: how far the generated samples' are from the real ones', and how sure a classifier is."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from agon import metrics
from agon.errors import DataError, SettingError
from agon.evaluation.evidence import EvaluationContext, Measurement
from agon.evaluation.extractors import provenance
from agon.metrics import Score
from agon.metrics.kid import LEAST

SHUFFLED = 2020  # the seed of torch-fidelity's own order and subsets, so that its scores can be compared
SUBSET = 1_000  # samples in each of KID's subsets, or all where there are fewer

PUBLISHED = {  # what scores of the Inception's features are called; those of other features say whose they are
    "inception-score": "inception-score",
    "frechet-distance": "fid",
    "frechet-distance-shrunk": "fid-shrunk",
    "kernel-distance": "kid",
}


def inception_scores(evidence: EvaluationContext, *, splits: int = 10) -> Measurement:
    """exp E KL(p(y|x) || p(y)) of the shuffled samples, in 10 splits."""
    probabilities = evidence.fake_features.probabilities
    if probabilities is None:
        raise SettingError(
            f"--metrics is: expected images and an extractor that knows classes, got {evidence.extractor.name}; "
            "for images, use --extractor inception or classifier"
        )
    order = np.random.RandomState(SHUFFLED).permutation(len(probabilities))
    score = metrics.inception_score(probabilities[torch.from_numpy(order)], splits)
    protocol = score.protocol.replace("in the order given", f"shuffled by seed {SHUFFLED}")
    return Measurement([named(replace(score, protocol=protocol), evidence)])


def frechet(evidence: EvaluationContext) -> Measurement:
    """The Fréchet distance of the two sets of features."""
    return Measurement([named(metrics.frechet_distance(*_both(evidence)), evidence)])


def frechet_shrunk(evidence: EvaluationContext) -> Measurement:
    """The Fréchet distance with shrunk covariances, for fewer samples than features."""
    score = metrics.frechet_distance(*_both(evidence), covariance="shrunk")
    return Measurement([named(replace(score, name=f"{score.name}-shrunk"), evidence)])


def kernel(evidence: EvaluationContext) -> Measurement:
    """The kernel distance on torch-fidelity's own subsets."""
    real, fake = _both(evidence)
    if min(len(real), len(fake)) < LEAST:
        raise DataError(
            f"--metrics kid: expected at least {LEAST} samples of both sides, got {len(fake)} against {len(real)}; "
            "give more"
        )
    size = min(SUBSET, len(real), len(fake))
    return Measurement([named(metrics.kernel_distance(real, fake, size=size, seed=SHUFFLED), evidence)])


def improved(evidence: EvaluationContext) -> Measurement:
    """Improved precision and recall, k = 3."""
    scores = metrics.precision_recall(*_both(evidence))
    return _manifold({name: replace(score, name=f"improved-{name}") for name, score in scores.items()}, evidence)


def manifold(evidence: EvaluationContext) -> Measurement:
    """Precision, recall, density and coverage, k = 5."""
    return _manifold(metrics.prdc(*_both(evidence)), evidence)


def named(score: Score, evidence: EvaluationContext) -> Score:
    """A score under the name that tells whose features it is of, with the extractor in its passport."""
    extractor = evidence.extractor
    name = PUBLISHED.get(score.name, score.name)
    if extractor.hash != metrics.INCEPTION_SHA256:
        name = f"{evidence.kind}-{score.name.removeprefix('inception-')}"
    score = replace(score, name=name, protocol=f"{score.protocol}; {extractor.name}")
    return score.stamped(extractor=provenance(extractor))


def _both(evidence: EvaluationContext) -> tuple[torch.Tensor, torch.Tensor]:
    return evidence.real_features.features, evidence.fake_features.features


def _manifold(scores: Mapping[str, Score], evidence: EvaluationContext) -> Measurement:
    return Measurement([named(score, evidence) for score in scores.values()])

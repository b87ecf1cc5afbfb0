"""Negative controls: each kind of bad sampler is told from a good one by the metric that should see it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from agon.data import Images
from agon.evaluation.evidence import EvaluationContext
from agon.evaluation.extractors import ExtractorSpec
from agon.evaluation.table import METRICS
from agon.metrics import Score
from agon.samples.reading import real_samples

pytestmark = pytest.mark.usefixtures("one_core")
N = 90  # half of the held-out digits: the other half is what samples are compared with
ASKED = ("fid-shrunk", "kid", "prdc", "classifier", "pairwise", "neighbours")
SOURCE = Images()


def samplers() -> dict[str, Tensor]:
    """From real digits: "good" are held out, and every other one is spoilt in its own way."""
    train, held = real_samples(SOURCE, 1_500), real_samples(SOURCE, 2 * N, split="test")[:N]
    rng = torch.Generator().manual_seed(0)
    noise = 90 * torch.randn(held.shape, generator=rng)
    labels = SOURCE.take(1_500).label
    assert labels is not None
    return {
        "good": held,
        "collapsed": held[:3].repeat(N // 3, 1, 1, 1),
        "memorising": train[:N],
        "noisy": (held + noise).clamp(0, 255).byte(),
        "dropping": train[labels < 7][-N:],
    }


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Score]]:
    """Sampler -> score's name -> score."""
    found: dict[str, dict[str, Score]] = {}
    for name, fake in samplers().items():
        evidence = EvaluationContext(lambda fake=fake: fake, SOURCE, 1_500, ExtractorSpec("classifier"))
        evidence.held = real_samples(SOURCE, 2 * N, split="test")[N:]
        scores = [score for metric in ASKED for score in METRICS[metric](evidence).scores]
        found[name] = {score.name: score for score in scores}
    return found


def test_a_good_sampler_is_good(told: dict[str, dict[str, Score]]) -> None:
    good = told["good"]
    assert good["classes"].value == 10
    assert good["classifier-precision"].value > 0.8
    assert good["memorisation"].value == pytest.approx(0.5, abs=0.15)


def test_a_collapsed_sampler_is_seen_by_recall_coverage_and_distances(told: dict[str, dict[str, Score]]) -> None:
    bad, good = told["collapsed"], told["good"]
    assert bad["classes"].value <= 3 < good["classes"].value
    assert bad["classifier-recall"].value < 0.1 < good["classifier-recall"].value
    assert bad["classifier-coverage"].value < 0.1 < good["classifier-coverage"].value
    assert bad["classifier-frechet-distance-shrunk"].value > 3 * good["classifier-frechet-distance-shrunk"].value
    assert bad["classifier-kernel-distance"].value > 3 * good["classifier-kernel-distance"].value
    assert bad["pairwise"].value > 3 * good["pairwise"].value


def test_a_memorising_sampler_is_seen_by_its_neighbours_alone(told: dict[str, dict[str, Score]]) -> None:
    bad, good = told["memorising"], told["good"]
    assert bad["memorisation"].value > 0.9 > good["memorisation"].value
    assert bad["classifier-frechet-distance-shrunk"].value < 2 * good["classifier-frechet-distance-shrunk"].value


def test_a_noisy_sampler_is_seen_by_precision_and_confidence(told: dict[str, dict[str, Score]]) -> None:
    bad, good = told["noisy"], told["good"]
    assert bad["classifier-precision"].value < 0.8 * good["classifier-precision"].value
    assert bad["confidence"].value < good["confidence"].value
    assert bad["classifier-kernel-distance"].value > 3 * good["classifier-kernel-distance"].value


def test_a_sampler_that_drops_classes_is_seen_by_their_shares(told: dict[str, dict[str, Score]]) -> None:
    bad, good = told["dropping"], told["good"]
    assert bad["classes"].value == 7
    assert bad["class-divergence"].value == pytest.approx(np.log(10 / 7), abs=0.1)
    assert bad["class-divergence"].value > 3 * good["class-divergence"].value

"""The classifier of colour images: residual blocks, averaged weights, statistics of their own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from agon.classifiers import (
    classifier_of,
    experiment,
    settled,
)
from agon.classifiers.classifier import digest
from agon.data import Images
from agon.errors import DataError
from agon.experiment import Part
from agon.figures.pictures import to_uint8
from agon.games import Classification
from agon.metrics.extractors import extract
from agon.networks.classifier import ResidualClassifier
from agon.networks.layers import evaluation_mode

pytestmark = pytest.mark.usefixtures("one_core")


def colours(path: Path, n: int) -> Images:
    """Noise in two classes, red and blue."""
    rng, labels = np.random.default_rng(0), np.arange(n) % 2
    images = rng.integers(0, 100, (n, 6, 5, 3), dtype=np.uint8)
    images[np.arange(n), :, :, 2 * labels] += 100
    np.savez(path, images=images, labels=labels)
    return Images(path=str(path))


def test_colour_has_residual_blocks_and_averaged_weights(tmp_path: Path) -> None:
    """Fewer images than a batch work; what is kept judges in evaluation mode, by statistics of its own."""
    source = colours(tmp_path / "x.npz", 50)
    built = experiment(source)
    assert isinstance(built.game, Part)
    assert built.game.settings["classifier"].make is ResidualClassifier
    assert (built.batch, built.steps, built.averaging is not None) == (45, 200, True)
    judge = classifier_of(source, steps=40, folder=tmp_path / "cache", show=False)
    assert judge.accuracy.value == 1
    images = to_uint8(source.take(20).real, -1, 1)
    assert judge(images).features.shape == (20, 192)
    for left, right in zip(judge(images), extract(judge, images, 3), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-5)


def test_averaged_weights_get_statistics_of_their_own(tmp_path: Path) -> None:
    """Those of the source's images under them; the game that was trained stays as it is."""
    source = colours(tmp_path / "x.npz", 60)
    torch.manual_seed(0)
    game, other = (Classification(classifier=ResidualClassifier(shape=(3, 6, 5), classes=2)) for _ in range(2))
    before = digest(game)
    built = settled(game, dict(other.state_dict()), source)
    assert digest(game) == before
    assert settled(game, None, source) is game
    for ours, expected in zip(built.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, expected)
    norm = next(m for m in built.modules() if isinstance(m, nn.BatchNorm2d))
    with evaluation_mode(other), torch.no_grad():
        seen = other.classifier.layers[0](source.take(54).real)
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    assert not built.training


def test_a_set_of_one_class_is_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((30, 6, 6), np.uint8), labels=np.zeros(30, np.int64))
    with pytest.raises(DataError, match="images of 2 classes or more"):
        classifier_of(Images(path=str(tmp_path / "x.npz")), folder=tmp_path, show=False)

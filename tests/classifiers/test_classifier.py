"""What a classifier says of images, and how it is told apart from another."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from agon.classifiers import (
    SetClassifier,
    StackedClassifier,
    class_counts,
    classifier_of,
)
from agon.classifiers.classifier import digest
from agon.data import Images, Stacked
from agon.errors import DataError
from agon.figures.pictures import to_uint8
from agon.games import Classification
from agon.metrics import Score, class_coverage, class_divergence
from agon.metrics.extractors import Extractor, extract
from agon.networks.classifier import Classifier
from tests.classifiers.conftest import STEPS

pytestmark = pytest.mark.usefixtures("one_core")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> SetClassifier:
    """Of the bundled digits, after a short training."""
    with pytest.MonkeyPatch.context() as patch:  # one core, as all tests of this module take
        patch.setattr("agon.training.compute.cores", lambda: 1)
        built = classifier_of(Images(), steps=150, folder=tmp_path_factory.mktemp("cache"), show=False)
    assert isinstance(built, SetClassifier)
    return built


def layers_of(game: Classification) -> nn.Sequential:
    layers = game.classifier.layers
    assert isinstance(layers, nn.Sequential)
    return layers


def held() -> tuple[torch.Tensor, torch.Tensor]:
    """The digits that no classifier was trained on, as bytes, and their classes."""
    drawn = Images().take(180, split="test")
    assert drawn.label is not None
    return to_uint8(drawn.real, -1, 1), drawn.label


def test_it_is_an_extractor(judge: SetClassifier) -> None:
    """Its features are what its last layer sees, its probabilities the network's, whatever else is in the batch."""
    images, _ = held()
    assert isinstance(judge, Extractor)
    assert judge.name == f"classifier of 10 classes of images 1x8x8, accuracy {judge.accuracy.value:.4f}"
    assert (judge.resizer, judge.precision, len(judge.hash)) == ("none", "float32", 64)
    whole = judge(images)
    assert whole.probabilities is not None
    assert (whole.features.shape, whole.probabilities.shape) == ((180, 1024), (180, 10))
    in_range = images.float() / 127.5 - 1
    torch.testing.assert_close(whole.probabilities, judge.probabilities(in_range))
    torch.testing.assert_close(layers_of(judge.game)[-1](whole.features).softmax(1), whole.probabilities)
    for chunk in (1, 7, 180):
        again = extract(judge, images, chunk)
        torch.testing.assert_close(again.features, whole.features)
        torch.testing.assert_close(again.probabilities, whole.probabilities)


def test_its_hash_is_that_of_its_weights(judge: SetClassifier) -> None:
    """Other weights by one number have another; the same ones elsewhere the same."""
    before = digest(judge.game)
    game = Classification(classifier=Classifier(shape=(1, 8, 8)))
    game.load_state_dict(judge.game.state_dict())
    assert digest(game) == before == judge.hash
    with torch.no_grad():
        next(game.parameters())[0, 0, 0, 0] += 1e-6
    assert digest(game) != before


def test_images_of_another_size_are_a_sentence(judge: SetClassifier) -> None:
    for shape in ((2, 1, 9, 8), (2, 3, 8, 8)):
        with pytest.raises(DataError, match=r"expected images of \(1, 8, 8\)"):
            judge(torch.zeros(shape, dtype=torch.uint8))
    with pytest.raises(DataError, match="expected images of 3 channels, got 1"):
        StackedClassifier(judge, [""] * 1000)(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))


def test_stacks_are_judged_channel_by_channel(judge: SetClassifier, tmp_path: Path, trainings: list[str]) -> None:
    """p(abc | x) is the product; real stacks get their own class about as often as the accuracy to the third."""
    source, stacked = Stacked(), StackedClassifier(judge, Stacked().classes)
    drawn = source.take(60, split="test")
    assert drawn.label is not None
    images = to_uint8(drawn.real, -1, 1)
    result, each = stacked(images), [judge(images[:, [k]]) for k in range(3)]
    assert result.probabilities is not None
    torch.testing.assert_close(result.probabilities.sum(1), torch.ones(60))
    torch.testing.assert_close(result.features, torch.cat([one.features for one in each], 1))
    a, b, c = (one.probabilities[7] for one in each if one.probabilities is not None)
    assert float(result.probabilities[7, 456]) == pytest.approx(float(a[4] * b[5] * c[6]))
    right = float((result.probabilities.argmax(1) == drawn.label).double().mean())
    assert right == pytest.approx(stacked.accuracy.value, abs=0.2)
    assert stacked.accuracy.value == judge.accuracy.value**3
    assert isinstance(stacked, Extractor)
    built = classifier_of(source, steps=STEPS, folder=tmp_path, show=False)
    again = classifier_of(Images(), steps=STEPS, folder=tmp_path, show=False)
    assert isinstance(built, StackedClassifier)
    assert (built.grey.hash, built.names[999], len(trainings)) == (again.hash, "999", 1)
    assert built.hash != again.hash


def test_samplers_that_drop_classes_are_told(judge: SetClassifier) -> None:
    """Real ones have all and their divergence's own mean; of half of the classes log 2 more; of one, log 10."""
    images, label = held()
    counts = class_counts(Images())

    def class_scores(some: torch.Tensor) -> tuple[Score, Score]:
        probabilities = judge(some).probabilities
        assert probabilities is not None
        classes, _ = class_coverage(probabilities, judge.names, judge.name)
        return classes, class_divergence(probabilities, counts, judge.name)

    real, half, one = (
        class_scores(images),
        class_scores(images[label < 5]),
        class_scores(images[:1].expand(180, -1, -1, -1)),
    )
    assert (real[0].value, one[0].value) == (10, 1)
    assert real[1].value < 5 * real[1].detail["real"]
    assert half[1].value == pytest.approx(0.69, abs=0.12)
    assert one[1].value == pytest.approx(2.3, abs=0.1)
    assert real[1].n_real == 1617


def test_classes_are_counted(tmp_path: Path) -> None:
    counts = class_counts(Images())
    drawn = Images().take(1617)
    assert drawn.label is not None
    assert torch.equal(counts, drawn.label.bincount().double())
    assert class_counts(Images(only=3)).nonzero().flatten().tolist() == [3]
    stacks = class_counts(Stacked(stacks=5000))
    assert float(stacks.sum()) == pytest.approx(5000)
    assert float(stacks[123]) == pytest.approx(5000 * float(counts[1] * counts[2] * counts[3]) / 1617**3)
    np.save(tmp_path / "bare.npy", np.zeros((40, 8, 8), np.uint8))
    with pytest.raises(DataError, match="class labels, got none"):
        class_counts(Images(path=str(tmp_path / "bare.npy")))
    with pytest.raises(DataError, match="got a stream"):
        class_counts(Images(streaming=True))

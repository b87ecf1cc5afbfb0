"""The judge of labelled images: sure and right on what it knows, honest about what it does not."""

import pytest
import torch

from agon.data import Images
from agon.errors import DataError
from agon.evaluate import judge
from agon.metrics import class_coverage, fit_judge


def blobs(labels: torch.Tensor) -> torch.Tensor:
    """Images whose brightest row is their class: separable."""
    images = torch.randn(len(labels), 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.1
    images[torch.arange(len(labels)), 0, labels] += 1
    return images


def test_classes_that_are_not_zero_to_k_keep_their_places() -> None:
    labels = torch.tensor([2, 5, 7]).repeat(40)
    known = fit_judge(blobs(labels), labels, blobs(labels), labels, classes=8)
    assert known.accuracy == 1.0
    probabilities = known.probabilities(blobs(labels))
    assert probabilities.shape == (120, 8)
    assert torch.equal(probabilities.argmax(1), labels)


def test_one_class_cannot_be_judged() -> None:
    labels = torch.full((20,), 2)
    with pytest.raises(DataError, match="at least two classes"):
        fit_judge(blobs(labels), labels, blobs(labels), labels, classes=3)


def test_real_digits_are_found_and_noise_is_not() -> None:
    """The negative controls: noise has no confidence, and one digit repeated is one class."""
    source = Images(path="digits")
    known, real = judge(source), source.take(180, split="test").real
    assert known.accuracy > 0.95
    classes, confidence = class_coverage(known.probabilities(real), source.classes, "real")
    assert (classes.value, confidence.value > 0.95) == (10, True)
    noise = torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert class_coverage(known.probabilities(noise), source.classes, "noise")[1].value < 0.7
    assert class_coverage(known.probabilities(real[:1].expand(100, -1, -1, -1)), source.classes, "one")[0].value == 1

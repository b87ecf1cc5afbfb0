"""The class that was asked for, and distances class by class: their right values, and controls that they catch."""

import pytest
import torch

from agon.errors import DataError
from agon.metrics import by_class, class_accuracy, frechet_distance, kernel_distance

NAMES = ("ant", "bee", "cow")


def clouds(seed: int, centres: tuple[float, ...], n: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    """n points in the plane around each class's centre, with their labels."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(centres)).repeat_interleave(n)
    return torch.randn(len(labels), 2, generator=rng) + torch.tensor(centres)[labels][:, None], labels


def test_the_distance_of_a_class_is_its_own() -> None:
    """|shift|² in each of two coordinates for one class of three, 0 for the others: a mean of 2·9/3."""
    real, labels = clouds(0, (0.0, 5.0, 10.0))
    fake = real + 3 * (labels == 1)[:, None]
    score = by_class(frechet_distance, real, labels, fake, labels, NAMES)
    assert score.name == "intra-frechet-distance"
    assert score.value == pytest.approx(6, rel=1e-5)
    assert score.detail["by_class"]["bee"] == pytest.approx(18, rel=1e-5)
    assert "largest for bee" in score.detail["told"]


def test_confused_labels_are_seen_by_it_alone() -> None:
    """The negative control of the distance of all samples together, which is 0."""
    real, labels = clouds(0, (0.0, 5.0, 10.0))
    confused = (labels + 1) % 3
    assert frechet_distance(real, real).value == pytest.approx(0, abs=1e-6)
    assert by_class(frechet_distance, real, labels, real, confused, NAMES).value > 50


def test_the_error_of_the_mean_is_that_of_independent_classes() -> None:
    (real, labels), (fake, _) = clouds(0, (0.0, 5.0, 10.0)), clouds(1, (1.0, 6.0, 11.0))

    def distance(x: torch.Tensor, y: torch.Tensor):
        return kernel_distance(x, y, size=50, subsets=5)

    score = by_class(distance, real, labels, fake, labels, NAMES)
    each = [distance(real[labels == k], fake[labels == k]) for k in range(3)]
    assert score.error == pytest.approx(sum(s.error**2 for s in each) ** 0.5 / 3)
    assert score.value == pytest.approx(sum(s.value for s in each) / 3)


def test_a_class_without_samples_is_named() -> None:
    real, labels = clouds(0, (0.0, 5.0, 10.0))
    with pytest.raises(DataError, match="class cow: Fréchet distance: expected"):
        by_class(frechet_distance, real, labels, real, labels.clamp_max(1), NAMES)


def test_shuffled_labels_get_the_share_of_chance() -> None:
    labels = torch.arange(3_000) % 3
    right = torch.eye(3)[labels]
    assert class_accuracy(right, labels, NAMES, "a classifier").value == 1
    order = torch.randperm(3_000, generator=torch.Generator().manual_seed(0))
    assert class_accuracy(right[order], labels, NAMES, "a classifier").value == pytest.approx(1 / 3, abs=0.03)


def test_one_label_for_each_sample() -> None:
    with pytest.raises(DataError, match="got 2 labels of 3 samples"):
        class_accuracy(torch.eye(3), torch.tensor([0, 1]), NAMES, "a classifier")

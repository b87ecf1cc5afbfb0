"""Clouds of points: distances to and from the data, and how points move."""

import math

import pytest
import torch

from agon.data import Ring
from agon.metrics import Score, nearest_neighbours
from agon.metrics.clouds import FROM_DATA, TO_DATA, early_distance, movements, nearest_distances, nearest_in_tree


def values(scores: tuple[Score, ...]) -> dict[str, float]:
    return {score.name: score.value for score in scores}


def test_distances_tell_a_collapse_from_a_spread() -> None:
    """On the data both are 0; all on one of its points is as near to the data, and the data are far from it."""
    real = Ring(points=500).sample(500, torch.Generator().manual_seed(0))
    good, collapsed = (values(nearest_distances(fake, real)) for fake in (real, real[:1].repeat(9, 1)))
    assert good == {TO_DATA: 0.0, FROM_DATA: 0.0}
    assert collapsed[TO_DATA] == 0.0
    assert collapsed[FROM_DATA] > 1.0


def test_the_tree_finds_the_nearest() -> None:
    rng = torch.Generator().manual_seed(0)
    queries, others = torch.randn(50, 2, generator=rng), torch.randn(70, 2, generator=rng)
    expected = nearest_neighbours(queries, others).distances[:, 0]
    torch.testing.assert_close(nearest_in_tree(queries, others), expected)


def test_moves_and_shifts() -> None:
    """A cloud that is carried along moves as far as it shifts; one that turns moves and does not shift."""
    cloud = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    carried = values(movements([cloud + k * torch.tensor([3.0, 4.0]) for k in range(4)]))
    assert carried == pytest.approx({"movement": 5.0, "shift": 5.0})
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    turned = values(movements([cloud, cloud @ quarter, cloud @ quarter @ quarter]))
    assert turned == pytest.approx({"movement": math.sqrt(2), "shift": 0.0}, abs=1e-6)


def test_the_early_distance_is_a_mean_of_both_ways_over_the_looks() -> None:
    """One point at a distance of 1, then of 3; a cloud that is the data from the start is at 0."""
    real = torch.zeros(1, 2)
    far = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])]
    assert early_distance(far, real).value == 2.0
    assert early_distance([real, real], real).value == 0.0

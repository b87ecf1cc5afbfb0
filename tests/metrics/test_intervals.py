"""Means of scores of several generators, and a critic's distance from one half."""

import math

import pytest
import torch

from agon.metrics import Score
from agon.metrics.intervals import interval, mean_of_scores, over_seeds
from agon.metrics.optimal_critic import distance_from_half


def test_a_mean_over_generators_has_the_error_of_a_mean() -> None:
    """Not that of one of them."""
    scores = [Score(name="confidence", value=value, error=0.03, n=100, protocol="one") for value in (0.5, 0.7, 0.9)]
    found = mean_of_scores(scores)
    assert (found.name, found.value, found.n) == ("confidence", pytest.approx(0.7), 300)
    assert found.error == pytest.approx(0.03 / math.sqrt(3))


@pytest.mark.parametrize(("probability", "away"), [(0.5, 0.0), (0.75, 0.25), (0.0, 0.5), (1.0, 0.5)])
def test_the_distance_from_half_is_0_for_a_critic_that_cannot_tell(probability: float, away: float) -> None:
    found = distance_from_half(torch.full((10,), probability), n=6, n_real=4)
    assert (found.value, found.n, found.n_real) == (pytest.approx(away), 6, 4)


def test_an_interval_over_seeds_is_never_narrower_than_their_own() -> None:
    """Three seeds that all measured 1 from few samples; without errors it is Student's; it ends at the bounds."""
    mean, _, half = interval([0.2, 0.3, 0.4])
    assert half is not None
    assert over_seeds([0.2, 0.3, 0.4], [None] * 3) == (mean - half, mean + half)
    low, high = over_seeds([1.0, 1.0, 1.0], [(0.1, 1.0)] * 3, (0.0, 1.0)) or (1.0, 1.0)
    assert low == pytest.approx(1 - 0.9 / 3**0.5)
    assert high == 1.0
    assert (over_seeds([0.0, 0.05, 0.02], [None] * 3, (0.0, 1.0)) or (-1.0, 0.0))[0] == 0.0
    assert over_seeds([0.5], [None]) is None
    assert over_seeds([0.5, float("nan")], [None, None]) is None

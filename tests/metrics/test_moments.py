"""Moments from parts are those of the whole; too few samples get Ledoit and Wolf's covariance."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from agon.errors import DataError
from agon.metrics import Moments
from agon.metrics.moments import shrinkage


def correlated(n: int, d: int, seed: int = 0) -> torch.Tensor:
    """Features with a mean, float64, that depend on each other."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=rng, dtype=torch.float64)
    return torch.randn(n, d, generator=rng, dtype=torch.float64) @ mix + torch.arange(d)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 57), max_size=6), st.sampled_from([1, 7, 64]))
def test_parts_do_not_matter(cuts: list[int], block: int) -> None:
    """However the features are cut, empty parts and single ones included, and in whatever blocks."""
    x = correlated(57, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agon.metrics.moments.BLOCK", block)
        moments = Moments()
        for part in torch.tensor_split(x, sorted(cuts)):
            moments.add(part)
    assert moments.n == 57
    assert torch.allclose(moments.mean, x.mean(0), rtol=1e-12, atol=1e-12)
    assert torch.allclose(moments.covariance, torch.cov(x.T), rtol=1e-12, atol=1e-12)


def test_groups_are_merged() -> None:
    x = correlated(40, 4)
    whole = Moments().add(x[:9]).merge(Moments().add(x[9:])).merge(Moments())
    assert torch.allclose(whole.covariance, torch.cov(x.T), rtol=1e-12)
    first, copy = Moments().add(x), Moments()
    copy.merge(first).add(x + 1)
    assert torch.equal(first.mean, Moments().add(x).mean), "what is merged stays as it is"


def test_small_variances_far_from_zero_survive() -> None:
    """Unlike E x² - (E x)²: the negative control loses every digit."""
    x = correlated(500, 3) * 1e-4 + 1e8
    assert torch.allclose(Moments().add(x).covariance, torch.cov(x.T), rtol=1e-10)
    naive = x.T @ x / len(x) - torch.outer(x.mean(0), x.mean(0))
    assert not torch.allclose(naive, torch.cov(x.T), rtol=0.1)


@pytest.mark.parametrize(("n", "d"), [(5, 20), (40, 20), (400, 3)])
def test_the_shrinkage_is_that_of_scikit_learn(n: int, d: int) -> None:
    x = correlated(n, d)
    expected, share = ledoit_wolf(x.numpy())
    moments = Moments().add(x)
    amount = shrinkage(x, moments)
    assert amount == pytest.approx(share, rel=1e-10)
    S = moments.scatter / n
    ours = (1 - amount) * S + amount * S.trace() / d * torch.eye(d, dtype=torch.float64)
    assert torch.allclose(ours, torch.from_numpy(expected), rtol=1e-10)


def test_wrong_features_are_a_sentence() -> None:
    with pytest.raises(DataError, match="finite features"):
        Moments().add(torch.tensor([[1.0], [math.nan]]))
    with pytest.raises(DataError, match="of 3 coordinates, got 4"):
        Moments().add(torch.zeros(2, 3)).add(torch.zeros(2, 4))
    with pytest.raises(DataError, match="at least 2 features for a covariance, got 1"):
        _ = Moments().add(torch.zeros(1, 3)).covariance

"""The area under a critic's ROC curve: against scipy's U statistic, its symmetries, and the coverage of its error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from agon.errors import DataError
from agon.metrics.auroc import auroc, bootstrapped

SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=12).map(lambda values: np.array(values, dtype=float))


@given(SCORES, SCORES)
def test_it_is_the_u_statistic(fake: np.ndarray, real: np.ndarray) -> None:
    u = mannwhitneyu(fake, real).statistic
    assert auroc(fake, real).value == pytest.approx(u / (len(fake) * len(real)), abs=1e-12)


@given(SCORES, SCORES)
def test_exchanging_real_and_generated_mirrors_it(fake: np.ndarray, real: np.ndarray) -> None:
    one, other = auroc(fake, real), auroc(real, fake)
    assert one.value == pytest.approx(1 - other.value, abs=1e-12)
    assert one.error == pytest.approx(other.error, abs=1e-12)


def test_monotone_maps_of_the_logits_change_nothing() -> None:
    rng = np.random.default_rng(0)
    fake, real = rng.normal(size=50), rng.normal(0.5, 2, size=70)
    assert auroc(fake, real) == auroc(np.exp(fake / 3), np.exp(real / 3))


@pytest.mark.parametrize(("fake", "value"), [([0.0, 1.0], 0.0), ([5.0, 6.0], 1.0), ([3.0, 3.0], 0.5)])
def test_a_critic_that_separates_or_cannot_tell(fake: list[float], value: float) -> None:
    area = auroc(np.array(fake), np.full(4, 3.0))
    assert (area.value, area.error) == (value, 0.0)
    low, high = area.interval
    assert low <= value <= high
    assert high > low


@pytest.mark.parametrize("values", [np.array([]), np.array([np.nan])])
def test_nothing_to_compare_is_refused(values: np.ndarray) -> None:
    with pytest.raises(DataError, match="finite"):
        auroc(values, np.ones(2))


@pytest.mark.parametrize("shift", [0.0, 1.0, -2.0])
def test_the_interval_covers(shift: float) -> None:
    """Of 400 draws the 95 % interval covers the true area about 95 times in 100, and not with half of the error."""
    from scipy.stats import norm

    rng, truth = np.random.default_rng(1), norm.cdf(shift / np.sqrt(2))
    areas = [auroc(rng.normal(shift, 1, 120), rng.normal(0, 1, 90)) for _ in range(400)]
    covered = np.mean([low <= truth <= high for low, high in (area.interval for area in areas)])
    halved = np.mean([abs(area.value - truth) <= 1.96 * area.error / 2 for area in areas])
    assert 0.92 <= covered <= 0.98
    assert halved < 0.8


def test_delong_agrees_with_a_bootstrap() -> None:
    rng = np.random.default_rng(2)
    fake, real = np.round(rng.normal(0.7, 1, 200), 1), np.round(rng.normal(0, 1.5, 150), 1)
    area = auroc(fake, real)
    low, high = bootstrapped(fake, real)
    assert (high - low) / 3.92 == pytest.approx(area.error, rel=0.08)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_of_a_single_sample_little_is_known(shift: float) -> None:
    """Its area is as wide as a share of one: the interval covers, and is never that of the thousand others."""
    from scipy.stats import norm

    rng, truth = np.random.default_rng(0), norm.cdf(shift / np.sqrt(2))
    areas = [auroc(rng.normal(shift, 1, 1), rng.normal(0, 1, 1_000)) for _ in range(200)]
    assert np.mean([low <= truth <= high for low, high in (area.interval for area in areas)]) > 0.9
    assert min(high - low for low, high in (area.interval for area in areas)) > 0.3

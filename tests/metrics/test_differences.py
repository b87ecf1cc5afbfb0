"""The interval of a difference: Welch's where there are seeds, the samples' noise where there are none."""

import numpy as np
import pytest
from scipy import stats

from agon.metrics.differences import Measured, difference
from agon.metrics.intervals import NORMAL


def seeds(*values: float, error: float | None = None) -> list[Measured]:
    return [Measured(value, error) for value in values]


def test_seeds_on_both_sides_have_welchs_interval() -> None:
    first, second = (1.0, 1.3, 0.9, 1.4), (2.0, 2.9, 2.4)
    between = difference(seeds(*first), seeds(*second))
    low, high = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert between.covers == "seeds"
    assert (between.value - between.half, between.value + between.half) == pytest.approx((low, high))


def test_one_seed_has_the_spread_of_the_other_side() -> None:
    many, one = (1.0, 1.3, 0.9, 1.4), 2.0
    between = difference(seeds(*many), seeds(one))
    half = stats.t.ppf(0.975, 3) * np.std(many, ddof=1) * np.sqrt(1 + 1 / 4)
    assert (between.half, between.covers) == (pytest.approx(half), "seeds")
    assert difference(seeds(one), seeds(*many)).half == pytest.approx(half)


def test_one_run_of_each_has_the_samples_noise() -> None:
    between = difference(seeds(1.0, error=0.3), seeds(0.0, error=0.4))
    assert (between.half, between.covers) == (pytest.approx(NORMAL * 0.5), "samples")
    assert difference(seeds(1.0), seeds(0.0, error=0.4)).half is None
    assert not difference(seeds(1.0), seeds(0.0)).decided
    assert not difference(seeds(float("nan"), error=0.1), seeds(0.0, error=0.1)).decided


def test_an_interval_over_seeds_is_never_narrower_than_the_samples_noise() -> None:
    """Three seeds that agree by chance, each known to 0.3."""
    between = difference(seeds(1.0, 1.0, 1.0, error=0.3), seeds(1.2, 1.2, 1.2, error=0.3))
    assert between.half == pytest.approx(NORMAL * 0.3 * np.sqrt(2 / 3))
    assert not between.decided
    assert difference(seeds(1.0, 1.0), seeds(2.0, 2.0)).decided


def test_several_comparisons_are_wider() -> None:
    pair = seeds(1.0, error=0.1), seeds(0.0, error=0.1)
    assert difference(*pair, comparisons=5).half > difference(*pair).half


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (2, 5), (1, 4)])
def test_equal_generators_are_told_apart_in_one_of_twenty(n: int, m: int) -> None:
    """And the negative control: a difference of ten standard deviations nearly always."""
    rng = np.random.default_rng(0)

    def share(shift: float) -> float:
        pairs = [(rng.normal(shift, 1, n), rng.normal(0, 1, m)) for _ in range(1_000)]
        error = 1.0 if n == m == 1 else None
        return float(np.mean([difference(seeds(*a, error=error), seeds(*b, error=error)).decided for a, b in pairs]))

    assert share(0.0) < 0.075
    assert share(10.0) > 0.5 if n == 2 else share(10.0) > 0.9

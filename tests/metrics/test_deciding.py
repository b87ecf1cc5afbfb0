"""Paired and unpaired contrasts have the stated error rates; so has a family of them; needed seeds have the power."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agon.metrics.deciding import MOST, holm, seeds_needed
from agon.metrics.differences import Contrast, Measured, contrast, paired_contrast
from agon.metrics.intervals import LEVEL, NORMAL

ALPHA = 1 - LEVEL
SIZES = [(3, 3), (3, 8), (8, 3), (5, 5), (8, 8)]
RATIOS = [1.0, 3.0, 10.0]  # of standard deviations
MOST_LIBERAL = 0.075  # Welch's rate with 3 seeds against 8, of which the 3 vary more; 0.069 in 200,000 draws


def side(values: np.ndarray, error: float | None = None) -> list[Measured]:
    return [Measured(float(value), error) for value in values]


def rate(draw: Callable[[], Contrast], draws: int) -> float:
    """How often a contrast has p at 0.05 or below."""
    return float(np.mean([(draw().p or 0.0) <= ALPHA for _ in range(draws)]))


def paired_draw(rng: np.random.Generator, count: int, correlation: float, shift: float = 0.0) -> tuple[np.ndarray, ...]:
    """Values of both sides under the same seeds, whose common part has this share of the variance."""
    common = math.sqrt(correlation) * rng.normal(size=count)
    one, other = (common + math.sqrt(1 - correlation) * rng.normal(size=count) for _ in range(2))
    return one + shift, other


def test_a_paired_contrast_is_students() -> None:
    one, other = paired_draw(np.random.default_rng(0), 6, 0.5)
    expected = stats.ttest_rel(one, other)
    between = paired_contrast(side(one), side(other))
    low, high = expected.confidence_interval(LEVEL)
    half = between.half() or 0.0
    assert between.p == pytest.approx(expected.pvalue)
    assert (between.value - half, between.value + half) == pytest.approx((low, high))


def test_an_unpaired_p_value_is_welchs() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 5), rng.normal(1, 3, 3)
    between = contrast(side(one), side(other))
    assert between.p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)


@given(st.integers(2, 8), st.integers(0, 10**6), st.booleans())
def test_p_and_interval_agree_and_exchange_mirrors(count: int, seed: int, pairs: bool) -> None:
    """The interval at level 1 - p ends at 0; exchanged sides have the negative difference and everything else alike."""
    one, other = (side(values, 0.1) for values in paired_draw(np.random.default_rng(seed), count, 0.5, shift=1.0))
    compare = paired_contrast if pairs else contrast
    between, mirrored = compare(one, other), compare(other, one)
    assert between.half(1 - (between.p or 0.0)) == pytest.approx(abs(between.value), rel=1e-4)
    assert mirrored == pytest.approx((-between.value, *between[1:4], between.covers, *between[5:]))
    assert (between.p, seeds_needed(between)) == (pytest.approx(mirrored.p), seeds_needed(mirrored))


def test_the_samples_noise_bounds_paired_seeds_too() -> None:
    """Three pairs whose differences agree by chance, each value known to 0.3."""
    between = paired_contrast(side(np.full(3, 1.0), 0.3), side(np.full(3, 1.2), 0.3))
    assert between.half() == pytest.approx(NORMAL * 0.3 * math.sqrt(2 / 3))
    assert between.p is not None
    assert between.p > ALPHA


@pytest.mark.parametrize("correlation", [0.0, 0.8])
@pytest.mark.parametrize("count", [3, pytest.param(5, marks=pytest.mark.evidence), 8])
def test_pairs_without_a_difference_are_told_apart_in_one_of_twenty(count: int, correlation: float) -> None:
    rng = np.random.default_rng(count)

    def draw() -> Contrast:
        one, other = paired_draw(rng, count, correlation)
        return paired_contrast(side(one), side(other))

    assert rate(draw, 1_500) == pytest.approx(ALPHA, abs=0.017)


@pytest.mark.parametrize(("n", "m"), [(3, 8), *(pytest.param(*size, marks=pytest.mark.evidence) for size in SIZES)])
@pytest.mark.parametrize("ratio", [3.0, *(pytest.param(ratio, marks=pytest.mark.evidence) for ratio in RATIOS)])
def test_unequal_variances_keep_the_rate(n: int, m: int, ratio: float) -> None:
    """Seeds that are not the same, of experiments whose trainings vary unequally."""
    rng = np.random.default_rng(n)
    found = rate(lambda: contrast(side(rng.normal(0, ratio, n)), side(rng.normal(0, 1, m))), 1_500)
    assert 0.02 < found < MOST_LIBERAL + 0.01


def test_normal_quantiles_fail_with_three_seeds() -> None:
    """The negative control: z in Student's place tells equal experiments apart three times as often as stated."""
    rng = np.random.default_rng(3)

    def draw() -> Contrast:
        one, other = paired_draw(rng, 3, 0.5)
        return paired_contrast(side(one), side(other))._replace(freedom=math.inf)

    assert rate(draw, 1_000) > 3 * ALPHA


def test_broken_pairs_lose_what_pairing_gains() -> None:
    """The negative control: with the seeds of one side shuffled, a real difference of strong pairs is hardly seen."""
    rng = np.random.default_rng(4)

    def draw(shuffled: bool) -> Contrast:
        one, other = paired_draw(rng, 6, 0.95, shift=0.6)
        return paired_contrast(side(one), side(np.roll(other, 1) if shuffled else other))

    assert rate(lambda: draw(shuffled=False), 300) > 0.8
    assert rate(lambda: draw(shuffled=True), 300) < 0.4


def test_shared_noise_that_is_not_paired_out_fails() -> None:
    """The negative control of the other direction: equal experiments whose pairs vary against each other."""
    rng = np.random.default_rng(5)

    def draw() -> Contrast:
        common = rng.normal(size=5)
        return contrast(side(common), side(-common))

    assert rate(draw, 500) > 3 * ALPHA


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms())
def test_holm_keeps_the_order_and_lies_between(p_values: list[float], random: object) -> None:
    """Between the p-value and Bonferroni's, in the same order, whatever the order in which they come."""
    adjusted = holm(p_values)
    assert all(p <= a <= min(1.0, len(p_values) * p) + 1e-12 for p, a in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    assert [adjusted[place] for place in order] == sorted(adjusted)
    assert holm(p_values[::-1]) == adjusted[::-1]


@pytest.mark.parametrize("correlation", [0.0, pytest.param(0.9, marks=pytest.mark.evidence)])
def test_of_many_scores_one_is_told_apart_in_one_of_twenty_families(correlation: float) -> None:
    """Eight scores without a difference; without the adjustment, a third of the families would hold a false one."""
    rng = np.random.default_rng(6)

    def p_values() -> list[float]:
        shared = math.sqrt(correlation) * rng.normal(size=4)
        own = math.sqrt(1 - correlation) * rng.normal(size=(8, 4))
        return [paired_contrast(side(row), side(np.zeros(4))).p or 0.0 for row in shared + own]

    families = [p_values() for _ in range(500)]
    assert np.mean([min(holm(family)) <= ALPHA for family in families]) < ALPHA + 0.025
    if not correlation:
        assert np.mean([min(family) <= ALPHA for family in families]) > 0.25


def powered(effect: float, count: int, *, pairs: bool, draws: int = 20_000) -> float:
    """How often an experiment with so many seeds decides, in a simulation of its own."""
    rng = np.random.default_rng(count)
    one, other = (rng.normal(shift, 1, (draws, count)) for shift in (effect, 0.0))
    test = stats.ttest_rel(one, other, axis=1) if pairs else stats.ttest_ind(one, other, axis=1, equal_var=False)
    return float(np.mean(test.pvalue <= ALPHA))


@pytest.mark.parametrize("pairs", [True, False])
@pytest.mark.parametrize("effect", [0.7, 1.5, pytest.param(0.35, marks=pytest.mark.evidence)])
def test_needed_seeds_have_the_power(effect: float, pairs: bool) -> None:
    """With the true difference and spread: so many decide as often as not, and twice as many in 4 of 5 experiments."""
    between = Contrast(effect, 1.0, spread=math.sqrt(2), freedom_per_seed=1.0 if pairs else 2.0)
    count = seeds_needed(between)
    assert count is not None
    assert powered(effect, count, pairs=pairs) == pytest.approx(0.55, abs=0.08)
    assert powered(effect, max(2, math.floor(count / 1.5)), pairs=pairs) < 0.5
    assert 0.75 < powered(effect, 2 * count, pairs=pairs) < 0.95


@pytest.mark.parametrize("pairs", [True, False])
@pytest.mark.parametrize("effect", [1.0, *(pytest.param(e, marks=pytest.mark.evidence) for e in (0.7, 1.5))])
@pytest.mark.parametrize("count", [8, *(pytest.param(c, marks=pytest.mark.evidence) for c in (5,))])
def test_needed_seeds_are_right_within_half_as_many(effect: float, pairs: bool, count: int) -> None:
    """From a few seeds, whose difference and spread are estimates: the middle one of many leagues."""
    rng = np.random.default_rng(7)
    truth = seeds_needed(Contrast(effect, 1.0, spread=math.sqrt(2), freedom_per_seed=1.0 if pairs else 2.0))

    def estimate() -> float:
        sides = side(rng.normal(effect, 1, count)), side(rng.normal(0, 1, count))
        return seeds_needed((paired_contrast if pairs else contrast)(*sides)) or math.inf

    middle = float(np.median([estimate() for _ in range(300)]))
    assert truth is not None
    assert truth / 1.5 <= middle <= truth * 1.5


def test_needed_seeds_at_the_ends() -> None:
    assert seeds_needed(Contrast(1.0, None)) is None
    assert seeds_needed(Contrast(1.0, 0.0, spread=0.0)) == 2
    assert seeds_needed(Contrast(1e-4, 1.0, spread=1.0)) is None
    nearly = seeds_needed(Contrast(0.07, 1.0, spread=1.0))
    assert nearly is not None
    assert nearly == pytest.approx((1.96 / 0.07) ** 2, rel=0.01), "Student's quantile of many seeds is z"
    assert seeds_needed(Contrast(0.07, 1.0, spread=1.0), level=0.999) is None, f"above {MOST}"

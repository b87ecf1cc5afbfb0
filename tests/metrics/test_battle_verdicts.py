"""The paper's verdicts, the ratios' intervals and the thresholds: from numbers alone."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from agon.errors import DataError, SettingError
from agon.metrics import winner
from agon.metrics.gam.critic import calibrated
from agon.metrics.gam.rates import ErrorRate, Ratio, paired_ratio, ratio
from agon.metrics.gam.verdict import verdict

TABLE = [
    ("GRAN1", "GRAN3", 0.79, 1.75, "GRAN3"),
    ("GRAN1", "GRAN5", 0.95, 1.19, "GRAN5"),
    ("GRAN1", "GRAN3", 1.28, 1.001, "GRAN3"),
    ("GRAN1", "GRAN5", 1.29, 1.011, "GRAN5"),
    ("GRAN3", "GRAN5", 1.00, 2.289, "GRAN5"),
    ("GRAN1", "GRAN3", 0.95, 13.68, "GRAN3"),
    ("GRAN1", "GRAN5", 0.99, 13.97, "GRAN5"),
    ("GRAN3", "GRAN5", 0.99, 2.38, "GRAN5"),
]  # im2016, Table 1, as printed
MIRRORED = {"first": "second", "second": "first", "tie": "tie", "unfair": "unfair", "undecided": "undecided"}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def r_of(value: float, low: float, high: float) -> Ratio:
    return Ratio(value, 0.1, (low, high), 1.0, False)


@pytest.mark.parametrize(("one", "two", "r_test", "r_sample", "expected"), TABLE)
def test_the_papers_eight_verdicts(one: str, two: str, r_test: float, r_sample: float, expected: str) -> None:
    """From the printed ratios, and from those of exchanged sides; under a tighter rule they do not follow."""
    names = {"first": one, "second": two, "tie": "tie"}
    assert names[winner(r_test, r_sample)] == expected
    assert names[MIRRORED[winner(1 / r_test, 1 / r_sample)]] == expected


def test_a_tighter_rule_loses_some_of_them() -> None:
    """The negative control: at 1.2 three rows are ties, and the rule |r_test - 1| <= 0.3 is none for both sides."""
    assert [winner(row[2], row[3], tie=1.2) for row in TABLE].count("tie") == 3
    assert abs(1.29 - 1) <= 0.3
    assert abs(1 / 0.71 - 1) > 0.3 > abs(0.71 - 1)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(1, 10))
def test_exchanging_sides_mirrors_the_verdict(r_test: float, r_sample: float, tie: float) -> None:
    assert winner(1 / r_test, 1 / r_sample, tie) == MIRRORED[winner(r_test, r_sample, tie)]


def test_the_rule_holds_at_its_own_ends() -> None:
    assert winner(1.3, 0.5) == winner(1 / 1.3, 0.5) == "first"
    assert winner(1.301, 0.5) == winner(1 / 1.301, 0.5) == winner(1.0, 1.0) == "tie"


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_ratio_is_a_sentence(wrong: float) -> None:
    for ratios in ((wrong, 1.5), (1.0, wrong)):
        with pytest.raises(DataError, match="expected a finite number above 0"):
            winner(*ratios)
    with pytest.raises(SettingError, match=r"a bound of at least 1, got 0\.9; use 1\.3"):
        winner(1.0, 1.0, tie=0.9)


@pytest.mark.parametrize(
    ("test", "sample", "outcome", "reason"),
    [
        (r_of(1.0, 0.9, 1.1), r_of(1.75, 1.5, 2.0), "second", "r_sample 1.75 .* excludes 1"),
        (r_of(1.0, 0.9, 1.1), r_of(0.5, 0.4, 0.6), "first", "r_test 1 .* lies within 0.769 to 1.3"),
        (r_of(1.0, 0.9, 1.1), r_of(1.001, 0.9, 1.1), "undecided", "r_sample 1.001 .* may be 1"),
        (r_of(1.0, 0.9, 1.4), r_of(1.75, 1.5, 2.0), "undecided", "may lie within 0.769 to 1.3 or outside"),
        (r_of(1.0, 0.5, 2.0), r_of(1.75, 1.5, 2.0), "undecided", "more test samples could tell"),
        (
            r_of(2.0, 1.5, 2.4),
            r_of(1.75, 1.5, 2.0),
            "unfair",
            "GRAN1's critic errs more on real samples than GRAN3's",
        ),
        (
            r_of(0.5, 0.4, 0.6),
            r_of(1.75, 1.5, 2.0),
            "unfair",
            "GRAN3's critic errs more on real samples than GRAN1's",
        ),
    ],
)
def test_the_verdict_with_an_interval(test: Ratio, sample: Ratio, outcome: str, reason: str) -> None:
    names = ("GRAN1", "GRAN3")
    result = verdict(test, sample, names)
    assert result.outcome == outcome
    assert re.search(reason, result.reason)
    assert verdict(test.inverse, sample.inverse, names[::-1]).outcome == MIRRORED[outcome]


@pytest.mark.parametrize("wrong", [0, 1, 30, 1000])
def test_the_ratio_of_equal_rates_is_its_own_inverse(wrong: int) -> None:
    outcomes = np.zeros(1000)
    outcomes[:wrong] = 1
    of_pairs = paired_ratio(outcomes, np.roll(outcomes, 100), rng())
    for known in (ratio(ErrorRate(wrong, 1000), ErrorRate(wrong, 1000), rng()), of_pairs):
        assert known.value == 1
        assert known.interval == pytest.approx(known.inverse.interval, rel=1e-12)


def test_the_ratio_is_exact_and_its_inverse_too() -> None:
    one, two = ErrorRate(30, 1000), ErrorRate(120, 2000)
    result, other = ratio(one, two, rng()), ratio(two, one, rng())
    assert (result.value, result.smoothed) == (0.5, False)
    assert result.accuracies == (1 - 0.03) / (1 - 0.06)
    assert other == result.inverse.inverse.inverse
    assert other.value == 2
    log = math.sqrt(1 / 30 - 1 / 1000 + 1 / 120 - 1 / 2000)
    assert result.error == pytest.approx(0.5 * log, rel=0.05)
    assert result.interval == pytest.approx((0.5 * math.exp(-1.96 * log), 0.5 * math.exp(1.96 * log)), rel=0.1)


@pytest.mark.parametrize(("k1", "k2"), [(0, 0), (0, 7), (7, 0), (50, 50), (50, 0), (0, 50)])
def test_zero_and_total_errors_are_finite(k1: int, k2: int) -> None:
    """Both counts of a ratio are smoothed where one is zero; so are those of the accuracies."""
    one = np.arange(50) < k1
    two = np.arange(50) < k2
    for result in (
        ratio(ErrorRate(k1, 50), ErrorRate(k2, 50), rng()),
        paired_ratio(one.astype(float), two.astype(float), rng()),
    ):
        assert all(map(math.isfinite, (result.value, result.error, *result.interval, result.accuracies)))
        assert result.smoothed == (0 in (k1, k2))
        assert result.value == ((k1 + 0.5) / (k2 + 0.5) if result.smoothed else k1 / k2)
        assert 0 < result.interval[0] < result.value < result.interval[1]


def draws(p: tuple[float, float, float, float], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Paired outcomes with shares p of: both wrong, first alone, second alone, none."""
    cells = rng(seed).choice(4, size=n, p=p)
    return np.isin(cells, (0, 1)).astype(float), np.isin(cells, (0, 2)).astype(float)


@pytest.mark.parametrize(("p", "n"), [((0.1, 0.1, 0.2, 0.6), 500), ((0.002, 0.008, 0.002, 0.988), 500)])
def test_the_intervals_hold_the_true_ratio(p: tuple[float, ...], n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """95 % of 400 nominal 95 % intervals do, within four standard errors of that share; for rare errors as well."""
    monkeypatch.setattr("agon.metrics.gam.rates.DRAWS", 1000)
    truth = (p[0] + p[1]) / (p[0] + p[2])
    held = {"paired": 0, "apart": 0}
    for seed in range(400):
        first, second = draws(p, n, seed)
        low, high = paired_ratio(first, second, rng(seed)).interval
        held["paired"] += low <= truth <= high
        other = draws(p, n, seed + 10_000)[1]
        low, high = ratio(ErrorRate(first.sum(), n), ErrorRate(other.sum(), n), rng(seed)).interval
        held["apart"] += low <= truth <= high
    for count in held.values():
        assert count / 400 == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 400))


def test_pairs_are_drawn_together() -> None:
    """Critics that err on the same samples have a ratio of 1 that is surer than independent ones' could be."""
    same = (np.arange(1000) < 100).astype(float)
    other = (np.arange(1000) < 104).astype(float)
    low, high = paired_ratio(same, other, rng()).interval
    loose = ratio(ErrorRate(100, 1000), ErrorRate(104, 1000), rng()).interval
    assert (high - low) < 0.3 * (loose[1] - loose[0])


def test_the_interval_of_one_rate_is_wilsons() -> None:
    for k, n in ((0, 10), (3, 50), (10, 10), (347, 1000)):
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert ErrorRate(k, n).interval == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.01, 5.0), (1e4, -3e4)])
def test_the_threshold_of_known_gaussians(scale: float, shift: float) -> None:
    """Of N(1, 1) and N(-1, 1) it lies at 0, where both err in Φ(-1); any affine map of realness moves it along."""
    fake, real = rng().normal(-1, 1, 20_000), rng(1).normal(1, 1, 20_000)
    result = calibrated(real * scale + shift, fake * scale + shift)
    assert (result.value - shift) / scale == pytest.approx(0, abs=0.15)
    assert result.error == pytest.approx(norm.cdf(-1), abs=0.006)
    assert result.n == 40_000


def test_the_threshold_is_the_best_one() -> None:
    """Against a search through all of them, on small sets with ties between real and generated values."""
    for seed in range(50):
        real, fake = (rng(seed + side).integers(0, 6, 9).astype(float) + 1 - side for side in (0, 1))
        result = calibrated(real, fake)
        best = min(((real <= t).mean() + (fake > t).mean()) / 2 for t in np.arange(0.5, 6.5))
        assert result.error == pytest.approx(best)
        assert result.error == pytest.approx(((real <= result.value).mean() + (fake > result.value).mean()) / 2)


def test_degenerate_thresholds() -> None:
    """Apart: the middle of the gap. All one value: that value, where half are wrong. Equally good: the middle one."""
    assert calibrated(np.array([4.0, 5.0]), np.array([0.0, 1.0]))[0] == 2.5
    assert calibrated(np.ones(3), np.ones(2)) == (1.0, 5, 0.5)
    assert calibrated(np.array([1.0, 3.0, 5.0]), np.array([0.0, 2.0, 4.0])).value == 2.5


def test_a_threshold_is_the_minimum_of_all_there_are() -> None:
    """By trying places between, below and above; an inverted critic is not listened to, and errs in half."""
    assert calibrated(np.array([0.0]), np.array([1.0])).error == 0.5
    rng = np.random.default_rng(0)
    for size in range(1, 40):
        real, fake = rng.integers(0, 6, size) - 2.0, rng.integers(0, 6, 41 - size) * 1.0
        result = calibrated(real, fake)
        rates = [((real <= t).mean() + (fake > t).mean()) / 2 for t in (result.value, *np.arange(-3, 7) + 0.5)]
        assert result.error == pytest.approx(min(rates)) == rates[0]
        assert not np.isin(result.value, [*real, *fake])

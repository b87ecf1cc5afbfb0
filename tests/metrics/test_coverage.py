"""Modes of known mixtures: real samples get what theory says, collapse and blur are caught."""

import math
from itertools import pairwise

import pytest
import torch
from scipy.stats import binom, chi2

from agon.data import Ring
from agon.errors import DataError
from agon.metrics import Coverage, mode_coverage, modes_held

RING = Ring()
N = 40_000


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of_ring(samples: torch.Tensor, share: float = 0.1) -> Coverage:
    return mode_coverage(samples, RING.modes, RING.std, share)


def blob(mode: int, n: int = 800, std: float = 0.02) -> torch.Tensor:
    """Samples around one mode of the ring."""
    return RING.modes[mode] + std * torch.randn(n, 2, generator=rng(mode))


def test_real_samples_get_what_theory_says() -> None:
    """All 8 modes; a share of 1 - exp(-9/2) within 3 standard deviations; 2n·KL is χ² with 7 degrees."""
    modes, quality, divergence = of_ring(RING.sample(N, rng()))
    assert modes.value == 8
    assert quality.error is not None
    assert quality.value == pytest.approx(1 - math.exp(-9 / 2), abs=4 * quality.error)
    assert quality.error == pytest.approx(math.sqrt(0.98889 * 0.01111 / N), rel=0.2)
    assert 2 * N * divergence.value == pytest.approx(7, abs=4 * math.sqrt(14))
    assert quality.detail["real"] == pytest.approx(1 - math.exp(-9 / 2), abs=1e-12)


def test_quality_has_wilsons_interval_which_is_no_point_at_one() -> None:
    quality = mode_coverage(RING.modes.repeat(10, 1), RING.modes, RING.std).quality
    assert (quality.value, quality.error) == (1, pytest.approx((1 - quality.interval[0]) / (2 * 1.96), rel=1e-3))
    assert quality.interval == pytest.approx((80 / (80 + 1.959964**2), 1))


@pytest.mark.parametrize("count", [0, 3, 6, 9, 10, 14, 18, 25])
def test_the_interval_of_the_modes_is_what_redrawn_counts_find(count: int) -> None:
    """A mode counts from 10 of 800: it may be lost, or won, if the binomial distribution gives that over 2.5 %."""
    samples = torch.cat([RING.modes[:7].repeat(120, 1)[: 800 - count], RING.modes[7:].repeat(count, 1)])
    score = of_ring(samples).modes
    lost = float(binom.cdf(9, 800, count / 800))
    assert score.value == (7 if count < 10 else 8)
    assert score.interval == (7 if lost > 0.025 else 8, 8 if 1 - lost > 0.025 else 7)
    assert of_ring(samples.flip(0)).modes.interval == score.interval, "one seed"


def test_true_weights_are_what_shares_are_compared_with() -> None:
    """Of a mode of a hundredth of the data a tenth of that is enough; and right shares have no divergence."""
    weights = torch.tensor([93, 1, 1, 1, 1, 1, 1, 1])
    samples = RING.modes.repeat_interleave(10 * weights, dim=0)
    for scale in (1, 7):
        right = mode_coverage(samples, RING.modes, RING.std, weights=scale * weights)
        assert (right.modes.value, right.divergence.value) == (8, pytest.approx(0, abs=1e-12))
    assert of_ring(samples).modes.value == 1
    few = torch.cat([samples, RING.modes[:1].repeat(9_000, 1)])
    assert mode_coverage(few, RING.modes, RING.std, weights=weights).modes.value == 8
    even = mode_coverage(RING.modes.repeat(100, 1), RING.modes, RING.std, weights=weights).divergence.value
    assert even == pytest.approx(sum(math.log(100 / 8 / float(w)) for w in weights) / 8)
    for wrong in (weights[1:], weights - 1, weights / 0):
        with pytest.raises(DataError, match="expected 8 finite weights above 0"):
            mode_coverage(samples, RING.modes, RING.std, weights=wrong)


@pytest.mark.parametrize("d", [1, 2, 3, 7])
def test_any_number_of_coordinates(d: int) -> None:
    """The share within 3 standard deviations is that of a χ² of d degrees below 9."""
    modes = 100 * torch.randn(5, d, generator=rng())
    samples = modes.repeat(4000, 1) + 0.3 * torch.randn(20_000, d, generator=rng(1))
    score = mode_coverage(samples, modes, std=0.3)
    assert score.quality.detail["real"] == pytest.approx(chi2.cdf(9, d), abs=1e-12)
    assert score.quality.value == pytest.approx(chi2.cdf(9, d), abs=4 * (score.quality.error or 0))
    assert score.modes.value == 5


def test_a_collapsed_generator_has_one_mode() -> None:
    modes, quality, divergence = of_ring(blob(3))
    assert (modes.value, modes.detail["touched"]) == (1, 1)
    assert quality.value > 0.97
    assert divergence.value == pytest.approx(math.log(8))


def test_samples_in_the_middle_cover_nothing() -> None:
    """They have no mode and no quality, however even their shares are."""
    modes, quality, divergence = of_ring(0.1 * torch.randn(8000, 2, generator=rng()))
    assert (modes.value, quality.value) == (0, 0.0)
    assert divergence.value < 0.01


def test_a_stray_sample_is_no_mode() -> None:
    """The literature's count, from one good sample on, is in the detail, where n does not excuse it."""
    modes = of_ring(torch.cat([blob(0, 7999), RING.modes[5:6]])).modes
    assert (modes.value, modes.detail["touched"]) == (1, 2)


def test_a_mode_counts_from_its_share_on() -> None:
    """A tenth of 800 / 8 is 10 good samples: 10 are enough, 9 are not, and blurred ones do not count."""
    for count, far, covered in ((10, 0.0, 2), (9, 0.0, 1), (10, 0.061, 1)):
        few = RING.modes[4].repeat(count, 1) + torch.tensor([0.0, far])
        assert of_ring(torch.cat([RING.modes[0].repeat(800 - count, 1), few])).modes.value == covered


def test_the_divergence_is_that_of_the_shares() -> None:
    """Half of the modes, evenly: log 2, whatever the quality; in halves and quarters: by the formula."""
    half = torch.cat([RING.modes[[0, 2, 4, 6]].repeat(50, 1) * 1.2])
    assert of_ring(half).divergence.value == pytest.approx(math.log(2))
    uneven = RING.modes[[0, 0, 1, 2]].repeat(50, 1)
    expected = 0.5 * math.log(4) + 2 * 0.25 * math.log(2)
    assert of_ring(uneven).divergence.value == pytest.approx(expected)


@pytest.mark.parametrize(("weights", "ratio"), [([1.0] * 8, 1.15), ([8.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1.0)])
def test_the_divergence_has_the_error_of_repeated_draws(weights: list[float], ratio: float) -> None:
    """The spread over 400 draws of 1,000; for even shares, where the first order vanishes, a little more."""
    chosen = torch.multinomial(torch.tensor(weights), 400_000, replacement=True, generator=rng())
    draws = [of_ring(part).divergence for part in RING.modes[chosen].split(1000)]
    spread = torch.tensor([draw.value for draw in draws]).std()
    error = torch.tensor([draw.error or 0.0 for draw in draws]).mean()
    assert float(error / spread) == pytest.approx(ratio, abs=0.12)


def test_the_order_of_samples_and_the_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = RING.sample(1000, rng()) * 1.01
    whole = of_ring(samples)
    monkeypatch.setattr("agon.metrics.coverage.BLOCK", 7)
    assert of_ring(samples.flip(0)) == whole


@pytest.mark.parametrize(
    ("samples", "std", "message"),
    [
        (torch.tensor([[0.0, 0.0], [0.0, math.nan], [math.inf, 0.0]]), 0.02, "got 2 of 3 that are not"),
        (torch.zeros(5, 3), 0.02, r"samples of 2 coordinates, got \(5, 3\)"),
        (torch.zeros(1, 2), 0.02, "at least 2 samples"),
        (torch.zeros(5, 2), 0.0, "standard deviation above 0, got 0.0"),
    ],
)
def test_what_cannot_be_scored_is_a_sentence(samples: torch.Tensor, std: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mode_coverage(samples, RING.modes, std)


def test_rotation_is_told_from_collapse_and_from_spreading() -> None:
    rotating = [of_ring(blob(k % 8, std=0.2)) for k in range(20)]
    assert modes_held(rotating).value == 8
    assert modes_held([of_ring(blob(3)), of_ring(blob(3))]).detail == {"held": [3]}
    assert modes_held([of_ring(RING.sample(1000, rng(k))) for k in range(5)]).value == 0
    between = [of_ring(torch.cat([blob(a), blob(b)])) for a, b in pairwise(range(8))]
    assert modes_held(between).value == 0, "exactly half is not most"
    with pytest.raises(DataError, match="got none"):
        modes_held([])

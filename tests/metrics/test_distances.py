"""Pairwise distances: SciPy's; the gap is a Wasserstein distance with the error of repeated draws."""

import math

import pytest
import torch
from scipy.spatial.distance import pdist
from scipy.stats import wasserstein_distance

from agon.errors import DataError, SettingError
from agon.metrics import Score, pairwise_distance_gap, pairwise_distances
from agon.metrics.distances import _pairs_of_ranks, alike_share, distance_gain, distance_ratio, median_ratio


def normal(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.uint8])
@pytest.mark.parametrize("shape", [(1,), (5,), (3, 8, 8)])
def test_all_pairs_are_scipys(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = (normal(60, *shape) * 40 + 128).clamp(0, 255).to(dtype)
    expected = torch.from_numpy(pdist(x.flatten(1).double().numpy()))
    for pairs in (None, 60 * 59 // 2, 10**6):
        torch.testing.assert_close(pairwise_distances(x, pairs=pairs), expected, rtol=1e-13, atol=0)


def test_pairs_are_numbered_without_gap() -> None:
    """Also where the root is rounded: at the edges of the rows of 100,000 samples."""
    for n in (2, 3, 50):
        assert torch.equal(torch.stack(_pairs_of_ranks(torch.arange(n * (n - 1) // 2), n)), torch.triu_indices(n, n, 1))
    n = 100_000
    i = torch.arange(0, n - 1, 97)
    begins = i * (2 * n - i - 1) // 2
    for numbers, row, column in ((begins, i, i + 1), (begins[1:] - 1, i[1:] - 1, torch.full_like(i[1:], n - 1))):
        first, second = _pairs_of_ranks(numbers, n)
        assert torch.equal(first, row)
        assert torch.equal(second, column)


def test_random_pairs_are_different_seeded_and_fair() -> None:
    """Of numbers whose differences are all distinct: no pair twice, none of a sample with itself; every pair alike."""
    x = 2.0 ** torch.arange(30, dtype=torch.float64)[:, None]
    distances = pairwise_distances(x, pairs=400)
    assert distances.dtype == torch.float64
    assert len(distances.unique()) == 400
    assert distances.min() > 0
    assert torch.equal(distances, pairwise_distances(x, pairs=400))
    assert not torch.equal(distances, pairwise_distances(x, pairs=400, seed=1))
    drawn = torch.cat([pairwise_distances(x, pairs=43, seed=seed) for seed in range(1000)])
    counts = drawn.unique(return_counts=True)[1].double()
    expected = 43 * 1000 / 435
    assert len(counts) == 435
    assert float((counts - expected).square().sum() / expected) < 435 + 4 * math.sqrt(2 * 435)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    x = normal(40, 33)
    whole = pairwise_distances(x, pairs=None)
    monkeypatch.setattr("agon.metrics.pairwise.PAIRED", 33 * 7)
    assert torch.equal(pairwise_distances(x, pairs=None), whole)


def test_the_gap_is_scipys_wasserstein_distance() -> None:
    real, fake = normal(40, 6), 0.7 * normal(50, 6, seed=1)
    ours, fake_distances = (pairwise_distances(x, pairs=None) for x in (real, fake))
    score = pairwise_distance_gap(real, fake, pairs=None)
    expected = wasserstein_distance(ours.numpy(), fake_distances.numpy()) / float(ours.mean())
    assert score.value == pytest.approx(expected, rel=1e-12)
    medians = score.detail["distribution"]["medians"]
    assert medians == pytest.approx({"data": float(ours.median()), "model": float(fake_distances.median())})
    assert score.detail["shift"] == pytest.approx(medians["model"] / medians["data"] - 1)
    assert (score.n, score.n_real) == (50, 40)


def test_collapse_is_1_and_both_directions_are_told() -> None:
    real = normal(300, 5)
    one = pairwise_distance_gap(real, real[:1].expand(200, 5))
    assert (one.value, one.error) == (pytest.approx(1, rel=1e-12), pytest.approx(0, abs=1e-12))
    modes = pairwise_distance_gap(real, real[:3].repeat(100, 1) + 0.01 * normal(300, 5, seed=1))
    noise = pairwise_distance_gap(real, 3 * normal(300, 5, seed=2))
    same = pairwise_distance_gap(real, normal(300, 5, seed=3))
    assert modes.detail["shift"] < 0 < 0.5 < noise.detail["shift"]
    for score in (modes, noise):
        assert score.interval is not None
        assert score.interval[0] > 0.1
    assert same.value < 0.05
    assert same.detail["halves"] < 0.1


@pytest.mark.parametrize("pairs", [100, 1000, None])
def test_the_error_is_that_of_repeated_draws(pairs: int | None) -> None:
    """Few pairs of many samples, and all pairs of few, which share them: where the pairs' own error is too small."""

    def drawn(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        return normal(60, 2, seed=2 * seed), 0.6 * normal(60, 2, seed=2 * seed + 1)

    scores: list[Score] = [pairwise_distance_gap(*drawn(seed), pairs=pairs, seed=seed) for seed in range(200)]
    spread = float(torch.tensor([score.value for score in scores]).std())
    reported = float(torch.tensor([score.error or 0.0 for score in scores]).square().mean().sqrt())
    assert reported == pytest.approx(spread, rel=0.15)
    if pairs is None:
        ours, fake_distances = (pairwise_distances(x, pairs=None) for x in drawn(0))
        apart = math.sqrt(float(ours.var() + fake_distances.var()) / len(ours)) / float(ours.mean())
        assert apart < 0.5 * reported, "the control: an error as of independent pairs"


@pytest.mark.parametrize("n", [3, 5, 10])
def test_few_samples_are_not_said_to_be_sure(n: int) -> None:
    """The claimed error is no less than that of repeated draws; of two samples none is claimed."""
    drawn = [pairwise_distance_gap(normal(200, 3, seed=2 * k), normal(n, 3, seed=2 * k + 1)) for k in range(200)]
    spread = float(torch.tensor([score.value for score in drawn]).std())
    assert sum(score.error or 0.0 for score in drawn) / len(drawn) > 0.8 * spread
    alone = pairwise_distance_gap(normal(200, 3), normal(2, 3, seed=1))
    assert (alone.error, alone.interval) == (None, None)


def test_histograms_are_densities() -> None:
    shown = pairwise_distance_gap(normal(100, 4), 2 * normal(100, 4, seed=1)).detail["distribution"]
    widths = torch.tensor(shown["edges"]).diff()
    assert len(widths) == 64
    for side in ("data", "model"):
        assert float((torch.tensor(shown[side]) * widths).sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (normal(3, 2), normal(9, 2), "at least 4 real samples, got 3"),
        (normal(9, 2), normal(1, 2), "fake samples: expected at least 2"),
        (normal(9, 2), normal(9, 3), "one shape"),
        (normal(9, 2), normal(9, 2) * math.nan, "fake samples: .* got 9 of 9"),
        (torch.ones(9, 2), normal(9, 2), "that differ, got 9 copies of one"),
    ],
)
def test_what_has_no_gap_is_a_sentence(real: torch.Tensor, fake: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pairwise_distance_gap(real, fake)


def test_what_has_no_pairs_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="1 or more, got 0"):
        pairwise_distances(normal(9, 2), pairs=0)
    with pytest.raises(DataError, match="at least 2 samples"):
        pairwise_distances(normal(1, 2))


def test_the_ratio_of_medians_tells_which_way_samples_are_off() -> None:
    """A third as far apart, as far, and twice as far: the gap itself has no sign."""
    real = normal(60, 5)
    ratios = [median_ratio(pairwise_distance_gap(real, factor * real, pairs=None)).value for factor in (1 / 3, 1.0, 2)]
    assert ratios == pytest.approx([1 / 3, 1.0, 2.0])


def test_the_distance_ratio_tells_the_direction() -> None:
    """Half as far apart, and twice; a generator of one sample is at 0. The error is that of repeated draws."""
    real = normal(400, 3)
    assert [distance_ratio(factor * real, real).value for factor in (0.5, 1.0, 2.0)] == pytest.approx([0.5, 1.0, 2.0])
    same = distance_ratio(real[:1].repeat(11, 1), real)
    assert (same.value, same.error, same.n) == (0, 0, 10)
    gains = [distance_gain(*pair).value for pair in ((same, distance_ratio(real, real)), (same, same))]
    assert gains[0] == -math.inf
    assert math.isnan(gains[1])
    drawn = [distance_ratio(normal(200, 3, seed=2 * k + 1), normal(200, 3, seed=2 * k + 2)) for k in range(200)]
    spread = torch.tensor([score.value for score in drawn]).std()
    assert float(spread) == pytest.approx(sum(score.error or 0.0 for score in drawn) / len(drawn), rel=0.2)


def test_real_images_are_as_alike_as_real_images_and_twins_are_more() -> None:
    """1 in 100 of another draw; of samples that all occur twice, each."""
    rng = torch.Generator().manual_seed(0)
    real, other = torch.randn(1_000, 4, generator=rng), torch.randn(1_000, 4, generator=rng)
    assert alike_share(other, real).value == pytest.approx(0.01, abs=0.012)
    assert alike_share(torch.cat([other[:500], other[:500]]), real).value == 1
    assert alike_share(0.01 * other, real).value > 0.9
    assert alike_share(other[:1].repeat(20, 1), torch.cat([real, real[:40]])).value == 1, "though real ones have copies"
    near, far = distance_ratio(other / 2, real), distance_ratio(other, real)
    assert distance_gain(near, far).value == pytest.approx(-math.log(2))
    assert (distance_gain(near, far).error or 0.0) > 0

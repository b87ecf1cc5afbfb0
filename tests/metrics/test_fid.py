"""The Fréchet distance: closed forms, torch-fidelity's number, an honest error, and collapse told as collapse."""

import math

import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from agon.errors import DataError, SettingError
from agon.metrics import Moments, Score, fewer, fid, frechet_distance, frechet_distance_of_moments


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, d: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(n, d, generator=rng(seed), dtype=torch.float64)


def spread_and_error(scores: list[Score]) -> float:
    """The mean error of independent scores over their standard deviation."""
    values, errors = (torch.tensor([getattr(s, name) for s in scores]) for name in ("value", "error"))
    return float(errors.mean() / values.std())


@pytest.mark.parametrize("features", [512, pytest.param(2048, marks=pytest.mark.evidence)])
def test_shifted_unit_normals_are_as_far_apart_as_they_have_features(features: int) -> None:
    """B2: pytorch-fid's golden number, that of 2048."""
    eye, zero = torch.eye(features), torch.zeros(features)
    assert frechet_distance_of_moments(zero, eye, zero + 1, eye) == pytest.approx(features, rel=1e-14)


def test_moments_without_full_rank_have_their_number() -> None:
    """B2: compare_gan's golden number, 80 + 0.252525 + 12.373737 - 2 sqrt(0.252525 · 12.373737 · cos²)."""
    real = torch.tensor([[2.0, 1.0]] * 50 + [[1.0, 1.0]] * 50)
    fake = torch.tensor([[9.0, 9.0]] * 50 + [[2.0, 9.0]] * 50)
    assert frechet_distance(real, fake).value == pytest.approx(89.0909, abs=1e-4)
    assert frechet_distance(fake, real).value == pytest.approx(89.0909090909, abs=1e-9)


def test_commuting_and_rotated_covariances_have_closed_forms() -> None:
    """Σ (σ_i - σ'_i)² for diagonal ones, whatever the common rotation; for 2 x 2 ones, tr (AB)^{1/2} by determinant."""
    a, b = torch.rand(6, generator=rng(), dtype=torch.float64), torch.rand(6, generator=rng(1), dtype=torch.float64)
    Q = torch.linalg.qr(normal(6, 6))[0]
    mean = torch.zeros(6)
    distance = frechet_distance_of_moments(mean, Q * a @ Q.T, mean, Q * b @ Q.T)
    assert distance == pytest.approx(float((a.sqrt() - b.sqrt()).square().sum()), rel=1e-12)
    A, B = (x @ x.T for x in (normal(2, 2, 3), normal(2, 2, 4)))
    cross = ((A @ B).trace() + 2 * (A @ B).det().sqrt()).sqrt()
    expected = float(A.trace() + B.trace() - 2 * cross)
    assert frechet_distance_of_moments(mean[:2], A, mean[:2], B) == pytest.approx(expected, rel=1e-10)


def test_a_set_is_at_zero_from_itself_and_the_sides_can_be_swapped() -> None:
    x, y = normal(80, 20), normal(90, 20, 1, 2.0) + 1
    assert frechet_distance(x, x.flip(0)).value == pytest.approx(0, abs=1e-12)
    assert frechet_distance(x, y).value == pytest.approx(frechet_distance(y, x).value, rel=1e-12)
    assert frechet_distance(x.float(), y.float()).value == pytest.approx(frechet_distance(x, y).value, rel=1e-6)


def test_given_features_it_is_torch_fidelity() -> None:
    x, y = normal(200, 64), normal(150, 64, 1, 1.5) @ torch.linalg.qr(normal(64, 64, 2))[0] + 0.3
    expected = fid_statistics_to_metric(*map(fid_features_to_statistics, (x, y)), verbose=False)
    assert frechet_distance(x, y).value == pytest.approx(expected["frechet_inception_distance"], rel=1e-10)


@pytest.mark.parametrize("block", [1, 64, 1000])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(150, 5), normal(130, 5, 1) + 0.5
    for how in ("sample", "shrunk"):
        whole = frechet_distance(x, y, covariance=how)
        with monkeypatch.context() as patch:
            patch.setattr("agon.metrics.moments.BLOCK", block)
            patch.setattr("agon.metrics.fid.BLOCK", block)
            part = frechet_distance(x, y, covariance=how)
        assert (part.value, part.error) == pytest.approx((whole.value, whole.error), rel=1e-11)


@pytest.mark.parametrize(("shift", "scale", "ratio"), [(0.5, 1.3, 1.0), (0.0, 1.6, 1.0), (0.0, 1.0, 1.45)])
def test_the_error_is_the_spread_over_new_samples(shift: float, scale: float, ratio: float) -> None:
    """Of both sides, by mean and by covariance; where both are alike its first order vanishes: too large, not small."""
    scores = [frechet_distance(normal(400, 3, s), normal(300, 3, 10_000 + s, scale) + shift) for s in range(250)]
    assert spread_and_error(scores) == pytest.approx(ratio, abs=0.15)


@pytest.mark.parametrize("side", [0, 1])
def test_each_side_has_its_share_of_the_error(side: int) -> None:
    """One side of very many samples leaves the other's error; heavy tails are those of the samples, not a normal's."""

    def sample(n: int, seed: int) -> torch.Tensor:
        return torch.empty(n, 2, dtype=torch.float64).exponential_(generator=rng(seed))

    many = 2 * sample(8_000, 0)
    pairs = [(many, sample(200, 1 + s)) for s in range(200)]
    scores = [frechet_distance(*(pair if side == 0 else pair[::-1])) for pair in pairs]
    assert spread_and_error(scores) == pytest.approx(1.0, abs=0.2)


def test_the_value_falls_with_n_as_the_docstring_says() -> None:
    """About d²/2n between two halves of one distribution: 5 % of it is the term 2d/n and the like."""
    d, n = 40, 1000
    scores = [frechet_distance(normal(n, d, s), normal(n, d, 100 + s)).value for s in range(20)]
    assert sum(scores) / 20 == pytest.approx((d * (d + 1) / 2 + 2 * d) / n, rel=0.08)


def test_too_few_samples_are_refused_with_the_two_ways_out() -> None:
    for x, y in ((normal(64, 64), normal(200, 64)), (normal(200, 64), normal(64, 64))):
        with pytest.raises(DataError, match=r"at least 65 .* got .*64.*give more, or choose covariance='shrunk'"):
            frechet_distance(x, y)
    few = frechet_distance(normal(30, 64), normal(30, 64, 1), covariance="shrunk")
    assert 0 < few.value < frechet_distance(normal(30, 64), normal(30, 64, 1) + 1, covariance="shrunk").value
    assert "shrunk covariance" in few.protocol


def test_a_shrunk_covariance_is_nearer_to_the_truth() -> None:
    """Of 50 samples of N(0, I) against as many, at 40 features: the sample covariance says 20 times as much."""
    x, y = normal(50, 40), normal(50, 40, 1)
    assert frechet_distance(x, y, covariance="shrunk").value < 0.2 * frechet_distance(x, y).value
    scores = [
        frechet_distance(normal(30, 40, s), normal(30, 40, 1000 + s) * 0.5 + 1, covariance="shrunk") for s in range(200)
    ]
    assert spread_and_error(scores) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("rank", [0, 3])
def test_collapse_is_told_and_has_its_number(rank: int) -> None:
    """Constant samples are at |Δμ|² + tr Σ; few directions, at the distance of their moments; never NaN."""
    real, basis = normal(300, 32), torch.linalg.qr(normal(32, 32, 5))[0][:rank]
    fake = (normal(200, rank, 1) @ basis if rank else torch.zeros(200, 32, dtype=torch.float64)) + 0.5
    score = frechet_distance(real, fake)
    assert (score.detail["collapsed"], score.detail["rank"], score.detail["rank_real"]) == (True, rank, 32)
    sentence = f"the generated features have rank {rank}, where the real ones have 32, of 32: collapse"
    assert score.detail["told"] == sentence
    assert str(score).endswith(f"; {sentence})")
    good = frechet_distance(real, normal(200, 32, 1))
    assert good.protocol == score.protocol, "measured numbers are in the detail"
    assert "told" not in good.detail
    a, b = Moments().add(real), Moments().add(fake)
    kept = float((a.covariance * (basis.T @ basis)).sum()) if rank else 0.0
    lowest = float((a.mean - b.mean).square().sum()) + float(a.covariance.trace()) - kept
    assert score.value == pytest.approx(lowest, rel=1e-10) if rank == 0 else score.value > lowest
    assert score.error is not None
    assert math.isfinite(score.error)


def test_nearly_constant_samples_and_shrunk_ones_are_collapse_too() -> None:
    real = normal(300, 32)
    assert frechet_distance(real, normal(300, 32, 1, 1e-4) + 1).detail["collapsed"]
    assert frechet_distance(real, torch.ones(20, 32), covariance="shrunk").detail["collapsed"]
    assert not frechet_distance(real, normal(10, 32, 1), covariance="shrunk").detail["collapsed"], "10 have rank 9"
    assert not frechet_distance(real, normal(300, 32, 1)).detail["collapsed"]
    assert not frechet_distance(real * 0, normal(300, 32, 1)).detail["collapsed"], "the real ones have no more"


def test_worse_samplers_are_worse() -> None:
    """The negative controls: another half of the real data is near the bias by n; noise, blur and collapse are not."""
    real, half = normal(400, 16), normal(400, 16, 1)
    good = frechet_distance(real, half).value
    assert good == pytest.approx((16 * 17 / 2 + 32) / 400, rel=0.35)
    for bad in (half + normal(400, 16, 2), half * 0.6, half[:20].repeat(20, 1), half * (torch.arange(16) < 8)):
        assert frechet_distance(real, bad).value > 1.9 * good


def test_wrong_input_is_a_sentence() -> None:
    eye, zero = torch.eye(3), torch.zeros(3)
    with pytest.raises(DataError, match="got 3 of real samples and 4 of generated"):
        frechet_distance(normal(9, 3), normal(9, 4))
    with pytest.raises(DataError, match="got 1 of 9 generated ones that are not"):
        frechet_distance(normal(9, 3), normal(9, 3).index_fill(0, torch.tensor([4]), math.inf))
    with pytest.raises(SettingError, match="'sample' or 'shrunk'"):
        frechet_distance(normal(9, 3), normal(9, 3), covariance="full")
    for given, message in (
        ((zero, torch.eye(4), zero, eye), "3 x 3 for a mean of 3, got 4 x 4"),
        ((zero, eye, torch.zeros(2), torch.eye(2)), "means of one length, got 3 and 2"),
        ((zero, -eye, zero, eye), "got a matrix with the eigenvalue -1"),
        ((zero, torch.ones(3, 3).triu(), zero, eye), "symmetric"),
        ((zero * math.nan, eye, zero, eye), "finite moments"),
    ):
        with pytest.raises(DataError, match=message):
            frechet_distance_of_moments(*given)


@pytest.mark.parametrize("case", ["full", "few directions", "constant samples", "constant data", "shared span", "far"])
def test_of_fewer_samples_than_features_products_of_samples_give_the_dense_value(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = normal(17, 60) @ torch.diag(torch.logspace(0, -2, 60, dtype=torch.float64)), normal(12, 60, 1) * 0.7 + 0.3
    x, y = {
        "full": (x, y),
        "few directions": (x, normal(12, 3, 2) @ normal(3, 60, 3)),
        "constant samples": (x, torch.full((12, 60), 0.5)),
        "constant data": (torch.zeros(17, 60), y),
        "shared span": (x, normal(12, 17, 2) @ x),
        "far": (x.float(), y.float() + 100),
    }[case]
    found = frechet_distance(x, y, covariance="shrunk")
    monkeypatch.setattr(fid, "of_fewer", lambda *_: None)
    dense = frechet_distance(x, y, covariance="shrunk")
    assert (found.value, found.error) == pytest.approx((dense.value, dense.error), rel=1e-9)
    assert found.detail["shrinkage"] == pytest.approx(dense.detail["shrinkage"], rel=1e-9)
    assert [found.detail[name] for name in ("rank", "rank_real", "collapsed")] == [
        dense.detail[name] for name in ("rank", "rank_real", "collapsed")
    ]


def test_without_what_lies_outside_the_span_it_is_another_number() -> None:
    """The negative control, and that two samples, whose covariance is not shrunk at all, go the dense way."""
    x, y = normal(17, 60), normal(12, 60, 1)
    parts = fewer.of_fewer(x, y)
    assert parts is not None
    spanned = torch.linalg.qr(torch.cat([x - x.mean(0), y - y.mean(0)]).T)[0]
    inside = frechet_distance(x @ spanned, y @ spanned, covariance="shrunk").value
    assert abs(inside - parts.mean - parts.covariance) > 0.1
    assert fewer.of_fewer(x[:2], y) is None

"""Latents have the moments they promise, and paths keep to their distribution."""

import math

import pytest
import torch
from torch import Tensor

from agon.errors import SettingError
from agon.latents import LATENTS, Normal, Uniform, linear, spherical


def vector(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape or (64,), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("path", [linear, spherical])
@pytest.mark.parametrize("shape", [(64,), (4, 8)])
def test_both_ends_are_on_the_path_exactly(path, shape: tuple[int, ...]) -> None:
    start, end = vector(0, *shape), vector(1, *shape)
    points = path(start, end, 7)
    assert points.shape == (7, *shape)
    torch.testing.assert_close(points[0], start, rtol=1e-15, atol=1e-15)
    torch.testing.assert_close(points[-1], end, rtol=1e-15, atol=1e-15)


def test_the_spherical_path_stays_on_the_sphere_and_turns_at_constant_speed() -> None:
    start, end = (v / v.norm() * 8 for v in (vector(0), vector(1)))
    points = spherical(start, end, 9)
    torch.testing.assert_close(points.norm(dim=1), torch.full((9,), 8.0, dtype=torch.float64))
    angles = torch.acos(torch.cosine_similarity(points[1:], points[:-1]))
    whole = torch.acos(torch.cosine_similarity(start, end, dim=0))
    torch.testing.assert_close(angles, (whole / 8).expand(8), rtol=1e-9, atol=0)


def test_the_straight_path_leaves_the_sphere() -> None:
    start, end = torch.eye(2, dtype=torch.float64)
    assert linear(start, end, 3)[1].norm() == pytest.approx(math.sqrt(0.5))
    assert spherical(start, end, 3)[1].norm() == pytest.approx(1.0)


def test_the_norm_goes_monotonically_between_orthogonal_ends() -> None:
    start, end = torch.eye(2, dtype=torch.float64) * torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    assert (spherical(start, end, 20).norm(dim=1).diff() > 0).all()


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0, -2.0])
def test_between_parallel_ends_the_path_is_straight_and_finite(factor: float) -> None:
    start = vector(0)
    points = spherical(start, factor * start, 5)
    torch.testing.assert_close(points, linear(start, factor * start, 5))


def test_the_straight_path_has_equal_steps() -> None:
    steps = linear(vector(0), vector(1), 6).diff(dim=0)
    torch.testing.assert_close(steps, ((vector(1) - vector(0)) / 5).expand(5, -1))


@pytest.mark.parametrize("path", [linear, spherical])
def test_a_path_has_at_least_two_points(path) -> None:
    assert len(path(vector(0), vector(1), 2)) == 2
    with pytest.raises(SettingError, match="at least 2"):
        path(vector(0), vector(1), 1)


def test_each_distribution_takes_the_path_that_suits_it() -> None:
    start, end = vector(0), vector(1)
    assert torch.equal(Normal().path(start, end, 5), spherical(start, end, 5))
    assert torch.equal(Uniform().path(start, end, 5), linear(start, end, 5))


@pytest.mark.parametrize("std", [1.0, 0.25])
def test_normal_latents_have_their_moments(std: float) -> None:
    z = Normal(std=std).sample(20_000, (4,), rng()).double() / std
    n = z.numel()
    assert abs(z.mean()) < 4 / math.sqrt(n)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs(z.pow(4).mean() - 3) < 4 * math.sqrt(96 / n)  # no uniform, Laplace or clipped normal has it
    assert abs(torch.corrcoef(z.T).fill_diagonal_(0)).max() < 4 / math.sqrt(len(z))


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 3.0)])
def test_uniform_latents_fill_their_range_evenly(low: float, high: float) -> None:
    z = Uniform(low=low, high=high).sample(20_000, (4,), rng()).double()
    assert low <= z.min() < low + 1e-3 * (high - low)
    assert high - 1e-3 * (high - low) < z.max() <= high
    unit = (z - low) / (high - low)
    n = z.numel()
    assert abs(unit.mean() - 1 / 2) < 4 * math.sqrt(1 / 12 / n)
    assert abs(unit.var() - 1 / 12) < 4 * math.sqrt(1 / 180 / n)


@pytest.mark.parametrize("name", sorted(LATENTS))
def test_the_stream_decides_the_latents(name: str) -> None:
    latent = LATENTS[name]()
    torch.manual_seed(0)
    one = latent.sample(3, (2, 5), rng(7))
    torch.manual_seed(1)  # torch's global stream has no part in it
    two, other = latent.sample(3, (2, 5), rng(7)), latent.sample(3, (2, 5), rng(8))
    assert one.shape == (3, 2, 5)
    assert one.dtype is torch.float32
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("std", [0.0, -1.0, math.inf, math.nan])
def test_a_normal_of_no_width_is_refused(std: float) -> None:
    with pytest.raises(SettingError, match="over 0"):
        Normal(std=std)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_an_empty_range_is_refused(low: float, high: float) -> None:
    with pytest.raises(SettingError, match="low < high"):
        Uniform(low=low, high=high)


def test_a_truncated_normal_is_the_normal_given_that_it_lies_within_the_bound() -> None:
    """Its quantiles are those of the draws of a normal that lie within; its standard deviation is 0.7's, 0.3829..."""
    tau, n = 0.7, 200_000
    drawn = Normal().truncated(n, (1,), rng(), tau).flatten()
    assert drawn.abs().max() <= tau
    phi = math.exp(-(tau**2) / 2) / math.sqrt(2 * math.pi)
    variance = 1 - 2 * tau * phi / math.erf(tau / math.sqrt(2))
    assert float(drawn.var()) == pytest.approx(variance, rel=0.01)
    kept = Normal().sample(n, (1,), rng(1)).flatten()
    kept = kept[kept.abs() <= tau]
    q = torch.linspace(0.02, 0.98, 25)
    torch.testing.assert_close(drawn.quantile(q), kept.quantile(q), atol=0.01, rtol=0)
    assert float(Normal(std=2.0).truncated(n, (1,), rng(), tau).abs().max()) == pytest.approx(1.4, abs=1e-3)


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.inf, math.nan])
def test_a_bound_of_truncation_is_over_zero(threshold: float) -> None:
    with pytest.raises(SettingError, match="truncation: expected a number over 0"):
        Normal().truncated(3, (1,), rng(), threshold)


def test_only_normal_latents_are_truncated() -> None:
    with pytest.raises(SettingError, match="expected a run with normal latents, got uniform ones"):
        Uniform().truncated(3, (1,), rng(), 0.7)

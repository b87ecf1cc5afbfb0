"""The known distributions are what they say: densities, modes and weights."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from agon.data import Dirac, Gaussian, Grid, Ring, SwissRoll
from agon.errors import SettingError

TOYS = [Gaussian(), Ring(), Grid(), SwissRoll(), Dirac(), Dirac(at=(1.0, 2.0, 3.0))]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def plane(low, high, step):
    """Midpoints of a square grid, with the area of a cell."""
    line = torch.arange(low + step / 2, high, step, dtype=torch.float64)
    return torch.cartesian_prod(line, line), step**2


@pytest.mark.parametrize(
    ("toy", "reach", "step"),
    [
        (Ring(), 2.2, 0.01),
        (Ring(number=3, radius=1.0, std=0.3), 3.5, 0.1),
        (Grid(), 4.4, 0.025),
        (Grid(side=2, spacing=1.0, std=0.2), 2.0, 0.05),
        (SwissRoll(noise=1.0), 20.0, 0.4),
        (SwissRoll(noise=1.5, scale=0.2), 5.0, 0.1),
    ],
)
def test_a_density_in_the_plane_integrates_to_one(toy, reach, step):
    points, area = plane(-reach, reach, step)
    assert math.isclose(float(toy.log_density(points).exp().sum()) * area, 1, abs_tol=1e-4)


def test_the_gaussian_density_is_the_closed_form():
    x = torch.linspace(-3, 9, 101, dtype=torch.float64)
    expected = stats.norm(3.0, 0.5).logpdf(x.numpy())
    np.testing.assert_allclose(Gaussian().log_density(x[:, None]), expected, rtol=1e-12)


def surprise(toy, samples, edges):
    """p value of a chi-square test of binned samples against the density's mass in the bins."""
    counts, _ = np.histogramdd(samples.numpy(), bins=edges)
    fine = [np.linspace(e[0], e[-1], 4 * (len(e) - 1) + 1) for e in edges]
    middles = [(f[1:] + f[:-1]) / 2 for f in fine]
    grid = np.stack(np.meshgrid(*middles, indexing="ij"), -1).reshape(-1, len(edges))
    mass = toy.log_density(torch.from_numpy(grid)).exp().numpy() * np.prod([f[1] - f[0] for f in fine])
    per_bin, _ = np.histogramdd(grid, bins=edges, weights=mass)
    counts, expected = counts.ravel(), len(samples) * per_bin.ravel()
    used = expected > 5
    rest = len(samples) - counts[used].sum(), len(samples) - expected[used].sum()
    observed, predicted = np.append(counts[used], rest[0]), np.append(expected[used], max(rest[1], 1e-9))
    return stats.chi2.sf(((observed - predicted) ** 2 / predicted).sum(), used.sum())


@pytest.mark.parametrize(
    ("toy", "wrong", "edges"),
    [
        (Gaussian(), Gaussian(std=0.52), [np.linspace(1, 5, 41)]),
        (
            Ring(number=5, std=0.3),
            Ring(number=5, std=0.31),
            [np.linspace(-3.0, 3.0, 31)] * 2,
        ),
        (SwissRoll(noise=1.0), SwissRoll(noise=1.2), [np.linspace(-16, 18, 18)] * 2),
    ],
)
def test_samples_follow_the_density_and_not_a_near_one(toy, wrong, edges):
    samples = toy.sample(40_000, seeded())
    assert surprise(toy, samples, edges) > 1e-3
    assert surprise(wrong, samples, edges) < 1e-3


def test_the_ring_has_eight_distinct_equal_modes_on_its_circle():
    modes = Ring().modes
    assert len(modes.unique(dim=0)) == 8
    assert torch.pdist(modes).min() > 1.5  # 2·2·sin(22.5°) = 1.53
    torch.testing.assert_close(modes.norm(dim=1), torch.full((8,), 2.0))
    turns = torch.linspace(0, 2 * math.pi, 8)  # what it must not be: both ends of the circle are one place
    assert torch.pdist(torch.stack([turns.cos(), turns.sin()], 1)).min() < 1e-6
    nearest = torch.cdist(Ring().sample(8000, seeded()), modes).min(dim=1)
    assert stats.chisquare(nearest.indices.bincount(minlength=8).numpy()).pvalue > 1e-3
    # the distance to the mode over std is a Rayleigh variable
    assert stats.kstest(nearest.values.numpy() / 0.02, stats.rayleigh.cdf).pvalue > 1e-3


def test_the_grid_is_centred_with_the_stated_spacing():
    modes = Grid(side=5, spacing=2.0).modes
    assert modes.shape == (25, 2)
    assert modes.mean(dim=0).tolist() == [0, 0]
    assert torch.pdist(modes).min() == 2.0


def test_the_roll_is_scikit_learns_seen_from_the_side():
    from sklearn.datasets import make_swiss_roll

    theirs = make_swiss_roll(20_000, noise=0.2, random_state=0)[0][:, [0, 2]]
    ours = SwissRoll(noise=0.2).sample(20_000, seeded())
    for k in (0, 1):
        assert stats.ks_2samp(theirs[:, k], ours[:, k].numpy()).pvalue > 1e-3
    log_p = SwissRoll(noise=0.2).log_density
    a, b = log_p(torch.from_numpy(theirs[:4000])), log_p(ours[:4000].double())
    assert abs(float(a.mean() - b.mean())) < 4 * float(a.std()) * math.sqrt(2 / 4000)
    small = SwissRoll(noise=0.2, scale=0.1).sample(10, seeded())
    torch.testing.assert_close(small, ours.new_tensor(0.1) * SwissRoll().sample(10, seeded()))


def test_what_has_no_density_says_so():
    assert Dirac().log_density(torch.zeros(1, 1)) is None
    assert SwissRoll(noise=0.0).log_density(torch.zeros(1, 2)) is None
    assert Dirac(at=(1.0, 2.0)).sample(3, seeded()).tolist() == [[1.0, 2.0]] * 3


@pytest.mark.parametrize("toy", TOYS, ids=repr)
def test_endless_draws_are_pure_and_shared_among_ranks(toy):
    opened = toy.open(seed=3)
    assert toy.count() is None
    assert toy.range is None
    whole = opened.draw(12, 5, 0, 1).real
    assert whole.shape == (12, *toy.shape)
    assert whole.dtype == torch.float32
    again = torch.cat([toy.open(seed=3).draw(12, 5, rank, 3).real for rank in range(3)])
    assert torch.equal(whole, again)


def test_endless_draws_differ_between_batches_seeds_and_splits():
    first = Ring().open(seed=0).draw(64, 0, 0, 1).real
    for other in (
        Ring().open(seed=0).draw(64, 1, 0, 1),
        Ring().open(seed=1).draw(64, 0, 0, 1),
        Ring().open(seed=0, split="test").draw(64, 0, 0, 1),
    ):
        assert not torch.isin(other.real, first).any()


def test_a_finite_set_comes_once_an_epoch_and_its_test_split_is_another():
    ring = Ring(points=10)
    opened = ring.open(seed=0)
    epochs = torch.cat([opened.draw(4, k, 0, 1).real for k in range(5)]).split(10)
    first, second = (epoch[:, 0].sort().values for epoch in epochs)
    assert torch.equal(first, second)
    assert not torch.equal(*epochs)
    assert len(first.unique()) == 10 == ring.count() == ring.count("test")
    held = ring.open(seed=0, split="test").draw(10, 0, 0, 1).real
    assert not torch.isin(held, epochs[0]).any()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ring(std=0.0), "Ring expects std to be a number above 0, got 0.0"),
        (lambda: Ring(number=0), "number to be a whole number of at least 1, got 0"),
        (lambda: Ring(number=True), "number to be a whole number"),
        (lambda: Ring(radius=math.inf), "radius to be a number above 0, got inf"),
        (lambda: Gaussian(mean=math.nan), "mean to be a finite number, got nan"),
        (lambda: Gaussian(std="1"), "std to be a number above 0, got '1'"),
        (lambda: Grid(side=2.0), "side to be a whole number"),
        (lambda: SwissRoll(noise=-0.1), "noise to be at least 0, got -0.1"),
        (lambda: Dirac(at=()), "at to be a tuple of numbers"),
        (lambda: Dirac(at=(1.0, None)), r"at\[1\] to be a finite number, got None"),
        (lambda: Ring(points=0), "points to be a whole number of at least 1, got 0"),
    ],
)
def test_a_wrong_setting_is_one_sentence(make, words, unchecked):
    with pytest.raises(SettingError, match=words):
        make()


def test_equal_descriptions_are_equal_and_hashable(unchecked):
    assert Ring() == Ring(number=8)
    assert len({Ring(), Ring(), Ring(number=7)}) == 2
    assert Dirac(at=[1, 2]) == Dirac(at=(1.0, 2.0))

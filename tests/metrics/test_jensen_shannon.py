"""Divergence from a known density, and the optimal critic: closed forms, their own scatter, wrong samplers caught."""

import math
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from agon.data import Dirac, Gaussian, Grid, Ring, SwissRoll
from agon.data.points import Toy
from agon.errors import DataError
from agon.metrics import critic_gap, jensen_shannon, optimal_critic, support
from agon.metrics.density import masses
from agon.metrics.optimal_critic import bandwidth_of, kernel_log_density, optimal_logit

LINE, RING = Gaussian(mean=0.0, std=1.0), Ring()
BOX = torch.tensor([[-6.0], [6.0]])
N = 4_000


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def box(source: Toy) -> Tensor:
    return support(source.sample(10_000, rng(99)))


@pytest.mark.parametrize("source", [LINE, RING, Grid(side=3), SwissRoll(noise=1.0)], ids=lambda s: type(s).__name__)
def test_real_samples_get_what_is_told(source: Toy) -> None:
    """Not 0, but the mean of other real draws of as many, within four of their deviations."""
    score = jensen_shannon(source.sample(N, rng()), source.log_density, box(source), cells=48)
    assert abs(score.value - score.detail["real"]) < 4 * score.detail["spread"]
    assert score.detail["real"] < 0.05
    assert score.error is not None
    assert 2 * score.detail["spread"] > score.error >= score.detail["spread"] > 0


def test_masses_are_the_normal_distributions() -> None:
    """By its distribution function; in the plane by that of both coordinates; the rest is outside."""
    ticks = torch.linspace(-6, 6, 17, dtype=torch.float64)
    exact = torch.special.ndtr(ticks).diff()
    cells = masses(LINE.log_density, BOX.double(), 16).masses
    torch.testing.assert_close(cells[:-1], exact, rtol=0, atol=1e-8)
    one = Ring(number=1, radius=2.0, std=0.5)
    plane = masses(one.log_density, torch.tensor([[0.0, -2.0], [4.0, 2.0]]).double(), 32).masses
    side = torch.special.ndtr(torch.linspace(-4, 4, 33, dtype=torch.float64)).diff()
    torch.testing.assert_close(plane[:-1], torch.outer(side, side).flatten(), rtol=0, atol=1e-6)
    half = masses(LINE.log_density, torch.tensor([[-8.0], [0.0]]).double(), 64)
    assert half.masses[-1] == pytest.approx(0.5, abs=1e-7)


def test_a_shifted_normal_has_its_divergence() -> None:
    """Against the integral; within its own error and what real samples get."""
    x = torch.linspace(-12, 14, 200_001, dtype=torch.float64)
    p, q = (torch.exp(-((x - at) ** 2) / 2) / math.sqrt(2 * math.pi) for at in (0.0, 1.0))
    m = (p + q) / 2
    terms = p * (p / m).log() + q * (q / m).log()
    exact = float(torch.trapezoid(terms, x)) / 2
    score = jensen_shannon(LINE.sample(N, rng()) + 1, LINE.log_density, BOX, cells=64)
    assert score.error is not None
    assert score.value == pytest.approx(exact, abs=4 * score.error + score.detail["real"])
    assert score.interval is not None
    assert score.interval[0] < exact < score.interval[1]


def test_disjoint_samples_get_log_2_and_collapse_lies_between() -> None:
    """Beyond the bounds, on one mode, on half of the modes, and on none of what real ones have in width."""

    def of(samples: Tensor) -> float:
        return jensen_shannon(samples, RING.log_density, box(RING)).value

    real = RING.sample(N, rng())
    points = RING.modes[torch.arange(N) % 8]  # every mode, and no width: what counting modes cannot see
    half = real[real[:, 1] > 0]
    assert of(real + 100) == pytest.approx(math.log(2), abs=1e-4)
    assert of(real) < 0.01
    assert 0.15 < of(half) < of(real[real[:, 0] > 1.9]) < math.log(2)
    assert 0.2 < of(points) < math.log(2)
    assert 0.3 < of(real * 1.1) < math.log(2)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_error_is_that_of_repeated_draws(shift: float) -> None:
    """Of real samples, where the first order vanishes, and of wrong ones."""
    scores = [jensen_shannon(LINE.sample(500, rng(k)) + shift, LINE.log_density, BOX, cells=32) for k in range(60)]
    spread = torch.tensor([each.value for each in scores]).std()
    error = torch.tensor([each.error or 0.0 for each in scores]).mean()
    assert float(error / spread) == pytest.approx(1, abs=0.35)


def test_neither_blocks_nor_order_nor_precision_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = RING.sample(999, rng())
    whole = jensen_shannon(samples, RING.log_density, box(RING), cells=40)
    for block in (7, 1000):
        monkeypatch.setattr("agon.metrics.density.BLOCK", block)
        again = jensen_shannon(samples.flip(0).double(), RING.log_density, box(RING), cells=40)
        assert again.value == pytest.approx(whole.value, rel=1e-12)
        assert again.detail["real"] == pytest.approx(whole.detail["real"], rel=1e-12)


def test_the_line_has_a_distribution_for_the_report() -> None:
    distribution = jensen_shannon(LINE.sample(N, rng()) + 1, LINE.log_density, BOX).detail["distribution"]
    edges = torch.tensor(distribution["edges"])
    assert len(edges) == 65
    for name, at in (("data", 0.0), ("model", 1.0)):
        heights = torch.tensor(distribution[name])
        assert float((heights * edges.diff()).sum()) == pytest.approx(1, abs=1e-3)
        assert distribution["medians"][name] == pytest.approx(at, abs=0.1)


def nowhere(x: Tensor) -> Tensor:
    return torch.full((len(x),), math.nan)


@pytest.mark.parametrize(
    ("samples", "density", "bounds", "message"),
    [
        (torch.zeros(5, 1), Dirac().log_density, BOX, "got one that has none"),
        (torch.zeros(5, 1), nowhere, BOX, "no number there"),
        (torch.zeros(5, 3), LINE.log_density, BOX, "1 or 2 coordinates"),
        (torch.zeros(5, 1), LINE.log_density, BOX.flip(0), "bounds of as many that grow"),
        (torch.tensor([[0.0], [math.nan]]), LINE.log_density, BOX, "got 1 of 2 that are not"),
        (torch.zeros(1, 1), LINE.log_density, BOX, "at least 2 points, got 1"),
        (torch.zeros(5, 1), lambda x: LINE.log_density(x) + 1, BOX, r"sum to at most 1, got 2.718"),
        (torch.zeros(5, 1), Gaussian(mean=0.0, std=1e-4).log_density, BOX, "do not tell; take more cells"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    samples: Tensor, density: Callable[[Tensor], Tensor | None], bounds: Tensor, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        jensen_shannon(samples, density, bounds)


def test_a_box_needs_points_that_differ() -> None:
    with pytest.raises(DataError, match="differ in each coordinate"):
        support(torch.zeros(5, 2))


def test_the_kernel_density_is_the_formula_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.stats import norm

    x, samples = torch.randn(33, 1, generator=rng()), torch.randn(50, 1, generator=rng(1))
    expected = norm.pdf(x.double().numpy(), samples.double().numpy().T, 0.3).mean(axis=1)
    monkeypatch.setattr(sys.modules[optimal_critic.__module__], "BLOCK", 7)
    torch.testing.assert_close(kernel_log_density(x, samples, 0.3).exp(), torch.from_numpy(expected))


def test_bandwidths_see_clumps_and_not_strays() -> None:
    """A smooth normal's is near Silverman's; the ring's is under its modes' deviation, whatever 5 strays say."""
    assert bandwidth_of(LINE.sample(1000, rng())) == pytest.approx(1.06 * 1000**-0.2, rel=0.5)
    ring = RING.sample(1000, rng())
    assert bandwidth_of(ring) < RING.std
    assert bandwidth_of(torch.cat([ring[5:], ring[:5] * 0.3])) < RING.std
    with pytest.raises(DataError, match="the generator has collapsed"):
        bandwidth_of(torch.ones(9, 2))


def test_the_optimal_critic_is_a_half_where_the_densities_agree() -> None:
    """And of two normals the logistic function of x, in float64, finite far from both."""
    fake = LINE.sample(1000, rng()) + 1
    x = torch.tensor([[-0.5], [0.5], [1.5]])
    torch.testing.assert_close(
        optimal_critic(x, LINE.log_density, fake), torch.sigmoid(0.5 - x[:, 0]).double(), rtol=0, atol=0.1
    )
    assert optimal_logit(torch.tensor([[-1e4], [1e4]]), LINE.log_density, fake, 0.2).isfinite().all()
    assert optimal_critic(fake[:200], LINE.log_density, LINE.sample(1000, rng(1)) + 1).mean() < 0.45


def test_the_gap_is_its_noise_for_the_optimal_critic_and_large_for_a_blind_one() -> None:
    real, fake = LINE.sample(600, rng()), LINE.sample(1200, rng(1)) + 1

    def gap(critic: Callable[[Tensor], Tensor]) -> float:
        return critic_gap(critic, LINE.log_density, real, fake).value

    best = critic_gap(lambda x: 0.5 - x[:, 0], LINE.log_density, real, fake)
    assert best.value < 2.5 * best.detail["noise"] < 0.1
    expected = (torch.sigmoid(0.5 - torch.cat([real, fake])) - 0.5).abs().mean()
    assert gap(lambda x: 0 * x[:, 0]) == pytest.approx(float(expected), abs=0.02)
    assert gap(lambda x: 1e4 * (0.5 - x[:, 0])) > 3 * best.value
    assert gap(lambda x: x[:, 0] - 0.5) > 2 * gap(lambda x: 0 * x[:, 0])


def test_the_gap_has_curves_on_the_line_alone() -> None:
    real, fake = LINE.sample(200, rng()), LINE.sample(200, rng(1))
    curves = critic_gap(lambda x: x[:, 0], LINE.log_density, real, fake).detail["curves"]
    assert list(curves) == ["x", "data density", "model density", "optimal critic", "learned critic"]
    assert {len(curve) for curve in curves.values()} == {200}
    torch.testing.assert_close(torch.tensor(curves["learned critic"]), torch.tensor(curves["x"]).sigmoid())
    plane = RING.sample(200, rng())
    assert "curves" not in critic_gap(lambda x: x[:, 0], RING.log_density, plane, plane.flip(0)).detail


def test_only_samples_that_are_all_alike_have_no_gap() -> None:
    """Copies of 0.1, whose deviation is rounded above 0, too; not those whose first half or whose first 2,000 are."""
    real, copies = LINE.sample(200, rng()).double(), torch.full((4500, 1), 0.1, dtype=torch.float64)
    assert copies.std(dim=0) > 0
    with pytest.raises(DataError, match="got one place only: the generator has collapsed"):
        critic_gap(lambda x: x[:, 0], LINE.log_density, real, copies)
    for at in (-1, 2200):
        nearly = copies.index_fill(0, torch.tensor([at % 4500]), 0.7)
        score = critic_gap(lambda x: 1e3 * ((x[:, 0] - 0.1).abs() - 0.01), LINE.log_density, real, nearly)
        assert score.value < 0.1, "what the critic knows, too"


def test_protocols_hold_no_measured_number() -> None:
    """Another training has the same; the numbers are in the detail, and in the text."""
    real = LINE.sample(200, rng())
    for score in (
        lambda fake: critic_gap(lambda x: x[:, 0], LINE.log_density, real, fake),
        lambda fake: jensen_shannon(fake, LINE.log_density, BOX),
    ):
        one, other = score(real + 1), score(real * 3)
        assert one.protocol == other.protocol
        assert str(one).endswith(f"; {one.detail['told']})")


def test_what_no_gap_can_be_told_of_is_a_sentence() -> None:
    real = LINE.sample(50, rng())
    for critic, fake, message in (
        (lambda x: x[:, 0], real[:5], "8 generated points"),
        (lambda x: x, real, "finite logits of shape"),
        (lambda x: x[:, 0] / 0, real, "finite logits"),
    ):
        with pytest.raises(DataError, match=message):
            critic_gap(critic, LINE.log_density, real, fake)

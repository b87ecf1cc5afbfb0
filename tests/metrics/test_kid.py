"""The kernel distance: torch-fidelity's own number on its own subsets, no bias, and an error that is true."""

import math
from inspect import signature

import pytest
import torch
from torch_fidelity.defaults import DEFAULTS
from torch_fidelity.metric_kid import kid_features_to_metric

from agon.errors import DataError, SettingError
from agon.metrics import Score, kernel_distance


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=rng(seed), dtype=torch.float64)


def fidelity(real: torch.Tensor, fake: torch.Tensor, **settings: int) -> tuple[float, float]:
    """torch-fidelity's mean and deviation; the generated features are its first input."""
    metrics = kid_features_to_metric(fake, real, verbose=False, **settings)
    return metrics["kernel_inception_distance_mean"], metrics["kernel_inception_distance_std"]


@pytest.mark.parametrize("d", [3, 64])
def test_given_features_it_is_torch_fidelity(d: int) -> None:
    """Sets of two sizes, so that swapped sides would draw other subsets: the negative control."""
    real, fake = normal(130, d), normal(100, d, 1) * 1.2 + 0.2
    mean, deviation = fidelity(real, fake, kid_subset_size=50, kid_subsets=20, rng_seed=7)
    score = kernel_distance(real, fake, subsets=20, size=50, seed=7)
    assert score.value == pytest.approx(mean, rel=1e-11)
    assert score.detail["deviation"] == pytest.approx(deviation, rel=1e-9)
    assert kernel_distance(fake, real, subsets=20, size=50, seed=7).value != pytest.approx(mean, rel=1e-6)


def test_its_defaults_are_those_of_torch_fidelity() -> None:
    named = {"subsets": "kid_subsets", "size": "kid_subset_size", "seed": "rng_seed"}
    defaults = {name: parameter.default for name, parameter in signature(kernel_distance).parameters.items()}
    assert {name: defaults[name] for name in named} == {name: DEFAULTS[expected] for name, expected in named.items()}
    real, fake = normal(1010, 4), normal(1000, 4, 1) + 0.3
    expected = fidelity(real, fake, kid_subsets=3)
    assert kernel_distance(real, fake, subsets=3).value == pytest.approx(expected[0], rel=1e-11)


def test_one_subset_of_everything_is_the_unbiased_estimate_by_hand() -> None:
    x, y, s = normal(6, 2), normal(6, 2, 1) + 1, 6
    k = lambda a, b: float(a @ b / 2 + 1) ** 3  # noqa: E731
    within = [sum(k(z[i], z[j]) for i in range(s) for j in range(s) if i != j) / 30 for z in (x, y)]
    across = sum(k(a, b) for a in x for b in y) / 36
    assert kernel_distance(x, y, subsets=1, size=6).value == pytest.approx(sum(within) - 2 * across, rel=1e-12)


def scores(shift: float, n: tuple[int, int], d: int = 4, replicates: int = 200, **settings: int) -> list[Score]:
    """Of independent draws of both sides."""
    return [
        kernel_distance(normal(n[0], d, s), normal(n[1], d, 50_000 + s) + shift, seed=s, **settings)
        for s in range(replicates)
    ]


@pytest.mark.parametrize("shift", [0.0, 0.15, 1.0])
@pytest.mark.parametrize(("n", "subsets", "size"), [((120, 80), 10, 40), ((60, 60), 3, 60), ((200, 150), 1, 60)])
def test_the_error_is_the_spread_over_new_samples(shift: float, n: tuple[int, int], subsets: int, size: int) -> None:
    """Whether the sides are alike or not, whether subsets overlap or are everything; too large, where one is all."""
    draws = scores(shift, n, subsets=subsets, size=size)
    spread = float(torch.tensor([s.value for s in draws]).std())
    error = math.sqrt(sum((s.error or 0) ** 2 for s in draws) / len(draws))
    most = 1.4 if subsets == 1 else 1.2  # the variance of one subset's terms is cut off at 0
    assert 0.8 < error / spread < most


def test_the_published_deviation_is_no_error() -> None:
    """The negative control: over the root of the number of subsets, it is several times too small."""
    draws = scores(1.0, (60, 60), subsets=50, size=40, replicates=30)
    spread = float(torch.tensor([s.value for s in draws]).std())
    assert sum(s.detail["deviation"] / 7 for s in draws) / 30 < 0.3 * spread


def test_it_has_no_bias_by_n_and_may_be_negative() -> None:
    values = torch.tensor([s.value for s in scores(0.0, (40, 40), subsets=3, size=20)])
    assert abs(float(values.mean())) < 4 * float(values.std()) / math.sqrt(len(values))
    assert float(values.min()) < 0


def test_worse_samplers_are_worse() -> None:
    """The negative controls: another half of the real data is at 0 within its error; noise and collapse are not."""
    real, half = normal(400, 16), normal(400, 16, 1)
    good = kernel_distance(real, half, subsets=20, size=200)
    assert good.interval is not None
    assert good.interval[0] < 0 < good.interval[1]
    for bad in (half + normal(400, 16, 2), half[:20].repeat(20, 1), half * 0.5, half[:1].repeat(400, 1)):
        score = kernel_distance(real, bad, subsets=20, size=200)
        assert score.interval is not None
        assert score.interval[0] > good.interval[1]


def test_a_constant_sampler_has_finite_numbers() -> None:
    score = kernel_distance(torch.zeros(20, 3), torch.zeros(20, 3), size=10)
    assert (score.value, score.error) == (0.0, 0.0)


def test_any_precision_gives_nearly_the_same() -> None:
    real, fake = normal(60, 8), normal(60, 8, 1) + 0.5
    exact = kernel_distance(real, fake, size=30).value
    assert kernel_distance(real.float(), fake.float(), size=30).value == pytest.approx(exact, rel=1e-6)


def test_wrong_input_is_a_sentence() -> None:
    with pytest.raises(DataError, match=r"at least 1000 samples on each side, got 20 real and 2000 .* smaller size"):
        kernel_distance(normal(20, 2), normal(2000, 2))
    with pytest.raises(DataError, match="got 2 of real samples and 3 of generated"):
        kernel_distance(normal(20, 2), normal(20, 3), size=10)
    with pytest.raises(DataError, match="got 20 of 20 real ones that are not"):
        kernel_distance(normal(20, 2) * math.nan, normal(20, 2), size=10)
    for settings in ({"subsets": 0}, {"size": 3}):
        with pytest.raises(SettingError, match="expected 1 subset of 4 or more"):
            kernel_distance(normal(20, 2), normal(20, 2), **settings)

"""Classes found and their shares: closed forms, the exact mean of real samples, and samplers that drop classes."""

import math

import pytest
import torch
from scipy.stats import binom

from agon.errors import DataError
from agon.metrics import Score, accuracy, class_coverage, class_divergence
from agon.metrics.classes import fullest_class, recognised
from agon.metrics.shares import expected_divergence, share_divergence

EVEN = torch.full((10,), 600)


def certain(labels: torch.Tensor, k: int = 10) -> torch.Tensor:
    """p(k|x) of a classifier that is sure."""
    return torch.eye(k)[labels]


def drawn(weights: torch.Tensor, n: int, seed: int = 0) -> torch.Tensor:
    return torch.multinomial(weights, n, replacement=True, generator=torch.Generator().manual_seed(seed))


def test_a_class_counts_from_a_tenth_of_its_fair_part() -> None:
    """Of 1,000 samples in 10 classes: 10 are enough and 9 are not; a single one is in the detail."""
    for few, expected in ((10, 2), (9, 1)):
        labels = torch.zeros(1000, dtype=torch.long)
        labels[:few] = 3
        classes, confidence = class_coverage(certain(labels), "0123456789", "sure")
        assert (classes.value, classes.detail["touched"], confidence.value) == (expected, 2, 1)
    thousand = class_coverage(certain(torch.arange(2000) % 1000, 1000), [str(k) for k in range(1000)], "sure")[0]
    assert thousand.value == 1000


def test_the_number_of_classes_has_an_interval() -> None:
    """A point where each has many; down by those near the threshold; and it holds the number where all have few."""
    many = class_coverage(certain(torch.arange(1000) % 5), "0123456789", "sure")[0]
    assert (many.value, many.interval) == (5, (5, 5))
    labels = torch.cat([torch.arange(970) % 7, torch.tensor([7, 8, 9]).repeat_interleave(10)])
    few = class_coverage(certain(labels), "0123456789", "sure")[0]
    assert (few.value, few.interval) == (10, (7, 10))
    once = class_coverage(certain(torch.arange(1000), 1000), [str(k) for k in range(1000)], "sure")[0]
    assert once.interval is not None
    assert once.interval[0] == pytest.approx(1000 * (1 - math.exp(-1)), abs=30)
    assert once.interval[1] == once.value == 1000


@pytest.mark.parametrize("kept", [10, 5, 2, 1])
def test_the_divergence_of_even_classes_is_the_log_of_what_is_dropped(kept: int) -> None:
    score = class_divergence(certain(torch.arange(1000) % kept), EVEN, "sure")
    assert score.value == pytest.approx(math.log(10 / kept), abs=1e-12)
    assert (score.n, score.n_real) == (1000, 6000)


def test_shares_are_compared_with_the_datas_own() -> None:
    """A sampler of even classes is not right where the data's are uneven; and the other way round."""
    counts = torch.tensor([4, 2, 1, 1])
    as_data = certain(torch.tensor([0, 0, 0, 0, 1, 1, 2, 3]).repeat(10), 4)
    assert class_divergence(as_data, counts, "sure").value == pytest.approx(0, abs=1e-12)
    assert class_divergence(as_data, 100 * counts, "sure").value == pytest.approx(0, abs=1e-12)
    even = class_divergence(certain(torch.arange(80) % 4, 4), counts, "sure").value
    assert even == pytest.approx(sum(0.25 * math.log(0.25 / w) for w in (0.5, 0.25, 0.125, 0.125)))


def test_a_class_that_the_data_lack_counts_as_half_an_image() -> None:
    score = class_divergence(certain(torch.ones(50, dtype=torch.long), 2), torch.tensor([100, 0]), "sure")
    assert score.value == pytest.approx(math.log(100.5 / 0.5))


@pytest.mark.parametrize(("k", "n"), [(10, 1000), (3, 40), (1000, 500), (1000, 10_000)])
def test_what_real_samples_get_is_their_mean(k: int, n: int) -> None:
    """By the binomial sum, and by draws: also of fewer samples than classes."""
    weights = torch.rand(k, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.2
    weights /= weights.sum()
    expected = expected_divergence(weights, n)
    some = torch.arange(1, n + 1).double()
    exact = sum(
        float((torch.from_numpy(binom.pmf(some.numpy(), n, float(w))) * some / n * (some / n / w).log()).sum())
        for w in weights[:10]
    )
    assert expected_divergence(torch.cat([weights[:10], torch.zeros(1)]), n) == pytest.approx(exact, rel=1e-4)
    scores = [share_divergence("x", drawn(weights, n, s).bincount(minlength=k), weights, "") for s in range(60)]
    values = torch.tensor([each.value for each in scores])
    assert float(values.mean()) == pytest.approx(expected, abs=4 * float(values.std()) / 60**0.5)
    assert scores[0].detail["real"] == pytest.approx(expected, rel=1e-12)


def test_the_error_is_that_of_repeated_draws_in_1000_classes() -> None:
    """Where the shares are right, and where half of the classes come twice as often."""
    weights = torch.ones(1000)
    for sampled in (weights, weights + (torch.arange(1000) % 2)):
        scores = [
            share_divergence("x", drawn(sampled, 20_000, s).bincount(minlength=1000), weights, "") for s in range(60)
        ]
        spread = torch.tensor([each.value for each in scores]).std()
        error = torch.tensor([each.error or 0.0 for each in scores]).mean()
        assert float(error / spread) == pytest.approx(1, abs=0.35)


def test_dropping_a_tenth_of_1000_classes_is_seen() -> None:
    weights = torch.ones(1000)
    real, dropped = (
        class_divergence(certain(drawn(w, 10_000), 1000), weights, "sure") for w in (weights, weights[100:])
    )
    assert real.error is not None
    assert real.value == pytest.approx(real.detail["real"], abs=4 * real.error)
    assert dropped.value - real.value == pytest.approx(math.log(1000 / 900), abs=0.02)
    assert dropped.value - real.detail["real"] > 10 * real.error


@pytest.mark.parametrize(
    ("probabilities", "counts", "message"),
    [
        (certain(torch.zeros(1, dtype=torch.long)), EVEN, r"at least 2 rows that each sum to 1, got shape \(1, 10\)"),
        (torch.ones(5, 10), EVEN, "each sum to 1"),
        (torch.full((5, 10), math.nan), EVEN, "each sum to 1"),
        (certain(torch.arange(5)), torch.ones(9), "of each of 10 classes, got 9 numbers"),
        (certain(torch.arange(5)), torch.zeros(10), "got 10 numbers that sum to 0"),
    ],
)
def test_what_has_no_divergence_is_a_sentence(probabilities: torch.Tensor, counts: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        class_divergence(probabilities, counts, "sure")


def test_the_accuracy_has_wilsons_interval() -> None:
    score = accuracy(torch.arange(100) < 97, "")
    assert score.interval is not None
    assert score.interval == pytest.approx((0.9155, 0.9897), abs=1e-4)


def test_recognised_is_the_share_of_one_class_and_not_of_the_fullest() -> None:
    histogram = [0, 60, 30, *[0] * 6, 10]
    classes = Score(name="classes", value=3, n=100, protocol="one; of 10", detail={"histogram": histogram})
    found = recognised(classes, 2)
    assert (found.value, found.n) == (0.3, 100)
    assert found.error == pytest.approx(math.sqrt(0.3 * 0.7 / 100))


def test_the_fullest_class_tells_cycling_from_spreading() -> None:
    """Over all steps both make every class equally often; at each step the one makes a single class."""
    cycling = [10 * torch.eye(10, dtype=torch.long)[step] for step in range(10)]
    spreading = [torch.ones(10, dtype=torch.long)] * 10
    assert torch.equal(sum(cycling), sum(spreading))
    assert (fullest_class(cycling).value, fullest_class(spreading).value) == (1.0, pytest.approx(0.1))
    assert fullest_class(cycling).n == 100

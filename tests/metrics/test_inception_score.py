"""The Inception score: its bounds, torch-fidelity's number from the same logits, its splits and its error."""

import math
import sys

import pytest
import torch
from torch_fidelity.metric_isc import isc_features_to_metric

from agon.errors import DataError, SettingError
from agon.metrics import inception_score


def logits(n: int, k: int, seed: int = 0, scale: float = 3.0) -> torch.Tensor:
    return scale * torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("k", [2, 10, 1008])
def test_its_bounds(k: int) -> None:
    """1 where all samples look the same, sure or not; k where they are one-hot and even."""
    assert inception_score(logits(1, k).softmax(1).expand(50, k)).value == pytest.approx(1, abs=1e-12)
    assert inception_score(torch.eye(k)[:1].expand(50, k)).value == 1
    assert inception_score(torch.eye(k).repeat(4, 1), splits=2).value == pytest.approx(k, rel=1e-12)
    assert 1 < inception_score(logits(500, k).softmax(1)).value < k


@pytest.mark.parametrize(("n", "splits"), [(500, 10), (503, 10), (24, 10), (97, 1), (7, 7)])
def test_given_logits_it_is_torch_fidelity(n: int, splits: int) -> None:
    """In the order given, whether or not the splits come out even."""
    x = logits(n, 30)
    expected = isc_features_to_metric(x, splits=splits, shuffle=False)
    score = inception_score(x.softmax(1), splits)
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-12)
    assert score.detail["deviation"] == pytest.approx(expected["inception_score_std"], rel=1e-9, abs=1e-12)
    single = inception_score(x.float().softmax(1), splits)
    assert single.value == pytest.approx(expected["inception_score_mean"], rel=1e-6)


def test_samples_in_the_order_of_their_classes_are_caught() -> None:
    """The negative control: each split then holds one class, and seems to lack the rest."""
    x = torch.eye(10).repeat_interleave(100, 0)
    shuffled = x[torch.randperm(1000, generator=torch.Generator().manual_seed(0))]
    assert inception_score(x).value == 1
    assert inception_score(shuffled).value > 9.5


def test_the_error_is_the_spread_over_new_samples() -> None:
    """By 10 splits: Student's interval holds the expected value 95 times in a hundred."""
    scores = [inception_score(logits(500, 10, s).softmax(1)) for s in range(300)]
    values = torch.tensor([s.value for s in scores])
    error = math.sqrt(sum((s.error or 0) ** 2 for s in scores) / len(scores))
    assert error / float(values.std()) == pytest.approx(1, abs=0.1)
    expected = float(values.mean())
    held = [s.interval[0] <= expected <= s.interval[1] for s in scores if s.interval]
    assert sum(held) / len(held) == pytest.approx(0.95, abs=0.03)
    one = inception_score(logits(500, 10).softmax(1), splits=1)
    assert (one.error, one.interval) == (None, None)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = logits(301, 10).softmax(1)
    whole = inception_score(x)
    monkeypatch.setattr(sys.modules[inception_score.__module__], "BLOCK", block)
    assert inception_score(x).value == pytest.approx(whole.value, rel=1e-13)


def test_probabilities_that_are_nearly_nothing_count_as_nothing() -> None:
    x = torch.tensor([[1.0, 5e-324, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    assert inception_score(x, splits=1).value == 1


def test_a_collapsed_and_an_unsure_sampler_score_lower() -> None:
    good = inception_score(logits(1000, 10, scale=5.0).softmax(1)).value
    assert inception_score(logits(20, 10, scale=5.0).softmax(1)[:2].repeat(500, 1)).value < 0.5 * good
    assert inception_score(logits(1000, 10, scale=0.5).softmax(1)).value < 0.5 * good


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (torch.ones(20, 3), "got 20 of 20 that are not"),
        (torch.tensor([[0.5, 0.5]] * 19 + [[1.5, -0.5]]), "got 1 of 20 that are not; give it the softmax"),
        (torch.full((20, 2), math.nan), "got 20 of 20"),
        (torch.full((9, 2), 0.5), "at least 10 samples for 10 splits, got 9 of 2 classes"),
    ],
)
def test_wrong_input_is_a_sentence(rows: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        inception_score(rows)
    with pytest.raises(SettingError, match="at least 1 split, got 0"):
        inception_score(rows, splits=0)

"""Precision, recall, density, coverage: those of the reference implementations, to the last ball."""

import sys

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from torch_fidelity.metric_prc import calculate_precision_recall_full

from agon.errors import DataError, SettingError
from agon.metrics import Score, prdc, precision_recall


def normal(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whole(n: int, d: int, seed: int = 0) -> torch.Tensor:
    """Small whole numbers: copies and ties everywhere, and exact in any arithmetic."""
    return torch.randint(0, 4, (n, d), generator=torch.Generator().manual_seed(seed)).double()


SETS = {
    "normal": (normal(300, 10), normal(257, 10, 1)),
    "shifted": (normal(300, 3), 0.5 * normal(400, 3, 1) + 1),
    "many coordinates": (normal(200, 1500), normal(200, 1500, 1)),
    "off the origin": (normal(200, 10) + 1000, normal(200, 10, 1) + 1000),
    "whole numbers": (whole(300, 4), whole(250, 4, 1)),
    "copies": (whole(200, 40), whole(200, 40)[torch.arange(200) // 3]),
    "collapsed to a copy": (normal(200, 6), normal(1, 6, 1).repeat(150, 1)),
    "nearly collapsed": (normal(200, 6), normal(1, 6, 1) + 1e-5 * normal(150, 6, 2)),
    "an outlier": (torch.cat([normal(200, 6), 1e5 * normal(1, 6)]), normal(150, 6, 1)),
}


def values(scores: dict[str, Score]) -> dict[str, float]:
    return {name: score.value for name, score in scores.items()}


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("name", SETS)
def test_agrees_with_the_prdc_package(name: str, k: int) -> None:
    real, fake = SETS[name]
    expected = compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    assert list(expected) == ["precision", "recall", "density", "coverage"]
    assert values(prdc(real, fake, k)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", ["normal", "shifted", "many coordinates", "whole numbers", "copies", "an outlier"])
def test_agrees_with_torch_fidelity(name: str, k: int) -> None:
    """Whose first set is the generated one."""
    real, fake = SETS[name]
    expected = calculate_precision_recall_full(fake, real, neighborhood=k)
    assert list(values(precision_recall(real, fake, k)).values()) == pytest.approx(expected, abs=1e-7)


def test_closed_balls_hold_their_boundary() -> None:
    """A fake set of the real ones' neighbours: each at the radius exactly, and of no other ball."""
    real = torch.tensor([[0.0, 0.1], [1.0, 0.1], [100.0, 0.7], [101.3, 0.7]])
    fake = torch.tensor([[2.0, 0.1], [-1.0, 0.1]])
    assert prdc(real, fake, k=1)["precision"].value == 0
    assert precision_recall(real, fake, k=1)["precision"].value == 1


def test_precision_and_recall_are_not_swapped() -> None:
    """One of ten modes, made well: all samples are good, and most of the data is not made."""
    real = normal(500, 4) + 20 * torch.arange(500)[:, None] % 200
    collapsed = normal(300, 4, 1)
    for result in (prdc(real, collapsed), precision_recall(real, collapsed)):
        assert result["precision"].value > 0.8
        assert result["recall"].value < 0.3
        swapped = prdc(collapsed, real)
        assert swapped["precision"].value < 0.3
        assert swapped["recall"].value > 0.8


def test_equal_sets_are_covered_and_noise_is_not_good() -> None:
    real = normal(400, 5)
    assert values(prdc(real, real))["coverage"] == 1
    noise = prdc(real, 10 * normal(400, 5, 1))
    assert noise["precision"].value < 0.1
    assert noise["coverage"].value < 0.2


def test_another_draw_is_covered_as_theory_says() -> None:
    """Of n = m real samples: density 1, coverage 1 - Π (n - i) / (2n - i), i = 0, ..., k - 1, about 1 - 2^-k."""
    n, k = 600, 3
    draws = [prdc(normal(n, 2, 2 * seed), normal(n, 2, 2 * seed + 1), k) for seed in range(10)]
    covered = 1 - np.prod([(n - i) / (2 * n - i) for i in range(k)])
    assert np.mean([draw["coverage"].value for draw in draws]) == pytest.approx(covered, abs=0.015)
    assert np.mean([draw["density"].value for draw in draws]) == pytest.approx(1, abs=0.03)


def test_errors_are_those_of_repeated_draws_of_one_set() -> None:
    """The other set kept, whose balls the error takes as given."""
    real = normal(300, 3)
    draws = [prdc(real, 1.2 * normal(300, 3, seed + 1)) for seed in range(100)]
    for name in ("precision", "density"):
        spread = np.std([draw[name].value for draw in draws], ddof=1)
        assert np.mean([draw[name].error for draw in draws]) == pytest.approx(spread, rel=0.25)
        low, high = draws[0][name].interval or (0, 0)
        assert low < draws[0][name].value < high
    perfect = prdc(real, real)["coverage"]
    assert perfect.interval is not None
    assert perfect.interval[0] == pytest.approx(0.987, abs=1e-3), "300 of 300 are no proof of 1"


@pytest.mark.parametrize("name", ["normal", "whole numbers", "nearly collapsed"])
def test_blocks_and_precision_do_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = (each[:120] for each in SETS[name])
    expected = values(prdc(real, fake)), values(precision_recall(real, fake))
    for rows, columns, strip in ((1000, 7, 1000), (13, 1000, 5), (50, 33, 11)):
        monkeypatch.setattr("agon.metrics.pairwise.ROWS", rows)
        monkeypatch.setattr("agon.metrics.pairwise.COLUMNS", columns)
        monkeypatch.setattr(sys.modules[prdc.__module__], "STRIP", strip)
        assert (values(prdc(real, fake)), values(precision_recall(real, fake))) == expected
    single = values(prdc(real.float(), fake.float()))
    assert single == pytest.approx(expected[0], abs=1e-12), "inputs of float32, with hardly a tie that it makes"


@pytest.mark.parametrize("name", ["normal", "off the origin", "nearly collapsed", "an outlier"])
def test_few_distances_are_left_open(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds decide nearly all of them, wherever the features lie and whatever their spread."""
    pairs, module = [], sys.modules[prdc.__module__]
    exact = module.pair_squares
    monkeypatch.setattr(module, "pair_squares", lambda *each: (pairs.append(len(each[2])), exact(*each))[1])
    real, fake = SETS[name]
    prdc(real, fake)
    assert sum(pairs) < 0.001 * 2 * len(real) * len(fake)


@pytest.mark.parametrize(
    ("real", "fake", "k", "error", "message"),
    [
        (normal(9, 2), normal(5, 2), 5, DataError, r"fake features: expected at least 6 samples .* \(5, 2\)"),
        (normal(5, 2), normal(9, 2), 5, DataError, "real features: expected at least 6 samples"),
        (normal(9, 2), normal(9, 3), 5, DataError, r"one shape, got \(2,\) and \(3,\)"),
        (normal(9, 2), normal(9, 2) / 0, 5, DataError, "fake features: .* got 9 of 9 samples that are not"),
        (normal(9, 2), normal(9, 2), 0, SettingError, "expected 1 or more, got 0"),
    ],
)
def test_what_has_no_manifold_is_a_sentence(
    real: torch.Tensor, fake: torch.Tensor, k: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        prdc(real, fake, k)
    with pytest.raises(error, match=message):
        precision_recall(real, fake, k)

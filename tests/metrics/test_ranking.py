"""Ranks of several runs on the same images, and where two of them differ."""

import math

import pytest
import torch
from torch import Tensor

from agon.errors import DataError
from agon.metrics import best_rank, by_fractional_difference


def test_ranks_are_counted_and_ties_are_shared() -> None:
    """Of 8 images a wins 3 alone, b 2, c none; 2 are a tie of a and b, and 1 of all: 4⅓, 3⅓ and ⅓."""
    a = torch.tensor([1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0])
    b = torch.tensor([2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    c = torch.tensor([3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 1.0])
    ranks = best_rank({"a": a, "b": b, "c": c})
    assert [score.value for score in ranks.values()] == pytest.approx([100 * k / 24 for k in (13, 10, 1)])
    assert sum(score.value for score in ranks.values()) == pytest.approx(100)
    share = 13 / 24
    assert ranks["a"].error == pytest.approx(100 * math.sqrt(share * (1 - share) / 8))
    low, high = ranks["a"].interval or (0.0, 0.0)
    assert 0 < low < ranks["a"].value < high < 100
    assert {score.protocol for score in ranks.values()} == {
        "per cent of images with the lowest error among a, b, c; 33.3 if they are alike"
    }


def test_the_error_is_that_of_repeated_draws() -> None:
    """Alike runs have 100/4 each on 1,280 images, and 300 repetitions spread as much as the error says."""
    draws = torch.rand(300, 4, 1280, generator=torch.Generator().manual_seed(0))
    scores = [best_rank(dict(zip("abcd", draw, strict=True)))["a"] for draw in draws]
    values = torch.tensor([score.value for score in scores])
    assert float(values.mean()) == pytest.approx(25, abs=0.3)
    assert float(values.std()) == pytest.approx(scores[0].error or 0, rel=0.15)


def test_the_fractional_difference_is_the_papers() -> None:
    """|a - b| / ½(a + b): symmetric, blind to the unit, at most 2, and not the plain difference."""
    a, b = torch.tensor([4.0, 0.1, 1.0, 0.0]), torch.tensor([5.0, 0.2, 1.0, 0.0])
    order = by_fractional_difference(a, b)
    assert order.tolist() == [1, 0, 2, 3]
    assert torch.equal(order, by_fractional_difference(b, a))
    assert torch.equal(order, by_fractional_difference(a / 7, b / 7))
    assert (a - b).abs().argmax() == 0, "the plain difference would begin elsewhere"


ONE = torch.ones(1)


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ({}, "errors of runs on the same images"),
        ({"a": ONE, "b": torch.ones(2)}, r"got \[1, 2\] of them"),
        ({"a": ONE[:0]}, r"got \[0\] of them"),
        ({"a": ONE * math.nan}, "finite errors"),
    ],
)
def test_what_cannot_be_ranked_is_a_sentence(errors: dict[str, Tensor], message: str) -> None:
    with pytest.raises(DataError, match=message):
        best_rank(errors)


@pytest.mark.parametrize("other", [-ONE, ONE * math.inf])
def test_what_is_no_error_is_a_sentence(other: Tensor) -> None:
    with pytest.raises(DataError, match="errors of 0 or more"):
        by_fractional_difference(ONE, other)

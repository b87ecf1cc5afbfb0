"""The check of shapes that every test makes: it catches, in every test, what it should."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from agon.objectives import NonSaturating
from tests import shapes


def first(x: Float[Tensor, "n d"], also: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """A function that states shapes."""
    return x[:, 0]


checking = shapes.jaxtyped(typechecker=shapes.checked)(first)


@pytest.mark.parametrize("again", [1, 2])
def test_functions_of_agon_are_checked_in_every_test(again: int) -> None:
    with pytest.raises(TypeCheckError):
        NonSaturating().critic(torch.zeros(2, 1), torch.zeros(2))


@pytest.mark.parametrize("also", [torch.zeros(3), torch.zeros(2, 1), torch.zeros(2, dtype=torch.int)])
def test_shapes_that_do_not_agree_are_caught(also: Tensor) -> None:
    with pytest.raises(TypeCheckError):
        checking(torch.zeros(2, 3), also)


@pytest.mark.skipif(shapes.ALL, reason="every call is checked")
@pytest.mark.parametrize("again", [1, 2])
def test_the_first_calls_of_a_test_are_checked(again: int) -> None:
    right, wrong = (torch.zeros(2, 3), torch.zeros(2)), (torch.zeros(2, 3), torch.zeros(4))
    for _ in range(shapes.CALLS - 1):
        checking(*right)
    with pytest.raises(TypeCheckError):
        checking(*wrong)
    checking(*wrong)


def test_what_states_a_shape() -> None:
    shaped: list[Any] = [Float[Tensor, "n d"], Float[Tensor, " n"] | None, dict[str, Sequence[Float[Tensor, "n"]]]]
    assert all(map(shapes.states_shape, shaped))
    assert not any(map(shapes.states_shape, (int, list[str], Tensor | None, "Game")))

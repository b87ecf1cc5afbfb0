"""The steps of the light checkpoints: distinct, from 1 to the last, and even in their logarithm."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agon.runs.history import steps_of_history

STEPS, COUNTS = st.integers(1, 10**9), st.integers(0, 200)


@given(STEPS, COUNTS)
def test_they_are_distinct_and_end_at_the_last_step(steps: int, count: int) -> None:
    chosen = steps_of_history(steps, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, steps)
    assert not chosen or (chosen[0] >= 1 and chosen[-1] == steps)


@given(st.integers(100, 10**9), st.integers(2, 100))
def test_they_are_even_in_the_logarithm(steps: int, count: int) -> None:
    """Wherever the ratio of two neighbours can be even, it is, up to rounding to whole steps."""
    chosen = steps_of_history(steps, count)
    ratios = [(math.log(b / a), a) for a, b in pairwise(chosen)]
    even = [(ratio, a) for ratio, a in ratios if a > 20 * count]  # where rounding moves a step by little
    assert all(abs(ratio - even[-1][0]) < 3 / a for ratio, a in even)
    assert all(ratio >= 0.99 * even[-1][0] - 2 / a for ratio, a in ratios) if even else True


def test_many_of_them_are_every_step() -> None:
    assert steps_of_history(7, 7) == steps_of_history(7, 70) == list(range(1, 8))

"""Steps for a picture, numbers for a page."""

from hypothesis import given
from hypothesis import strategies as st

from agon.figures.numbers import number
from agon.figures.spacing import spread


@given(st.integers(1, 300), st.integers(2, 12))
def test_spread_steps_keep_their_ends_and_order(count: int, most: int) -> None:
    steps = [10 * index for index in range(count)]
    shown = spread(steps, most)
    assert shown == sorted(set(shown))
    assert (shown[0], shown[-1], len(shown)) == (steps[0], steps[-1], min(count, most))


def test_numbers_beyond_every_float_are_shown() -> None:
    assert (number(10**400), number(float("-inf")), number(1234567.8), number(0.12345, 3)) == (
        "∞",
        "−∞",
        "1,234,568",
        "0.123",
    )

"""Two sides by turns: rounds end when the ratio is clearly on one side of its bound, or when time is up."""

import itertools
from collections.abc import Callable

import pytest

from benchmarks.timing import Rounds, by_turns

Timer = Callable[[int], float]


def taking(*milliseconds: float) -> Timer:
    """A side whose steps take these times, over and over."""
    each = itertools.cycle(milliseconds)
    return lambda steps: steps * next(each) / 1000


def test_a_ratio_that_is_clear_ends_the_rounds_at_the_least_number() -> None:
    """On either side of the bound."""
    for theirs, ratio in ((20.0, 0.5), (8.0, 1.25)):
        found = by_turns(taking(10.0), taking(theirs), Rounds(40, 3, bound=0.8))
        assert found.rounds == 8
        assert (found.ours, found.theirs, found.ratio, found.low) == pytest.approx((10, theirs, ratio, ratio))


def test_a_ratio_at_its_bound_takes_all_rounds() -> None:
    around = by_turns(taking(7.0, 9.0), taking(10.0), Rounds(20, bound=0.8))
    assert around.low < 0.8 < around.high
    assert around.rounds == 20
    assert by_turns(taking(5.0), taking(10.0), Rounds(20)).rounds == 20  # no bound


def test_time_that_is_up_ends_them_and_one_round_is_always_made(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("benchmarks.timing.time.perf_counter", lambda: next(clock))  # a second a look
    assert by_turns(taking(7.0, 9.0), taking(10.0), Rounds(40, bound=0.8, seconds=5.0)).rounds == 3
    assert by_turns(taking(7.0), taking(10.0), Rounds(40, bound=0.8, seconds=0.1)).rounds == 1


def test_turns_alternate_and_each_time_is_its_own_side_s() -> None:
    order: list[str] = []

    def named(name: str, seconds: float) -> Timer:
        return lambda steps: order.append(name) or seconds  # type: ignore[func-returns-value]

    assert by_turns(named("ours", 1.0), named("theirs", 2.0), Rounds(3)).ratio == 0.5
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


def test_rounds_say_what_ends_them() -> None:
    assert str(Rounds(1)) == "1 round"
    assert str(Rounds(5, 2)) == "5 rounds of 2 steps each"
    words = (
        "at most 40 rounds of 3 steps each, and fewer as soon as a 99 % interval of the ratio lies on one side of the"
    )
    assert str(Rounds(40, 3, 0.8, seconds=16)) == f"{words} bound or they have taken 16 s"

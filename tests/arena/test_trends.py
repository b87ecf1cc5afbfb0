"""What a curve of skill is said to do: theorems on straight lines, and how often chance is taken for a trend."""

import math

import numpy as np
import pytest

from agon.arena.skills.trends import trend
from agon.errors import DataError
from agon.runs.history import steps_of_history

STEPS = steps_of_history(5_000, 20)


def curve(*points: tuple[float, float], noise: float = 0.05, seed: int = 0) -> list[float]:
    """Straight lines between (share of the snapshots, skill), with noise."""
    shares, values = zip(*points, strict=True)
    clean = np.interp(np.linspace(0, 1, len(STEPS)), shares, values)
    return (clean + np.random.default_rng(seed).normal(0, noise, len(STEPS))).tolist()


def course(values: list[float], error: float = 0.05) -> str:
    return trend(STEPS, values, [error] * len(values)).course


def test_the_five_courses() -> None:
    assert course(curve((0, 0), (1, 4))) == "rises"
    assert course(curve((0, 0), (0.6, 4), (1, 4))) == "stopped"
    assert course(curve((0, 0), (0.6, 4), (1, 2))) == "falls"
    assert course(curve((0, 1), (1, 1))) == "flat"
    swings = [4.0, 6.0, 3.0, 6.5, 4.5]
    assert course([*curve((0, 0), (1, 4))[:-5], *swings]) == "unclear"


def test_the_late_change_of_a_line_is_exact() -> None:
    """Of g = log(step) it is log(t_last / t_first), with no interval but that of the ratings' own errors."""
    line = trend(STEPS, [math.log(step) for step in STEPS], [0.0] * len(STEPS))
    first, last = line.steps
    assert (first, last, line.best) == (STEPS[-5], 5_000, 5_000)
    assert line.late.value == pytest.approx(math.log(last / first))
    assert line.late.half == pytest.approx(0, abs=1e-6)
    assert trend(STEPS, [math.log(step) for step in STEPS], [9.0] * len(STEPS)).course == "flat"


def test_the_step_of_the_best_is_named_where_skill_falls() -> None:
    values = curve((0, 0), (0.5, 4), (1, 0), noise=0.0)
    sentence = trend(STEPS, values, [0.0] * len(values)).sentence("Skill")
    assert f"falls at the end; it was highest at step {STEPS[values.index(max(values))]:,}" in sentence


def test_a_fall_has_no_sign() -> None:
    sentence = trend(STEPS, curve((0, 4), (0.5, 0), (1, 0), noise=0.0), [0.0] * len(STEPS)).sentence("Skill")
    assert sentence.startswith("Skill does not rise: from the first quarter of the snapshots to the last it fell by 3.")


def test_swings_of_a_training_are_not_taken_for_a_trend() -> None:
    """Ratings of tiny errors that swing by 1 logit: at most about 5 % of the curves are said to go anywhere at the end.

    The negative control knows the errors of the ratings alone, and says so of almost all.
    """
    draws = 400
    swinging = [curve((0, 0), (0.5, 4), (1, 4), noise=1.0, seed=seed) for seed in range(draws)]
    trends = [trend(STEPS, values, [0.01] * len(values)) for values in swinging]
    moved = sum(one.late.sign != 0 for one in trends) / draws
    assert 0.02 < moved < 0.09
    by_errors_alone = 1.96 * 0.01 * math.log(trends[0].steps[1] / trends[0].steps[0])
    assert sum(abs(one.late.value) > by_errors_alone for one in trends) / draws > 0.9


def test_too_few_points_are_refused() -> None:
    with pytest.raises(DataError, match="at least 6 snapshots, got 5"):
        trend([1, 2, 3, 4, 5], [0.0] * 5, [0.0] * 5)

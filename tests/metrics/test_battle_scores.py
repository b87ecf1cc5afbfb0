"""A battle's numbers as scores: who has won, the ratios, and the errors beside a one-sided battle's."""

from dataclasses import replace

import numpy as np
import pytest

from agon.arguments import TIE
from agon.metrics import Battle, Score
from agon.metrics.auroc import Area
from agon.metrics.gam.areas import AreaDuel
from agon.metrics.gam.critic import Threshold
from agon.metrics.gam.outcome import Judgement
from agon.metrics.gam.rates import ErrorRate, Ratio
from agon.metrics.gam.scores import battle_ratios, battle_won, critic_errors, judged_training, training_scores


def fought(test: tuple[float, float], sample: tuple[float, float]) -> Battle:
    """A battle with these intervals."""
    rate = ErrorRate(1, 10)
    sides = [
        Judgement(name=name, test=rate, foreign=rate, own=rate, train=None, threshold=Threshold(0.0), protocol="")
        for name in ("one", "two")
    ]
    ratios = [Ratio(float(np.sqrt(low * high)), 0.1, (low, high), 1.0, False) for low, high in (test, sample)]
    areas = AreaDuel(Area(0.5, 0.1, 10, 10), Area(0.5, 0.1, 10, 10), 0.0)
    test_ratio, sample_ratio = ratios
    return Battle(
        first=sides[0], second=sides[1], test=test_ratio, sample=sample_ratio, areas=areas, tie=TIE, protocol=""
    )


@pytest.mark.parametrize(
    ("test", "sample", "points"),
    [
        ((0.9, 1.1), (1.5, 2.0), 1),
        ((0.9, 1.1), (0.5, 0.6), -1),
        ((0.9, 1.1), (0.9, 1.2), 0),  # may be chance
        ((1.5, 2.0), (1.5, 2.0), 0),  # unfair
    ],
)
def test_who_has_won(test: tuple[float, float], sample: tuple[float, float], points: int) -> None:
    assert battle_won(fought(test, sample)).value == points
    mirrored = fought((1 / test[1], 1 / test[0]), (1 / sample[1], 1 / sample[0]))
    assert battle_won(mirrored).value == -points


def test_ratios_are_not_exchanged() -> None:
    r_test, r_sample = battle_ratios(fought((0.5, 2.0), (2.0, 8.0)))
    assert (r_test.name, r_test.value, r_test.interval) == ("r_test", 1.0, (0.5, 2.0))
    assert (r_sample.name, r_sample.value, r_sample.interval) == ("r_sample", 4.0, (2.0, 8.0))
    assert (r_sample.n, r_sample.n_real) == (10, 10)


def test_a_critics_other_errors_are_not_exchanged() -> None:
    error = Score(name="error", value=0.3, n=50, n_real=40, protocol="", detail={"error_own": 0.1, "error_test": 0.2})
    own, test = critic_errors(error)
    assert (own.name, own.value, test.name, test.value) == ("error-own", 0.1, "error-test", 0.2)
    assert (own.n, own.n_real) == (50, 40)


def test_what_critics_were_trained_on_is_not_exchanged() -> None:
    battle = fought((0.5, 2.0), (2.0, 8.0))
    assert training_scores(battle) == ()
    rates, areas = (ErrorRate(1, 10), ErrorRate(4, 10)), (Area(0.9, 0.01, 10, 20), Area(0.5, 0.02, 10, 20))
    first, second = (
        replace(judgement, train=rate, seen=area)
        for judgement, rate, area in zip((battle.first, battle.second), rates, areas, strict=True)
    )
    trained = replace(battle, first=first, second=second, train=Ratio(0.25, 0.1, (0.1, 0.6), 1.5, False))
    scores = {score.name: score.value for score in training_scores(trained)}
    assert scores == {"r_train": 0.25, "seen-first": 0.9, "seen-second": 0.5}
    swapped = {score.name: score.value for score in training_scores(trained.swapped)}
    assert swapped == {"r_train": 4.0, "seen-first": 0.5, "seen-second": 0.9}
    alone = {score.name: (score.value, score.n) for score in judged_training(first)}
    assert alone == {"error-train": (0.1, 10), "error-test": (0.1, 10), "seen": (0.9, 10)}

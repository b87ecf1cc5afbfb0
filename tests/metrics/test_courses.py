"""Courses of losses, outputs and scores: known values, and courses that differ in one thing are told apart."""

import math

import pytest

from agon.metrics import Score
from agon.metrics.courses import (
    collapse_told,
    distance_kept,
    epoch_seconds,
    epoch_time,
    epoch_time_ratio,
    late,
    loss_course,
    probability,
    score_course,
)
from agon.metrics.differences import Measured, paired_contrast
from agon.metrics.directions import LOWER, direction_of, is_ratio


def losses(generator: list[float], fake: list[float]) -> dict[str, float]:
    return {score.name: score.value for score in loss_course(generator, [0.5] * len(generator), fake)}


def test_a_steady_a_growing_and_a_restless_loss_of_one_mean() -> None:
    steady = losses([1.5] * 16, [0.0] * 16)
    growing = losses([0.1 * k for k in range(16)], [0.0] * 12 + [-9.0] * 4)
    restless = losses([1.0, 2.0] * 8, [-1_000.0] * 16)
    assert steady == pytest.approx({"loss-gap": 1.0, "loss-growth": 0.0, "loss-deviation": 0.0, "rejected": 0.0})
    assert growing["loss-growth"] == pytest.approx(1.2)
    assert growing["rejected"] == pytest.approx(0.25)
    assert restless == pytest.approx({"loss-gap": 1.0, "loss-growth": 0.0, "loss-deviation": 0.5, "rejected": 1.0})


def test_a_shorter_log_than_four_records_has_a_course() -> None:
    assert losses([2.0], [0.0]) == {"loss-gap": 1.5, "loss-growth": 0.0, "loss-deviation": 0.0, "rejected": 0.0}


def test_one_record_more_under_every_seed_is_no_verdict() -> None:
    """Of 400 records: the difference has no width over the seeds, and is within the error of a share all the same."""
    runs = [[loss_course([1.0] * 400, [0.5] * 400, [0.0] * (400 - k) + [-9.0] * k)[-1] for k in ks] for ks in PAIRS]
    one, other = ([Measured(score.value, score.error) for score in side] for side in zip(*runs, strict=True))
    found = paired_contrast(one, other)
    assert found.value == pytest.approx(1 / 400)
    assert found.half() > found.value
    exact = ([Measured(score.value) for score in side] for side in (one, other))
    assert paired_contrast(*exact).half() < 1e-9  # the negative control: without the error it would be one


PAIRS = ((371, 370), (371, 370), (362, 361))


def test_an_output_is_the_sigmoid_of_the_logit() -> None:
    assert [probability(logit) for logit in (0.0, math.log(3), -1e6, 1e6)] == pytest.approx([0.5, 0.75, 0.0, 1.0])


def test_a_score_that_rises_and_one_that_goes_up_and_down() -> None:
    """Both end at 4 and have a greatest value of 4; only one oscillates in its second half."""
    rising, restless = (
        {score.name: score.value for score in score_course(values, "score", 10)}
        for values in ([1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0], [1.0, 2.0, 2.0, 1.0, 4.0, 1.0, 4.0, 4.0])
    )
    assert rising == {"late-score": 4.0, "best-score": 4.0, "score-oscillation": 0.25}
    assert restless == {"late-score": 4.0, "best-score": 4.0, "score-oscillation": 2.25}


def test_an_epochs_time_leaves_a_pause_out() -> None:
    """The mean speed of these records would be 75 images a second, and the time 13.3 s."""
    assert epoch_seconds(1_000, [100.0, 100.0, 100.0, 0.0]) == 10.0
    assert (epoch_time(10.0).value, epoch_time_ratio(10.0, 4.0).value) == (10.0, 2.5)


def distances(*values: float) -> list[Score]:
    return [Score(name="distance", value=value, error=0.1, n=10, protocol="distance") for value in values]


def test_a_collapse_is_told_from_samples_that_only_stop_being_noise() -> None:
    """All end at 0.5 or at 1: who has lost half of it, who never had more, and who began farther apart than images."""
    kept = {
        "collapsed": distance_kept(distances(0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5)).value,
        "never apart": distance_kept(distances(0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5)).value,
        "noise at first": distance_kept(distances(2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)).value,
        "one look": distance_kept(distances(0.5)).value,
    }
    assert kept == {"collapsed": 0.5, "never apart": 1.0, "noise at first": 1.0, "one look": 1.0}
    assert is_ratio("distance-kept")


def test_the_late_mean_is_a_score_of_the_same_kind_without_an_error() -> None:
    score = late(distances(9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 2.0))
    assert (score.name, score.value, score.error, score.interval) == ("late-distance", 1.5, None, None)
    assert is_ratio("late-distance")
    assert direction_of("late-alike") == LOWER


def test_the_worst_that_the_diagnosis_says_counts() -> None:
    assert collapse_told([], 10).value == 0
    assert collapse_told(["rotation", "partial-collapse"], 10).value == 0.5
    assert collapse_told(["partial-collapse", "collapse"], 10).value == 1

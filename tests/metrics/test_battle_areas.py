"""The verdict by areas: by hand, mirrored, tied with one's own copy, with an interval that covers, beside the rule."""

import numpy as np
import pytest

from agon.games import Adversarial
from agon.metrics import battle
from agon.metrics.gam.areas import AreaDuel, duel
from tests.metrics.test_battle import Halved, Line, line, phi, real

Scores = tuple[np.ndarray, np.ndarray]


def scored(rng: np.random.Generator, shifts: tuple[float, float], n: int, shared: float = 0.9) -> tuple[Scores, Scores]:
    """Two critics' realness of generated samples, N(-shift, 1), and of the same real ones, N(0, 1), which correlate."""
    common = rng.normal(size=n)
    real = [shared**0.5 * common + (1 - shared) ** 0.5 * rng.normal(size=n) for _ in shifts]
    first, second = ((rng.normal(-shift, size=n), x) for shift, x in zip(shifts, real, strict=True))
    return first, second


def test_the_areas_of_known_distributions() -> None:
    """N(0, 1) is real; N(-2, 1) and N(-1, 1) are generated; whatever the thresholds, which here are of no use."""
    far, near = line(-2.0, 50.0), line(-1.0, -50.0, slope=3.0)
    result = battle(far, near, real(), names=("far", "near"))
    assert result.areas.first.value == pytest.approx(phi(-1 / 2**0.5), abs=0.015)
    assert result.areas.second.value == pytest.approx(phi(-2 / 2**0.5), abs=0.015)
    assert result.areas.outcome == "second"
    assert "near wins: near's samples before far's critic 0.2" in str(result).splitlines()[3]


def test_the_verdicts_disagree_where_thresholds_hide_the_better_generator() -> None:
    """A tie by the paper's rule, since one critic errs on all real samples; none where both say the same."""
    far, near = line(-2.0, 1.0), line(-1.0, -1.0)
    result = battle(far, near, real(), names=("far", "near"))
    assert (result.winner, result.areas.outcome) == ("tie", "second")
    sentence = (
        "the verdicts disagree: tie by the paper's rule, near wins by areas; one critic errs more on real samples"
    )
    assert result.disagreement.startswith(sentence)
    assert result.disagreement in str(result).splitlines()
    detail = result.score().detail["areas"]
    assert (detail["verdict"], detail["disagreement"]) == ("near wins", result.disagreement)
    assert result.swapped.disagreement == result.disagreement
    agreed = battle(line(-2.0, -1.0), line(-1.0, -1.0), real())
    assert (agreed.disagreement, agreed.winner, agreed.areas.outcome) == ("", "second", "second")


def test_exchanging_sides_mirrors_exactly() -> None:
    first, second = scored(np.random.default_rng(0), (0.3, 1.0), 300)
    one, other = duel(first, second), duel(second, first)
    assert other == one.swapped
    assert (other.value, *other.interval) == (-one.value, -one.interval[1], -one.interval[0])
    assert (one.outcome, other.outcome) == ("first", "second") if one.value < 0 else ("second", "first")


def test_a_copy_of_oneself_ties() -> None:
    game = line(-1.0, -0.5)
    areas = battle(game, line(-1.0, 3.0), real()).areas
    assert (areas.value, areas.outcome) == (0.0, "tie")
    low, high = areas.interval
    assert low == -high < 0


@pytest.mark.parametrize("shift", [100.0, -100.0])
def test_complete_separation_keeps_a_width(shift: float) -> None:
    """Areas of 0 and 0, and of 1 and 1, tie without certainty; 0 and 1/2 differ."""
    both = duel(*scored(np.random.default_rng(0), (shift, shift), 50))
    assert (both.value, both.outcome) == (0.0, "tie")
    assert both.interval[1] > 0.05
    one = duel(*scored(np.random.default_rng(0), (shift, 0.0), 50))
    assert one.outcome == ("first" if shift > 0 else "second")


def coverage(seeds: range, n: int, *, paired: bool) -> float:
    """How often the interval holds the true difference."""
    truth = phi(-0.5 / 2**0.5) - phi(-1.5 / 2**0.5)
    held = 0
    for seed in seeds:
        found = duel(*scored(np.random.default_rng(seed), (0.5, 1.5), n))
        low, high = (found if paired else AreaDuel(found.first, found.second, -1.0)).interval
        held += low <= truth <= high
    return held / len(seeds)


def test_the_interval_covers_the_difference() -> None:
    """95 % of draws; with a correlation of the wrong sign nearly all, which is the negative control."""
    assert 0.92 <= coverage(range(400), 120, paired=True) <= 0.98
    assert coverage(range(400), 120, paired=False) > 0.98


def test_ranges_are_mapped() -> None:
    """The same game in another range ties."""
    game = line(-1.0, -0.5)
    halved = Adversarial(generator=Halved(), critic=Line(0.25, 2.0))
    assert battle(game, halved, real(), ranges=((-1.0, 1.0), (0.0, 1.0))).areas.outcome == "tie"

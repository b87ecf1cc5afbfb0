"""The table marks the best, and the sentence names it, with how sure that is."""

import math

import numpy as np
import pytest
import torch

from agon.arena.comparisons.sentences import verdict
from agon.arena.comparisons.table import BEST, LEVEL_WITH, Contestant, contestant, rows, table
from agon.data import Images
from agon.metrics import Score, kernel_distance
from agon.metrics.differences import Measured


def runs(name: str, **scores: tuple[float, ...] | float) -> Contestant:
    """A contestant; a pair is a value with its error, a number has none."""
    measured = {key.replace("_", "-"): Measured(*(v if isinstance(v, tuple) else (v,))) for key, v in scores.items()}
    return Contestant(name, {key: [value] for key, value in measured.items()})


def of_seeds(name: str, score: str, *values: float) -> Contestant:
    return Contestant(name, {score: [Measured(value) for value in values]})


GOOD = runs("good", pixels_kernel_distance=(0.00035, 0.0002), classes=10, mean=0.1)
BAD = runs("bad", pixels_kernel_distance=(0.13, 0.004), classes=9, mean=0.2)


def test_a_clear_difference_names_the_better() -> None:
    sentence = verdict([BAD, GOOD])
    assert sentence.startswith("good is better than bad: pixels-kernel-distance 0.00035 ± 0.0002 against 0.13 ± 0.004")
    assert "lower is better" in sentence
    assert "excludes 0" in sentence
    assert "noise of sampling only, not that of training" in sentence
    assert "--seeds 3" in sentence
    assert verdict([GOOD, BAD]) == sentence, "the order does not count"


def test_identical_runs_cannot_be_told_apart() -> None:
    assert "good and copy cannot be told apart" in verdict([GOOD, GOOD._replace(name="copy")])
    near = runs("near", pixels_kernel_distance=(0.0005, 0.0002), classes=3)
    sentence = verdict([GOOD, near])
    assert "cannot be told apart" in sentence
    assert "holds 0" in sentence
    assert "better than" not in sentence


def test_higher_is_better_where_it_is() -> None:
    """And of a score with a best value, the nearer one."""
    assert verdict([runs("a", coverage=(0.9, 0.01)), runs("b", coverage=(0.5, 0.01))]).startswith("a is better")
    assert verdict([runs("a", memorisation=(0.9, 0.01)), runs("b", memorisation=(0.45, 0.01))]).startswith("b is bet")
    even = [runs("a", memorisation=(0.4, 0.01)), runs("b", memorisation=(0.6, 0.01))]
    assert "cannot be told apart" in verdict(even), "as far from 0.5 on both sides"


def test_what_contradicts_is_said() -> None:
    one = runs("one", kid=(0.1, 0.001), recall=(0.2, 0.01), precision=(0.5, 0.1))
    other = runs("other", kid=(0.2, 0.001), recall=(0.6, 0.01), precision=(0.6, 0.1))
    sentence = verdict([one, other])
    assert sentence.startswith("one is better than other")
    assert "say the opposite: recall (0.2 ± 0.01 against 0.6 ± 0.01, higher is better)." in sentence


def test_seeds_speak_of_training() -> None:
    three, others = of_seeds("a", "fid", 1.0, 1.2, 1.1), of_seeds("b", "fid", 2.0, 2.2, 2.1)
    sentence = verdict([three, others])
    assert sentence.startswith("a is better than b: fid 1.1 [0.8516, 1.348] against 2.1 [1.852, 2.348]")
    assert "covers training and sampling: 3 seeds of a and 3 seeds of b." in sentence
    two = verdict([of_seeds("a", "fid", 1.0, 1.1), of_seeds("b", "fid", 9.0, 9.1)])
    assert "2 are few, so train more" in two
    one = verdict([three, of_seeds("b", "fid", 2.1)])
    assert "3 seeds of a and 1 seed of b, whose spread is taken from the other" in one
    wide = verdict([of_seeds("a", "fid", 1.0, 3.0), of_seeds("b", "fid", 1.5, 3.5)])
    assert "cannot be told apart" in wide


def test_a_score_without_an_error_decides_nothing_alone() -> None:
    sentence = verdict([runs("a", fid=1.0), runs("b", fid=2.0)])
    assert "a has the better fid" in sentence
    assert "--metrics kid" in sentence
    assert "is better than" not in sentence
    assert verdict([runs("a", fid=1.0, pairwise=(0.5, 0.01)), runs("b", fid=2.0, pairwise=(0.1, 0.01))]).startswith("b")


def test_of_many_the_best_is_named_and_who_is_level_with_it() -> None:
    third = runs("third", pixels_kernel_distance=(0.0004, 0.0002))
    sentence = verdict([BAD, GOOD, third])
    assert "By pixels-kernel-distance (lower is better): good 0.00035" in sentence
    assert "good is better than bad; good cannot be told apart from third" in sentence


def test_a_winner_among_equals_is_rarely_named() -> None:
    """The best is chosen by the same numbers: with k - 1 comparisons in mind, 15 of 100 sentences would name one."""
    noise = np.random.default_rng(0).normal(size=(300, 10))
    contestants = [[runs(f"c{i}", kid=(float(value), 1.0)) for i, value in enumerate(values)] for values in noise]
    assert sum(" is better than " in verdict(each) for each in contestants) <= 300 * 0.05 + 3 * (300 * 0.05) ** 0.5
    assert " is better than " in verdict([*contestants[0], runs("best", kid=(-9.0, 1.0))])


def test_seeds_that_diverged_both_ways_are_no_error() -> None:
    """The mean of both infinities is no number, and nothing that is best."""
    lost, fine = of_seeds("lost", "kid", math.inf, -math.inf), of_seeds("fine", "kid", 1.0, 2.0)
    assert "lost" not in verdict([lost, fine]).split(" is better than ")[0]
    assert any("kid" in line for line in table([lost, fine]))


def test_nothing_in_common_is_said() -> None:
    assert "no score in common" in verdict([runs("a", fid=1.0), runs("b", kid=(1.0, 0.1))])
    assert "no score in common" in verdict([runs("a", mean=1.0), runs("b", mean=2.0)])
    assert verdict([GOOD]) == ""


def test_the_best_of_each_row_is_marked() -> None:
    near = runs("near", pixels_kernel_distance=(0.0005, 0.0002), classes=10)
    marks = {row.name: [cell.mark for cell in row.cells] for row in rows([BAD, GOOD, near])}
    assert marks == {
        "pixels-kernel-distance": ["", BEST, LEVEL_WITH],
        "classes": ["", BEST, BEST],
        "mean": ["", "", ""],
    }
    lines = table([BAD, GOOD, near])
    assert lines[0].split() == ["score", "bad", "good", "near"]
    assert lines[1].startswith("pixels-kernel-distance ↓")
    assert lines[-1].startswith("↑ higher is better, ↓ lower is better")
    assert table([Contestant("none", {})]) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_shown_and_never_best(value: float) -> None:
    broken = runs("broken", kid=(value, 0.1))
    assert [cell.mark for cell in rows([broken, runs("a", kid=(2.0, 0.1))])[0].cells] == ["", ""]
    assert "no score in common" in verdict([broken, runs("a", kid=(2.0, 0.1))])


def test_real_images_and_noisy_ones_on_the_pixels_of_digits() -> None:
    """Measured, not made up: two halves of the data are level, a half with noise is worse."""
    images = Images().take(1_600, split="train").real
    pixels = images.flatten(1).double()
    noise = torch.randn(400, 64, generator=torch.Generator().manual_seed(0))
    noisy = pixels[800:1200] + 2 * pixels.std() * noise

    def measured(name: str, fake: torch.Tensor) -> Contestant:
        score: Score = kernel_distance(pixels[:800], fake, subsets=20, size=400)
        return contestant(name, [[score]])

    one, other, worse = (
        measured(*pair) for pair in (("one", pixels[800:1200]), ("other", pixels[1200:1600]), ("noisy", noisy))
    )
    assert "one and other cannot be told apart" in verdict([one, other]) or "other and one" in verdict([one, other])
    assert verdict([worse, one]).startswith("one is better than noisy")

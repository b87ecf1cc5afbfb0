"""What speaks against an order: generators above real data or below untrained ones, and critics that know all."""

from dataclasses import replace

import numpy as np
import pytest

from agon.arena import AreaMatrix, rate
from agon.arena.ratings.cautions import cautions
from agon.arena.tournaments.standings import TournamentResult
from agon.reports.tournaments.words import verdicts

NAMES = ("a", "b", "untrained", "real")


def result(strengths: tuple[float, ...], critics: tuple[float, ...] = (1.0, 1.5)) -> TournamentResult:
    """A tournament whose areas are the logistic function of a generator's strength less a critic's."""
    areas = 1 / (1 + np.exp(np.array(critics) - np.array(strengths)[:, None]))
    matrix = AreaMatrix(
        generators=NAMES,
        critics=NAMES[: len(critics)],
        contestants={name: name for name in NAMES},
        areas=areas,
        errors=np.full_like(areas, 0.01),
        n=500,
        n_real=500,
    )
    places = {name: "" if name == "real" else f"/runs/{name}" for name in NAMES}
    return TournamentResult(matrix=matrix, ratings=rate(matrix, references=("untrained", "real")), places=places)


def test_an_order_with_real_data_on_top_and_untrained_ones_below_is_trusted() -> None:
    trusted = result((0.0, -0.5, -3.0, 1.3))
    assert trusted.cautions == []
    assert not str(trusted).startswith("caution")


def test_a_generator_above_real_data_is_named_first() -> None:
    odd = result((3.0, -0.5, -3.0, 1.3))
    assert odd.lines[0].startswith("caution: do not trust this order: a is rated above real data;")
    assert verdicts(odd)[0].startswith("Do not trust this order: a is rated above real data;")


def test_a_generator_below_an_untrained_one_is_named() -> None:
    assert result((0.0, -5.0, -3.0, 1.3)).cautions == ["b is rated below a generator that was never trained"]


def test_critics_that_recognise_everything_are_named() -> None:
    (said,) = result((-8.0, -8.5, -12.0, 6.5), critics=(1.0, 6.0)).cautions
    assert said.startswith("100 % of the areas are below 0.01: the critics recognise nearly all samples")


@pytest.mark.parametrize("strength", [3.0, -9.0])
def test_without_references_nothing_is_said_of_them(strength: float) -> None:
    odd = result((strength, -0.5, -3.0, 1.3))
    assert cautions(odd.matrix, odd.ratings, None, None) == []


def test_contestants_that_were_not_trained_equally_long_are_told() -> None:
    """Seeds count together, and who has no steps, such as a folder of samples, counts for nothing."""
    known = result((1.0, 0.0, -3.0, 1.3))
    a, b = list(known.matrix.generators)[:2]
    assert replace(known, steps={a: 400, b: 400}).cautions == []
    assert replace(known, steps={a: 400}).cautions == []
    (said,) = replace(known, steps={a: 400, b: 100}).cautions
    assert said.startswith(f"budgets differ: {a} was trained for 400 steps, {b} for 100;")
    assert TournamentResult.of_plain(replace(known, steps={a: 400}).plain()).steps == {a: 400}

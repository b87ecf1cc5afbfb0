"""Panels of S x S trainings: mirrored exactly, tied with a copy, covering, with the seeds that would decide them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from agon.arena.ratings.cycles import cycles
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.panels import Panel, panel, panels
from agon.arena.ratings.rating import rate
from agon.arena.ratings.twoway import half_width, seeds_needed, spreads
from agon.errors import DataError
from tests.arena.leagues import League, league, of_areas


def duel(rng: np.random.Generator, seeds: int, effect: float, noise: float = 0.5, odd: float = 0.2) -> League:
    """Two contestants, of which c0 beats c1 by this effect."""
    one = league(rng, 2, seeds, spread=0.0, noise=noise, odd=odd)
    seen = np.clip(one.matrix.areas, 1e-6, 1 - 1e-6)
    logits = np.log(seen / (1 - seen))
    first = np.repeat([1.0, 0.0], seeds) * effect
    areas = 1 / (1 + np.exp(-(logits + first[:, None] / 2 - first / 2)))
    return one._replace(matrix=of_areas(areas, list(one.matrix.generators), 1_000))


def test_the_effect_is_the_mean_over_pairs() -> None:
    matrix = league(np.random.default_rng(0), 3, 2).matrix
    logit = np.log(matrix.areas / (1 - matrix.areas))
    by_hand = [logit[s, t] - logit[t, s] for s in (0, 1) for t in (4, 5)]
    found = panel(matrix, "c0", "c2")
    assert found.effect == pytest.approx(np.mean(by_hand), abs=1e-12)
    assert (found.seeds, found.covers) == ((2, 2), "seeds")
    assert Panel.of_plain(json.loads(json.dumps(found.plain()))) == found


def test_exchanging_sides_mirrors_a_panel_exactly() -> None:
    rng = np.random.default_rng(1)
    for seeds in (1, 3, 5):
        matrix = league(rng, 3, seeds).matrix
        for first, second in (("c0", "c1"), ("c2", "c1"), ("c0", "c2")):
            one, other = panel(matrix, first, second), panel(matrix, second, first)
            assert one == other.mirrored()
            assert (one.better, one.needed) == (other.better, other.needed)


def test_a_contestant_ties_with_its_copy() -> None:
    matrix = league(np.random.default_rng(2), 2, 3, home=0.0).matrix
    index = np.array([0, 1, 2, 0, 1, 2])
    tied = panel(of_areas(matrix.areas[np.ix_(index, index)], list(matrix.generators), 1_000), "c0", "c1")
    assert (tied.effect, tied.better, tied.needed) == (0.0, None, None)
    assert "c0 and c1 cannot be told apart" in tied.sentence()


def test_the_sentence_names_the_better_and_what_would_decide() -> None:
    rng = np.random.default_rng(3)
    clear = panel(duel(rng, 4, 5.0).matrix, "c1", "c0")
    assert clear.sentence().startswith("c0 is better than c1: its generators fool")
    assert "over 4 x 4 trainings" in clear.sentence()
    near = panel(duel(rng, 3, 0.7).matrix, "c0", "c1")
    assert not near.decided
    assert near.needed is not None
    assert f"about {near.needed} seeds of each would decide it" in near.sentence()
    single = panel(duel(rng, 1, 0.0).matrix, "c0", "c1")
    assert single.covers == "samples"
    assert "for these two trainings only" in single.sentence()


def test_one_training_takes_its_spread_from_the_other_side() -> None:
    matrix = league(np.random.default_rng(4), 2, 4).matrix
    kept = [0, 4, 5, 6, 7]
    few = of_areas(matrix.areas[np.ix_(kept, kept)], [matrix.generators[index] for index in kept], 1_000)
    found = panel(few, "c0", "c1")
    assert (found.seeds, found.covers) == ((1, 4), "seeds")
    assert "taken from the other side" in found.sentence()
    assert panel(few, "c1", "c0") == found.mirrored()


def test_what_cannot_fight_is_refused_with_a_sentence() -> None:
    matrix = league(np.random.default_rng(5), 3, 2).matrix
    samples = replace(matrix, critics=matrix.critics[2:], areas=matrix.areas[:, 2:], errors=matrix.errors[:, 2:])
    with pytest.raises(DataError, match="expected generators and critics of both, c0 lacks one"):
        panel(samples, "c0", "c1")
    assert [(found.first, found.second) for found in panels(samples)] == [("c1", "c2")]
    areas = matrix.areas.copy()
    areas[0, 2] = np.nan
    with pytest.raises(DataError, match="expected all 8 meetings, 1 are missing"):
        panel(replace(matrix, areas=areas), "c0", "c1")
    with pytest.raises(DataError, match="got one twice"):
        panel(matrix, "c1", "c1")


def test_the_variance_is_the_two_way_bootstraps_made_unbiased() -> None:
    """Draw rows and columns anew, many times: the parts of that variance, each with its factor for few, are V's."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(4, 1)) + rng.normal(size=(1, 3)) + rng.normal(size=(4, 3)) / 2
    rows, columns = rng.integers(0, 4, (200_000, 4)), rng.integers(0, 3, (200_000, 3))
    (of_rows, of_columns), rest = spreads(x)
    parts = of_rows + rest / 3, of_columns + rest / 4, rest  # s² of row means, of column means, of the rest
    closed = parts[0] / 4 * 3 / 4 + parts[1] / 3 * 2 / 3 + rest * 3 * 2 / (4 * 3) ** 2
    drawn = sum(x[rows[:, s], columns[:, t]] for s in range(4) for t in range(3)) / 12
    assert drawn.var() == pytest.approx(closed, rel=0.02)


def percentiles(x: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """The plain two-way bootstrap's interval."""
    rows, columns = (rng.integers(0, size, (400, size)) for size in x.shape)
    low, high = np.quantile(x[rows[:, :, None], columns[:, None]].mean((1, 2)), (0.025, 0.975))
    return float(low), float(high)


def covering(
    rng: np.random.Generator, shape: tuple[int, int], sizes: tuple[float, float, float], draws: int
) -> dict[str, float]:
    """Shares of tables with mean 0 of rows, columns and cells of these sizes whose interval holds 0."""
    held: dict[str, list[bool]] = {"interval": [], "percentiles": []}
    for _ in range(draws):
        parts = (rng.normal(size=of) for of in ((shape[0], 1), (1, shape[1]), shape))
        x = sum(size * part for size, part in zip(sizes, parts, strict=True))
        held["interval"].append(abs(float(x.mean())) <= half_width(x))
        low, high = percentiles(x, rng)
        held["percentiles"].append(low <= 0 <= high)
    return {name: float(np.mean(of)) for name, of in held.items()}


def test_the_interval_covers_and_plain_percentiles_do_not() -> None:
    shares = covering(np.random.default_rng(7), (3, 3), (1.0, 0.7, 0.3), 600)
    assert 0.92 <= shares["interval"] <= 0.98
    assert shares["percentiles"] < 0.88


def decided(
    rng: np.random.Generator, seeds: int, effect: float, draws: int, noise: float = 0.5, odd: float = 0.2
) -> float:
    """Share of panels that are decided for c0."""
    some = [panel(duel(rng, seeds, effect, noise, odd).matrix, "c0", "c1") for _ in range(draws)]
    return float(np.mean([one.better == "c0" for one in some]))


def expected(effect: float, noise: float = 0.5, odd: float = 0.2) -> int:
    """The seeds needed by the planted effect and spreads of `duel`.

    A training's part of x: its own g and d, and what it has with the other contestant as generator and as critic; the
    rest: two meetings.
    """
    spread = 2 * noise**2 + 2 * odd**2
    found = seeds_needed(effect, (spread, spread), 2 * odd**2)
    assert found is not None
    return found


def test_the_seeds_needed_decide_an_even_share() -> None:
    rng, effect = np.random.default_rng(8), 0.9
    needed = expected(effect)
    assert 5 <= needed <= 15
    assert decided(rng, round(needed / 1.5), effect, 150) < 0.5 < decided(rng, round(needed * 1.5), effect, 150)


def test_panels_tell_the_seeds_needed() -> None:
    """In the middle, over panels of 5 seeds; a decided one needs no more than its 5."""
    rng, effect = np.random.default_rng(9), 0.6
    told = [panel(duel(rng, 5, effect).matrix, "c0", "c1") for _ in range(200)]
    middle = np.median([found.needed or (5 if found.decided else np.inf) for found in told])
    assert expected(effect) / 1.5 <= middle <= expected(effect) * 1.5


def circle(rng: np.random.Generator, size: float, seeds: int = 3) -> AreaMatrix:
    """Rock, paper and scissors, and one that all beat."""
    of = np.repeat(np.arange(4), seeds)
    wins = np.zeros((4, 4))
    for winner, loser in ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)):
        wins[winner, loser], wins[loser, winner] = size, -size
    logits = wins[np.ix_(of, of)] + rng.normal(0, 0.3, (len(of), 1)) + rng.normal(0, 0.3, (len(of), len(of)))
    names = [f"{('rock', 'paper', 'scissors', 'last')[c]}-{seed}" for c in range(4) for seed in range(seeds)]
    return of_areas(1 / (1 + np.exp(-logits)), names, 1_000)


def test_a_circle_is_shown_and_noise_is_not() -> None:
    rng = np.random.default_rng(10)
    ratings = rate(circle(rng, 1.5))
    assert ratings.cycles == (("paper", "scissors", "rock"),)
    assert ratings.unexplained > 0.3
    assert rate(circle(rng, 0.0)).cycles == ()
    shown = [cycles(panels(league(rng, 5, 3, spread=0.0).matrix)) for _ in range(30)]
    assert not any(shown)


@pytest.mark.evidence
@pytest.mark.parametrize("sizes", [(1.0, 1.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.25, 0.2), (0.1, 0.1, 1.0)])
@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (3, 8), (4, 4), (5, 5), (8, 8)])
def test_the_interval_covers_everywhere(shape: tuple[int, int], sizes: tuple[float, float, float]) -> None:
    shares = covering(np.random.default_rng(11), shape, sizes, 3_000)
    print(
        "\n|", " | ".join((f"{shape[0]} x {shape[1]}", str(sizes), *(f"{share:.3f}" for share in shares.values()))), "|"
    )
    assert 0.92 <= shares["interval"] <= 0.98


@pytest.mark.evidence
@pytest.mark.parametrize(("noise", "odd"), [(0.5, 0.2), (0.3, 0.4)])
@pytest.mark.parametrize("effect", [0.6, 0.8, 1.2])
def test_the_seeds_needed_are_right_within_half(effect: float, noise: float, odd: float) -> None:
    """The least number of seeds of which half the panels are decided, against what is told by panels of 3, 5 and 8."""
    rng, planted = np.random.default_rng(12), expected(effect, noise, odd)
    shares = {seeds: decided(rng, seeds, effect, 400, noise, odd) for seeds in range(2, 2 * planted)}
    found = min(seeds for seeds, share in shares.items() if share >= 0.5)
    told = {}
    for seeds in (3, 5, 8):
        some = [panel(duel(rng, seeds, effect, noise, odd).matrix, "c0", "c1") for _ in range(400)]
        told[seeds] = float(np.median([one.needed or (seeds if one.decided else np.inf) for one in some]))
    print("\n|", " | ".join(map(str, (effect, noise, odd, planted, found, *told.values()))), "|")
    assert found / 1.5 <= planted <= found * 1.5
    for seeds, number in told.items():
        assert found / 1.5 <= number <= max(found * 1.5, seeds)

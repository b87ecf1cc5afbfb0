"""On simulated leagues the intervals of ratings hold the truth, and the planted order is found again."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.special import ndtr

from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import rate
from agon.metrics.auroc import auroc
from tests.arena.leagues import League, league, of_areas


def coverage(leagues: list[League]) -> dict[str, float]:
    """Share of intervals that hold the truth, of generators and of critics."""
    held: dict[str, list[bool]] = {"generator": [], "critic": []}
    for one in leagues:
        ratings = rate(one.matrix)
        for rating in (*ratings.generators, *ratings.critics):
            assert rating.interval is not None
            low, high = rating.interval
            held[rating.role].append(low <= one.truth(rating.name, rating.role) <= high)
    return {role: float(np.mean(of)) for role, of in held.items()}


@pytest.mark.parametrize(("contestants", "seeds", "draws"), [(4, 3, 80), (8, 4, 30), (20, 3, 8)])
def test_intervals_hold_the_truth(contestants: int, seeds: int, draws: int) -> None:
    rng = np.random.default_rng(contestants)
    for share in coverage([league(rng, contestants, seeds, uneven=0.5) for _ in range(draws)]).values():
        assert 0.92 <= share <= 0.98


def test_intervals_by_samples_alone_do_not() -> None:
    """The negative control: one seed of each, whose interval says that it covers samples."""
    rng = np.random.default_rng(0)
    leagues = [league(rng, 6, 1) for _ in range(40)]
    assert all(rating.covers == "samples" for rating in rate(leagues[0].matrix).generators)
    assert max(coverage(leagues).values()) < 0.5


def scored(means: np.ndarray, n: int, rng: np.random.Generator) -> AreaMatrix:
    """The matrix of normal scores: critics judge the same samples and the same real ones, and agree by half."""
    samples, real = rng.normal(size=(len(means), n)), rng.normal(size=n)
    areas, errors = np.empty_like(means), np.empty_like(means)
    for j in range(len(means)):
        of_real = (real + rng.normal(size=n)) / np.sqrt(2)
        for i in range(len(means)):
            area = auroc(means[i, j] + (samples[i] + rng.normal(size=n)) / np.sqrt(2), of_real)
            areas[i, j], errors[i, j] = area.value, area.error
    return replace(of_areas(areas, [f"c{index}" for index in range(len(means))], n), errors=errors)


def test_intervals_by_samples_hold_what_more_samples_of_the_same_trainings_give() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(12):
        means = rng.normal(0, 0.6, (4, 1)) - rng.normal(0.6, 0.6, 4) + rng.normal(0, 0.1, (4, 4))
        ratings = rate(scored(means, 300, rng))
        exact = rate(of_areas(ndtr(means / np.sqrt(2)), [f"c{index}" for index in range(4)], 300))
        for few, all_of_them in ((ratings.generators, exact.generators), (ratings.critics, exact.critics)):
            values = {rating.name: rating.value for rating in all_of_them}
            held += [
                rating.interval[0] <= values[rating.name] <= rating.interval[1] for rating in few if rating.interval
            ]
    assert len(held) == 12 * 8
    assert np.mean(held) >= 0.95


def test_a_planted_order_is_found_again() -> None:
    """Contestants one logit apart, seeds a third of that."""
    rng = np.random.default_rng(1)
    for contestants, seeds in ((4, 3), (8, 5), (20, 3)):
        one = league(rng, contestants, seeds, noise=0.2, steps=1.0)
        ratings = rate(one.matrix)
        best_first = [f"c{index}" for index in np.argsort(-one.g)]
        assert [rating.name for rating in ratings.generators] == best_first


def wrong(one: League) -> list[bool]:
    """Of the pairs whose intervals are apart, whether they are in the wrong order."""
    pairs = combinations(rate(one.matrix).generators, 2)
    apart = [(best, worst) for best, worst in pairs if best.interval[0] > worst.interval[1]]
    return [one.truth(best.name, "generator") < one.truth(worst.name, "generator") for best, worst in apart]


def test_intervals_that_are_apart_are_in_order() -> None:
    rng = np.random.default_rng(2)
    mistakes = [mistake for _ in range(20) for mistake in wrong(league(rng, 8, 4))]
    assert len(mistakes) > 100
    assert np.mean(mistakes) < 0.02


@pytest.mark.evidence
@pytest.mark.parametrize("uneven", [0.0, 0.7])
@pytest.mark.parametrize("seeds", [3, 4, 5, 8])
@pytest.mark.parametrize(("contestants", "draws"), [(4, 400), (8, 150), (12, 100), (20, 60)])
def test_intervals_hold_the_truth_in_every_league(contestants: int, draws: int, seeds: int, uneven: float) -> None:
    rng = np.random.default_rng((contestants, seeds, int(10 * uneven)))
    leagues = [league(rng, contestants, seeds, uneven=uneven) for _ in range(draws)]
    shares = coverage(leagues)
    alone = coverage([league(rng, contestants, 1, uneven=uneven) for _ in range(draws)])
    row = (contestants, seeds, uneven, *(f"{share:.3f}" for share in (*shares.values(), alone["generator"])))
    print("\n|", " | ".join(map(str, row)), "|")
    assert all(0.92 <= share <= 0.98 for share in shares.values())
    assert max(alone.values()) < 0.6

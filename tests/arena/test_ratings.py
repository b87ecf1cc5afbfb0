"""Ratings: exact on exact matrices, the same in any order, finite at 0 and 1, and refused where parts never met."""

from dataclasses import replace

import choix
import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from agon.arena.ratings.fitting import PRIOR, fit
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.meetings import meetings
from agon.arena.ratings.rating import Rating, Ratings, rate, rating_difference
from agon.errors import DataError
from tests.arena.leagues import league, of_areas


def by_name(ratings: tuple[Rating, ...]) -> dict[str, Rating]:
    return {rating.name: rating for rating in ratings}


def exact(g: list[float], d: list[float], home: float, n: int = 10**8) -> AreaMatrix:
    """The matrix of the model without any noise; one seed each."""
    logits = np.subtract.outer(g, d) + home * np.eye(len(g))
    return of_areas(1 / (1 + np.exp(-logits)), [f"c{index}-0" for index in range(len(g))], n)


def test_an_exact_matrix_gives_back_what_it_was_made_of() -> None:
    g, d = [1.0, -0.5, 0.0, 2.0], [0.5, 1.5, 2.0, 1.0]
    ratings = rate(exact(g, d, home=-0.8))
    mean = float(np.mean(g))
    for of, values in ((ratings.generators, g), (ratings.critics, d)):
        assert [of_one.value for of_one in of] == sorted((of_one.value for of_one in of), reverse=True)
        for name, rating in by_name(of).items():
            assert rating.value == pytest.approx(values[int(name[1:])] - mean, abs=1e-6)
    assert ratings.home == pytest.approx(-0.8, abs=1e-6)
    assert ratings.unexplained < 1e-9
    assert Ratings.of_plain(ratings.plain()) == ratings


def test_a_league_of_rocks_and_papers_is_left_unexplained() -> None:
    """a_ij of three that beat each other in a circle: no rating says anything of it."""
    logits = np.array([[0.0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    ratings = rate(of_areas(1 / (1 + np.exp(-logits)), ["a-0", "b-0", "c-0"], 10_000))
    assert ratings.unexplained > 0.99
    assert [rating.value for rating in ratings.generators] == pytest.approx([0.0] * 3, abs=1e-9)


def test_noise_of_samples_alone_is_not_unexplained() -> None:
    rng = np.random.default_rng(0)
    shares = [rate(league(rng, 5, 3, odd=0.0, n=200).matrix).unexplained for _ in range(20)]
    assert np.mean(shares) < 0.02


def permuted(matrix: AreaMatrix, rng: np.random.Generator) -> AreaMatrix:
    rows, columns = rng.permutation(len(matrix.generators)), rng.permutation(len(matrix.critics))
    order = list(matrix.contestants)
    rng.shuffle(order)
    return replace(
        matrix,
        generators=tuple(matrix.generators[row] for row in rows),
        critics=tuple(matrix.critics[column] for column in columns),
        contestants={name: matrix.contestants[name] for name in order},
        areas=matrix.areas[np.ix_(rows, columns)],
        errors=matrix.errors[np.ix_(rows, columns)],
    )


def test_the_order_of_entrants_does_not_count() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        matrix = league(rng, 5, 3, odd=0.5).matrix
        one, other = rate(matrix), rate(permuted(matrix, rng))
        for of_one, of_other in ((one.generators, other.generators), (one.critics, other.critics)):
            assert [rating.name for rating in of_one] == [rating.name for rating in of_other]
            for first, second in zip(of_one, of_other, strict=True):
                assert first.value == pytest.approx(second.value, abs=1e-10)
                assert first.interval == pytest.approx(second.interval, abs=1e-9)
        assert (one.home, one.unexplained) == pytest.approx((other.home, other.unexplained), abs=1e-10)
        assert one.cycles == other.cycles


def test_exchanging_generators_and_critics_exchanges_their_ratings() -> None:
    """1 - a_ji: being fooled becomes fooling, so that g and d change places and home its sign."""
    matrix = league(np.random.default_rng(12), 4, 3, odd=0.4).matrix
    one, other = rate(matrix), rate(replace(matrix, areas=1 - matrix.areas.T, errors=matrix.errors.T))
    for ours, theirs in ((one.critics, other.generators), (one.generators, other.critics)):
        apart = {rating.value - by_name(theirs)[rating.name].value for rating in ours}
        assert max(apart) - min(apart) < 1e-9
    assert other.home == pytest.approx(-one.home, abs=1e-9)
    assert other.unexplained == pytest.approx(one.unexplained, abs=1e-9)


def test_a_contestant_ties_with_its_copy() -> None:
    """Rows and columns of c1 are those of c0."""
    matrix = league(np.random.default_rng(2), 4, 3, home=0.0).matrix
    areas, index = matrix.areas, np.array([0, 1, 2, 0, 1, 2, *range(6, 12)])
    ratings = rate(of_areas(areas[np.ix_(index, index)], list(matrix.generators), 1_000))
    for of in (ratings.generators, ratings.critics):
        assert by_name(of)["c0"].value == pytest.approx(by_name(of)["c1"].value, abs=1e-9)


def test_areas_of_0_and_1_give_finite_ratings_in_order() -> None:
    areas = np.array([[0.5, 1.0, 1.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.5]])
    ratings = rate(of_areas(areas, ["a-0", "b-0", "c-0"], 1_000))
    assert [rating.name for rating in ratings.generators] == ["a", "b", "c"]
    for rating in (*ratings.generators, *ratings.critics):
        assert rating.interval is not None
        assert np.isfinite([rating.value, *rating.interval]).all()
        assert abs(rating.value) < 20
    nothing = rate(of_areas(np.zeros((3, 3)), ["a-0", "b-0", "c-0"], 1_000))
    assert [rating.value for rating in nothing.generators] == pytest.approx([0.0] * 3, abs=1e-9)


def without(matrix: AreaMatrix, *cells: tuple[slice, slice]) -> AreaMatrix:
    """The matrix without these meetings."""
    areas, errors = matrix.areas.copy(), matrix.errors.copy()
    for cell in cells:
        areas[cell] = errors[cell] = np.nan
    return replace(matrix, areas=areas, errors=errors)


def test_parts_that_never_met_are_named() -> None:
    matrix = league(np.random.default_rng(3), 4, 2).matrix
    apart = without(matrix, (slice(0, 4), slice(4, 8)), (slice(4, 8), slice(0, 4)))
    with pytest.raises(
        DataError, match=r"c0-0's generator, c0-1's generator.* never met c2-0's generator.*rate them apart"
    ):
        rate(apart)
    lonely = without(matrix, (slice(0, 1), slice(0, 8)))
    with pytest.raises(DataError, match="never met c0-0's generator"):
        rate(lonely, references=["c0-0"])
    bridged = without(matrix, (slice(0, 4), slice(4, 8)), (slice(4, 8), slice(1, 4)))
    assert len(rate(bridged).generators) == 4
    with pytest.raises(DataError, match="from 0 to 1"):
        rate(replace(matrix, areas=matrix.areas * 2))


def test_missing_meetings_change_no_exact_rating() -> None:
    g, d = [1.0, -0.5, 0.0, 2.0], [0.5, 1.5, 2.0, 1.0]
    whole = exact(g, d, home=-0.8)
    holed = without(whole, (slice(0, 1), slice(2, 4)), (slice(3, 4), slice(1, 2)))
    one, other = rate(whole), rate(holed)
    for name, rating in by_name(one.generators).items():
        assert by_name(other.generators)[name].value == pytest.approx(rating.value, abs=1e-5)


def test_some_only_generate_and_some_only_judge() -> None:
    matrix = league(np.random.default_rng(4), 5, 3).matrix
    half = replace(
        matrix,
        generators=matrix.generators[:12],
        critics=matrix.critics[3:],
        areas=matrix.areas[:12, 3:],
        errors=matrix.errors[:12, 3:],
    )
    ratings = rate(half)
    assert set(by_name(ratings.generators)) == {"c0", "c1", "c2", "c3"}
    assert set(by_name(ratings.critics)) == {"c1", "c2", "c3", "c4"}
    assert np.mean([rating.value for rating in ratings.generators]) == pytest.approx(0, abs=1e-12)
    assert all(rating.interval is not None for rating in (*ratings.generators, *ratings.critics))


def test_references_are_rated_and_change_no_other_rating() -> None:
    """Real data gets 0.5 from every critic: counted as a contestant it would make good critics look alike."""
    matrix = league(np.random.default_rng(9), 4, 3).matrix
    rows = np.vstack([matrix.areas, np.full((1, 12), 0.5), np.zeros((1, 12))])
    more = replace(
        matrix,
        generators=(*matrix.generators, "real", "untrained"),
        areas=rows,
        errors=np.sqrt(rows * (1 - rows) / 1_000),
    )
    without, with_both = rate(matrix), rate(more, references=("real", "untrained", "absent"))
    names = [rating.name for rating in with_both.generators]
    assert (names[0], names[-1]) == ("real", "untrained")
    kept = tuple(rating for rating in with_both.generators if rating.name not in ("real", "untrained"))
    for one, other in zip((*without.generators, *without.critics), (*kept, *with_both.critics), strict=True):
        assert one.name == other.name
        assert (one.value, *one.interval) == pytest.approx((other.value, *other.interval), abs=1e-10)
    assert (without.home, without.unexplained) == pytest.approx((with_both.home, with_both.unexplained), abs=1e-12)
    assert rate(more).unexplained != pytest.approx(without.unexplained, rel=0.5), "as contestants they change it"
    critics = [rating.value for rating in with_both.critics]
    assert with_both.generators[0].value == pytest.approx(np.mean(critics), abs=0.05)
    assert with_both.generators[0].interval is not None


def test_a_reference_is_rated_as_a_contestant_is() -> None:
    """On an exact matrix the two are the same; so are generators that no critic takes for real."""
    matrix = exact([1.0, -0.5, 0.0, 2.0], [0.5, 1.5, 2.0, 1.0], home=0.0)
    one, other = rate(matrix), rate(matrix, references=["c3-0"])
    apart = {
        name: by_name(other.generators)[name].value - rating.value for name, rating in by_name(one.generators).items()
    }
    assert list(apart.values()) == pytest.approx([apart["c0"]] * 4, abs=1e-5)
    poor = league(np.random.default_rng(11), 4, 3).matrix
    rows = np.vstack([poor.areas, np.zeros((2, 12))])
    poor = replace(poor, generators=(*poor.generators, "x", "y"), areas=rows, errors=np.sqrt(rows * (1 - rows) / 1_000))
    ratings = by_name(rate(poor, references=["y"]).generators)
    assert ratings["y"].value == pytest.approx(ratings["x"].value, abs=1e-6)


def test_references_alone_are_contestants() -> None:
    matrix = league(np.random.default_rng(9), 3, 2).matrix
    assert rate(matrix, references=matrix.generators) == rate(matrix)


def test_a_seed_without_a_generator_takes_no_rating_away() -> None:
    matrix = league(np.random.default_rng(10), 3, 2).matrix
    rows = [0, 2, 3, 4, 5]
    fewer = replace(
        matrix,
        generators=tuple(matrix.generators[row] for row in rows),
        areas=matrix.areas[rows],
        errors=matrix.errors[rows],
    )
    ratings = by_name(rate(fewer).generators)
    assert {name: rating.seeds for name, rating in ratings.items()} == {"c0": 1, "c1": 2, "c2": 2}
    assert all(rating.interval is not None for rating in ratings.values())


def test_one_seed_says_that_its_interval_covers_samples_only() -> None:
    matrix = league(np.random.default_rng(5), 4, 3).matrix
    kept = [0, 1, 2, 3, 4, 5, 6, 9]
    mixed = of_areas(matrix.areas[np.ix_(kept, kept)], [matrix.generators[index] for index in kept], 1_000)
    ratings = by_name(rate(mixed).generators)
    assert {name: (rating.seeds, rating.covers) for name, rating in ratings.items()} == {
        "c0": (3, "seeds"),
        "c1": (3, "seeds"),
        "c2": (1, "samples"),
        "c3": (1, "samples"),
    }


def test_without_interaction_it_is_a_logistic_regression() -> None:
    """Fitted anew by scikit-learn: each meeting as wins and losses, g, d and home as a design matrix."""
    met = meetings(league(np.random.default_rng(6), 4, 2, odd=0.3).matrix)
    rows, columns = met.sizes.shape
    i, j = (index.ravel() for index in np.indices(met.sizes.shape))
    design = np.zeros((rows * columns, rows + columns + 1))
    design[np.arange(len(i)), i], design[np.arange(len(i)), rows + j] = 1, -1
    design[:, -1] = i == j
    wins, sizes = met.areas.ravel(), met.sizes.ravel()
    model = LogisticRegression(C=PRIOR**2, fit_intercept=False, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
    outcomes = np.repeat([1, 0], len(wins))
    model.fit(np.vstack([design, design]), outcomes, sample_weight=np.concatenate([sizes * wins, sizes * (1 - wins)]))
    assert fit(met, variance=0.0).coefficients == pytest.approx(model.coef_[0], abs=1e-6)


def test_away_from_home_it_is_the_bradley_terry_model_of_choix() -> None:
    """Each meeting as 200 games that the generator or the critic wins; choix penalises alpha |θ|²."""
    rng = np.random.default_rng(8)
    wins = rng.binomial(200, 0.3, (4, 4))
    areas = np.where(np.eye(4, dtype=bool), np.nan, wins / 200)
    met = meetings(of_areas(areas, [f"c{index}" for index in range(4)], 200))
    games = [
        pair
        for i, j in np.argwhere(met.met).tolist()
        for pair in [(i, 4 + j)] * wins[i, j] + [(4 + j, i)] * (200 - wins[i, j])
    ]
    strengths = choix.opt_pairwise(8, games, alpha=0.5 / PRIOR**2, tol=1e-10)
    assert fit(met, variance=0.0).coefficients[:-1] == pytest.approx(strengths, abs=1e-5)


def test_with_interaction_it_is_the_maximum_of_the_joint_likelihood() -> None:
    """Maximised anew by BFGS over g, d, home and the logit of every meeting at once."""
    met = meetings(league(np.random.default_rng(7), 3, 1, odd=0.5, n=200).matrix)
    variance = 0.3

    def loss(values: np.ndarray) -> float:
        g, d, home, u = values[:3], values[3:6], values[6], values[7:].reshape(3, 3)
        eta = np.subtract.outer(g, d) + home * np.eye(3)
        p = 1 / (1 + np.exp(-u))
        likelihood = (met.sizes * (met.areas * np.log(p) + (1 - met.areas) * np.log(1 - p))).sum()
        return float(-likelihood + ((u - eta) ** 2).sum() / 2 / variance + (values[:7] ** 2).sum() / 2 / PRIOR**2)

    found = minimize(loss, np.zeros(16), method="BFGS", options={"gtol": 1e-7, "maxiter": 10_000})
    assert fit(met, variance=variance).coefficients == pytest.approx(found.x[:7], abs=2e-4)


def test_the_difference_of_two_ratings_has_the_noise_of_both() -> None:
    """Both are measured from one mean, so that of two the difference is twice either, and so is its interval."""
    two = of_areas(np.array([[0.3, 0.4], [0.5, 0.6]]), ["a-0", "b-0"], 200)
    value, half = rating_difference(two, "b", "a")
    rating = by_name(rate(two).generators)["b"]
    assert rating.interval is not None
    assert value == pytest.approx(2 * rating.value)
    assert half == pytest.approx(rating.interval[1] - rating.interval[0])
    assert rating_difference(two, "a", "b") == pytest.approx((-value, half))


def test_few_samples_of_one_generator_leave_its_rating_wide() -> None:
    """Its areas of 1 are those of two samples, whatever the others have."""
    many = of_areas(np.array([[0.3, 0.4], [1.0, 1.0]]), ["a-0", "b-0"], 1_000)
    few = AreaMatrix.of_plain({**many.plain(), "samples": {"b-0": 2}})
    assert few.sizes.tolist() == [1_000, 2]
    assert AreaMatrix.of_plain(few.plain()).samples == {"b-0": 2}
    assert meetings(few).sizes[1].max() == 2
    assert meetings(few).sizes[0].tolist() == meetings(many).sizes[0].tolist()

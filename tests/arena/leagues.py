"""Simulated leagues: contestants with known ratings, whose seeds differ, seen through samples."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from agon.arena.ratings.matrix import AreaMatrix


class League(NamedTuple):
    """A matrix of areas and what it was made of: the contestants' true g and d, by number."""

    matrix: AreaMatrix
    g: Float64[np.ndarray, " m"]
    d: Float64[np.ndarray, " m"]

    def truth(self, name: str, role: str) -> float:
        """The true rating, on the scale of the ratings: the mean of all g is 0."""
        return float((self.g if role == "generator" else self.d)[int(name[1:])] - self.g.mean())


def league(
    rng: np.random.Generator,
    contestants: int = 4,
    seeds: int = 3,
    *,
    spread: float = 1.0,
    noise: float = 0.5,
    uneven: float = 0.0,
    odd: float = 0.2,
    home: float = -0.7,
    n: int = 1_000,
    steps: float = 0.0,
) -> League:
    """Draw a league: logit p_ij = g_i - d_j + home·[i is j] + what no rating says; areas are shares of n draws.

    Args:
        rng: of all draws.
        contestants: number of experiments, named c0, c1, ...
        seeds: trainings of each.
        spread: standard deviation of the contestants' g and d.
        noise: standard deviation of a contestant's seeds.
        uneven: standard deviation of the logarithm of that noise between contestants.
        odd: standard deviation of what a rating cannot say: of two contestants, of a training and a contestant, and of
            two trainings.
        home: of a training against itself.
        n: samples; half of their noise is shared by all critics of one generator.
        steps: if not 0, the g are these steps apart, in a random order, instead.
    """
    of = np.repeat(np.arange(contestants), seeds)
    g, d = rng.normal(0, spread, contestants), rng.normal(1, spread, contestants)
    if steps:
        g = steps * (rng.permutation(contestants) - contestants / 2)
    deviation = (noise * np.exp(rng.normal(0, uneven, contestants)))[of]
    each_g, each_d = (values[of] + deviation * rng.normal(size=len(of)) for values in (g, d))
    pairs = rng.normal(0, odd, (contestants, contestants))
    pairs -= pairs.mean(0)
    pairs -= pairs.mean(1, keepdims=True)  # else it would be part of g and d
    rows, columns, cells = (
        rng.normal(0, odd, shape) for shape in ((len(of), contestants), (contestants, len(of)), (len(of), len(of)))
    )
    logits = (
        each_g[:, None] - each_d + home * np.eye(len(of)) + pairs[np.ix_(of, of)] + rows[:, of] + columns[of] + cells
    )
    names = [f"c{contestant}-{seed}" for contestant in range(contestants) for seed in range(seeds)]
    return League(of_areas(seen(logits, n, rng), names, n), g, d)


def seen(logits: Float64[np.ndarray, "g c"], n: int, rng: np.random.Generator) -> Float64[np.ndarray, "g c"]:
    """The areas that n samples show: normal noise of a binomial's variance, correlated by 1/2 within a row."""
    p = 1 / (1 + np.exp(-logits))
    draws = (rng.normal(size=(len(p), 1)) + rng.normal(size=p.shape)) / np.sqrt(2)
    return np.clip(np.round(n**2 * (p + draws * np.sqrt(p * (1 - p) / n))) / n**2, 0, 1)


def of_areas(areas: Float64[np.ndarray, "g c"], names: list[str], n: int) -> AreaMatrix:
    """The matrix of trainings named "contestant-seed", with the errors of n samples."""
    return AreaMatrix(
        generators=tuple(names),
        critics=tuple(names),
        contestants={name: name.split("-")[0] for name in names},
        areas=areas,
        errors=np.sqrt(areas * (1 - areas) / n),
        n=n,
        n_real=n,
    )

"""Ratings of generators and critics from the matrix of their meetings: a Bradley-Terry model with a home term."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from agon.arena.ratings.cycles import cycles
from agon.arena.ratings.fitting import Fit, fit, predicted
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.meetings import Meetings, check_linked, meetings
from agon.arena.ratings.panels import panels
from agon.arena.ratings.spreads import Roster, halves, samples_variance_between
from agon.metrics.differences import Noise
from agon.metrics.intervals import NORMAL

Role = Literal["generator", "critic"]


@dataclass(frozen=True, kw_only=True)
class Rating:
    """The rating of a contestant's generators, or of its critics, in logits.

    The mean of all contestants' generators is 0, references such as real data not counted. Critics are on the same
    scale: a critic cannot tell the samples of a generator of its own rating from real ones.

    Attributes:
        name: the contestant.
        role: "generator": g, higher fools critics more; "critic": d, higher is fooled less.
        value: the rating.
        interval: its 95 % interval; None if nothing is known of it.
        seeds: number of trainings behind it.
        covers: "seeds" if the interval says what other seeds of the same experiment would get, "samples" if it holds
            for this one training only.
    """

    name: str
    role: Role
    value: float
    interval: tuple[float, float] | None
    seeds: int
    covers: Noise


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """logit a_ij = g_i - d_j + home·[i and j were trained together] of all contestants.

    Attributes:
        generators: ratings of generators, best first.
        critics: ratings of critics, best first.
        home: how much less (or more) a critic is fooled by the generator that trained against it, in logits.
        unexplained: share of the variance of logit a_ij that these ratings leave unexplained, 0 to 1, without the part
            that the samples' noise explains; 0 if there are too few meetings to tell.
        cycles: contestants (A, B, C) of which A beats B, B beats C and C beats A, each by more than noise; the clearest
            first.
    """

    generators: tuple[Rating, ...]
    critics: tuple[Rating, ...]
    home: float
    unexplained: float
    cycles: tuple[tuple[str, ...], ...] = ()

    def plain(self) -> dict[str, Any]:
        """The ratings as JSON values."""
        return asdict(self)

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "Ratings":
        """The ratings of `plain`, or of the JSON that was made of it."""
        generators, critics = (tuple(_rating(rating) for rating in values[role]) for role in ("generators", "critics"))
        cycles = tuple(tuple(cycle) for cycle in values["cycles"])
        return cls(
            generators=generators,
            critics=critics,
            home=values["home"],
            unexplained=values["unexplained"],
            cycles=cycles,
        )


def rate(matrix: AreaMatrix, seed: int = 0, references: Collection[str] = ()) -> Ratings:
    """Rate the contestants of a tournament.

    The model is fitted to single trainings: logit a_ij = g_i - d_j + home·[i and j are one training] + ε_ij with
    ε_ij ~ N(0, τ²), by penalised maximum likelihood (`fitting`). A contestant's rating is the mean over its
    trainings. Its interval says what other seeds would give, if it has two or more (`spreads`).

        unexplained = τ² / (τ² + Var_ij(g_i - d_j + home·[i and j are one training]))

    Args:
        matrix: entrants may lack a generator or a critic, and meetings may be missing (NaN), as long as chains of
            meetings link all of them.
        seed: not used: nothing is drawn.
        references: generators that are rated on the scale of the others and change nothing of it, as long as there are
            others. Real data is one: no critic can tell it from real data, however good the critic is, which no g - d
            says.

    Raises:
        DataError: an area is outside [0, 1], or the matrix falls into parts that never met.

    Source: Bradley and Terry 1952; the unexplained share is 1 - the marginal R² of Nakagawa and Schielzeth 2013.
    """
    met = meetings(matrix, references)
    check_linked(matrix, met)
    fitted, (names, roster) = fit(met), _roster(matrix, met)
    values, half = roster.rated(fitted.coefficients), halves(fitted, met, roster)
    counts = [[list(of).count(k) for k in range(len(names))] for of in (roster.generators, roster.critics)]
    return Ratings(
        generators=_ranked(names, "generator", values[0], half[0], counts[0]),
        critics=_ranked(names, "critic", values[1], half[1], counts[1]),
        home=float(fitted.coefficients[-1]),
        unexplained=_unexplained(fitted, met),
        cycles=cycles(panels(matrix)),
    )


def rating_difference(matrix: AreaMatrix, one: str, other: str) -> tuple[float, float]:
    """How much higher one generator is rated than another, in logits, and half of its 95 % interval.

    The interval is of the samples alone. It is not that of either rating: both are measured from one mean.

    Args:
        matrix: of contestants of one training each.
        one: name of a contestant.
        other: name of another.

    Raises:
        DataError: as in `rate`.
    """
    met = meetings(matrix)
    check_linked(matrix, met)
    fitted, (names, roster) = fit(met), _roster(matrix, met)
    places = names.index(one), names.index(other)
    first, second = (roster.rated(fitted.coefficients)[0, place] for place in places)
    return float(first - second), NORMAL * math.sqrt(samples_variance_between(fitted, met, roster, *places))


def _ranked(
    names: list[str],
    role: Role,
    values: Float64[np.ndarray, " m"],
    half: Float64[np.ndarray, " m"],
    counts: list[int],
) -> tuple[Rating, ...]:
    """The ratings of those who have this role, best first; equal ones by name."""
    ratings = [
        Rating(
            name=name,
            role=role,
            value=float(value),
            interval=(float(value - width), float(value + width)) if math.isfinite(width) else None,
            seeds=seeds,
            covers="seeds" if seeds > 1 else "samples",
        )
        for name, value, width, seeds in zip(names, values, half, counts, strict=True)
        if seeds
    ]
    return tuple(sorted(ratings, key=lambda rating: (-rating.value, rating.name)))


def _unexplained(fitted: Fit, met: Meetings) -> float:
    explained = float(predicted(fitted.coefficients, met)[met.met & ~met.guests[:, None]].var())
    return fitted.variance / (fitted.variance + explained) if fitted.variance else 0.0


def _roster(matrix: AreaMatrix, met: Meetings) -> tuple[list[str], Roster]:
    """The contestants' names, and which training belongs to whom."""
    entrants = list(dict.fromkeys((*matrix.generators, *matrix.critics)))
    contestant = {entrant: matrix.contestants.get(entrant, entrant) for entrant in entrants}
    names = list(dict.fromkeys(contestant.values()))
    row, column = ({name: index for index, name in enumerate(of)} for of in (matrix.generators, matrix.critics))
    generators = [names.index(contestant[entrant]) for entrant in matrix.generators]
    roster = Roster(
        generators=generators,
        critics=[names.index(contestant[entrant]) for entrant in matrix.critics],
        trainings=[
            [(row.get(entrant), column.get(entrant)) for entrant in entrants if contestant[entrant] == name]
            for name in names
        ],
        counted=sorted({generators[row] for row in np.flatnonzero(~met.guests)}),
    )
    return names, roster


def _rating(values: Mapping[str, Any]) -> Rating:
    low, high = values["interval"] or (None, None)
    return Rating(**{**values, "interval": None if low is None else (low, high)})

"""The PNG of a tournament: for a README, a paper, or a message."""

import math
from collections.abc import Sequence

from agon.arena.ratings.rating import Rating
from agon.arena.tournaments.standings import TournamentResult
from agon.figures.matrix import matrix_png
from agon.figures.whiskers import Whisker
from agon.reports.tournaments.heat import grouped, ordered


def picture(result: TournamentResult) -> bytes:
    """Draw a PNG of a tournament: generators by critics, both sorted by rating, with their ratings."""
    generators, critics = ordered(result.matrix, result.ratings)
    rows = _rated(generators, result.ratings.generators)
    columns = _rated(critics, result.ratings.critics)
    return matrix_png(rows, columns, grouped(result.matrix, result.ratings))


def whisker(rating: Rating) -> Whisker:
    """A rating as a row of a plot."""
    low, high = rating.interval or (None, None)
    return Whisker(rating.name, rating.value, low, high, rating.covers == "seeds")


def _rated(names: Sequence[str], ratings: Sequence[Rating]) -> list[Whisker]:
    known = {rating.name: whisker(rating) for rating in ratings}
    return [known.get(name, Whisker(name, math.nan)) for name in names]

"""Read the result of a tournament, which may come from another machine, and check that it can be drawn."""

from pathlib import Path

import numpy as np

from agon.arena.ratings.rating import Rating
from agon.arena.tournaments.standings import FILE, TournamentResult
from agon.errors import RunError
from agon.runs.description import described_to_show
from agon.untrusted import MALFORMED, is_number

ADVICE = "make it again with agon tournament"


def read_result(folder: Path) -> TournamentResult:
    """Read tournament.json.

    Raises:
        RunError: it cannot be read, or is not the result of a tournament.
    """
    values = described_to_show(folder / FILE)
    try:
        result = TournamentResult.of_plain(values)
        _check(result)
    except MALFORMED as error:
        raise RunError(f"{folder / FILE}: expected the result of a tournament ({_reason(error)}); {ADVICE}") from error
    return result


def _reason(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _check(result: TournamentResult) -> None:
    """Refuse what no tournament writes.

    Raises:
        ValueError: it does not fit together.
    """
    matrix, ratings = result.matrix, result.ratings
    entrants = (*matrix.generators, *matrix.critics)
    if not matrix.areas.size:
        raise ValueError("expected a generator and a critic or more, got none")
    if not all(isinstance(name, str) for name in (*entrants, *matrix.contestants, *matrix.contestants.values())):
        raise ValueError("expected names as texts")
    if missing := [name for name in entrants if name not in matrix.contestants]:
        raise ValueError(f"expected the contestant of every entrant, got none of {missing[0]!r:.60}")
    if bool(((matrix.areas < 0) | (matrix.areas > 1)).any()) or bool(np.isinf(matrix.errors).any()):
        raise ValueError("expected areas from 0 to 1 with finite errors")
    numbers = [ratings.home, ratings.unexplained, matrix.n, matrix.n_real]
    for rating in (*ratings.generators, *ratings.critics):
        numbers += [rating.value, *(rating.interval or ())]
        _check_names(rating)
    if not all(is_number(number) for number in numbers):
        raise ValueError("expected finite ratings, and numbers of samples")


def _check_names(rating: Rating) -> None:
    if not isinstance(rating.name, str) or rating.covers not in ("seeds", "samples"):
        raise ValueError(
            f"expected a rating's name, and seeds or samples, got {rating.name!r:.60}, {rating.covers!r:.20}"
        )

"""When the order of ratings is not to be trusted, in sentences."""

from collections.abc import Collection, Sequence

import numpy as np

from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import Ratings

RECOGNISED = 0.01  # a critic with an area below this recognises nearly all samples
MOST = 0.9  # share of such areas from which ratings say little


def cautions(matrix: AreaMatrix, ratings: Ratings, ceiling: str | None, floor: str | None) -> list[str]:
    """Say what speaks against the order of the ratings; nothing if real data are on top and untrained networks below.

    Args:
        matrix: of a tournament.
        ratings: of it.
        ceiling: the contestant that is real data, if it takes part.
        floor: the contestant that was not trained, if it takes part.
    """
    ranked = [rating.name for rating in ratings.generators]
    said = []
    if ceiling in ranked and (above := ranked[: ranked.index(ceiling)]):
        said.append(
            f"do not trust this order: {_those(above, 'rated above real data')}; critics are fooled by what they never "
            "saw in training, not by likeness alone, so look at the samples"
        )
    if floor in ranked and (below := [name for name in ranked[ranked.index(floor) + 1 :] if name != ceiling]):
        said.append(f"{_those(below, 'rated below a generator that was never trained')}")
    guests = {ceiling, floor}
    rows = [i for i, name in enumerate(matrix.generators) if matrix.contestants[name] not in guests]
    areas = matrix.areas[rows]
    met = areas[np.isfinite(areas)]
    if met.size and (share := float((met < RECOGNISED).mean())) >= MOST:
        said.append(
            f"{100 * share:.0f} % of the areas are below {RECOGNISED}: the critics recognise nearly all samples, so "
            "the ratings say little; critics of earlier steps (RUN@STEP) or more samples (--n) tell more"
        )
    return said


def all_recognised(areas: Sequence[float]) -> bool:
    """Whether a critic, or all seeds of one, recognise nearly every sample."""
    return bool(areas) and max(areas) < RECOGNISED


def _those(names: Collection[str], what: str) -> str:
    listed = ", ".join(names)
    return f"{listed} {'is' if len(names) == 1 else 'are'} {what}"

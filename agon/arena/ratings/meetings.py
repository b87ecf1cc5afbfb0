"""What a matrix of areas says in logits: who met whom, and how much each meeting is worth."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64

from agon.arena.ratings.matrix import AreaMatrix
from agon.errors import DataError

SHOWN = 3  # names in a message, of each part


@dataclass(frozen=True, kw_only=True)
class Meetings:
    """Meetings of generators (rows) and critics (columns).

    Attributes:
        areas: a_ij; 0.5 where the two did not meet.
        sizes: how many draws of a coin would know a_ij as well as the samples do; 0 where the two did not meet.
        at_home: whether the two are one training.
        guests: whether a generator is a reference, which is rated and changes no other rating.
    """

    areas: Float64[np.ndarray, "g c"]
    sizes: Float64[np.ndarray, "g c"]
    at_home: Bool[np.ndarray, "g c"]
    guests: Bool[np.ndarray, " g"]

    @cached_property
    def met(self) -> Bool[np.ndarray, "g c"]:
        return self.sizes > 0

    @cached_property
    def logits(self) -> Float64[np.ndarray, "g c"]:
        """logit a_ij, with a_ij not nearer to 0 and 1 than half a draw of 1 + sizes; NaN where the two did not meet."""
        least = 0.5 / (1 + self.sizes)
        inner = np.clip(self.areas, least, 1 - least)
        return np.where(self.met, np.log(inner / (1 - inner)), np.nan)

    @cached_property
    def errors(self) -> Float64[np.ndarray, "g c"]:
        """Standard errors of the logits by the samples alone, 1 / √(size · a (1 - a)); NaN where they did not meet."""
        least = 0.5 / (1 + self.sizes)
        inner = np.clip(self.areas, least, 1 - least)
        with np.errstate(divide="ignore"):
            return np.where(self.met, 1 / np.sqrt(self.sizes * inner * (1 - inner)), np.nan)

    def of(self, generators: Bool[np.ndarray, " g"]) -> "Meetings":
        """The meetings of some of the generators."""
        return Meetings(
            areas=self.areas[generators],
            sizes=self.sizes[generators],
            at_home=self.at_home[generators],
            guests=self.guests[generators],
        )


def meetings(matrix: AreaMatrix, references: Collection[str] = ()) -> Meetings:
    """Return the meetings of a matrix.

    The size of a meeting is a_ij (1 - a_ij) / error², at most n + n_real; the smaller of n and n_real where DeLong's
    error is 0 or missing, as it is for areas of 0 and 1.

    Args:
        matrix: of a tournament.
        references: generators that are rated and change no other rating, as long as there are others.

    Raises:
        DataError: there is no area, or one is outside [0, 1].
    """
    areas, errors = matrix.areas, matrix.errors
    met = np.isfinite(areas)
    if not met.any() or ((areas < 0) | (areas > 1)).any():
        raise DataError("a matrix of areas: expected at least one, all from 0 to 1, got others")
    inner, known, n = areas * (1 - areas), np.nan_to_num(errors) > 0, matrix.sizes[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.where(known & (inner > 0), inner / errors**2, np.minimum(n, matrix.n_real))
    sizes = np.where(met, np.clip(sizes, 1, n + matrix.n_real), 0.0)
    at_home = np.equal.outer(np.array(matrix.generators, dtype=object), np.array(matrix.critics, dtype=object))
    guests = np.array([name in references for name in matrix.generators])
    return Meetings(
        areas=np.where(met, areas, 0.5),
        sizes=sizes,
        at_home=at_home.astype(bool),
        guests=guests & ~guests.all(),
    )


def check_linked(matrix: AreaMatrix, met: Meetings) -> None:
    """Check that chains of meetings link every two entrants: ratings of parts that never met have no common zero.

    A guest must have met somebody, and links nobody.

    Raises:
        DataError: the entrants fall into parts that never met; the sentence names two.
    """
    kept = np.flatnonzero(~met.guests)
    names = [matrix.generators[row] for row in kept]
    labels = [f"{name}'s generator" for name in names] + [f"{name}'s critic" for name in matrix.critics]
    parts = [[labels[node] for node in sorted(part)] for part in _parts(met.met[kept])]
    parts += [[f"{matrix.generators[row]}'s generator"] for row in np.flatnonzero(met.guests) if not met.met[row].any()]
    if len(parts) == 1:
        return
    first, second = (_listed(part) for part in parts[:2])
    also = f" ({len(parts)} parts in all)" if len(parts) > 2 else ""
    raise DataError(
        f"ratings of {len(matrix.generators)} generators and {len(matrix.critics)} critics: expected all to be linked "
        f"by meetings, but {first} never met {second}{also}; rate them apart, or add an entrant that meets both"
    )


def _parts(met: Bool[np.ndarray, "g c"]) -> list[set[int]]:
    """The connected parts of the graph of meetings; nodes are generators, then critics."""
    rows, columns = met.shape
    left, parts = set(range(rows + columns)), []
    while left:
        part, edge = set(), {min(left)}
        while edge:
            part |= edge
            reached = {
                int(other)
                for node in edge
                for other in (rows + np.flatnonzero(met[node]) if node < rows else np.flatnonzero(met[:, node - rows]))
            }
            edge = reached - part
        parts.append(part)
        left -= part
    return parts


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more

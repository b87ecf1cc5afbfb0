"""Ratings of generators and critics from the matrix of their meetings: a Bradley-Terry model with a home term."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agon.metrics.differences import Noise

Role = Literal["generator", "critic"]


@dataclass(frozen=True, kw_only=True)
class Rating:
    """The rating of a contestant's generators, or of its critics; in logits, 0 is the mean of all contestants.

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
        unexplained: share of the variance of logit a_ij that these ratings leave unexplained, 0 to 1.
        cycles: contestants (A, B, C) of which A beats B, B beats C and C beats A.
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


def _rating(values: Mapping[str, Any]) -> Rating:
    low, high = values["interval"] or (None, None)
    return Rating(**{**values, "interval": None if low is None else (low, high)})

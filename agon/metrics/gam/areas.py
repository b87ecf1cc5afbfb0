"""Who wins a battle by areas under ROC curves: without a threshold, a calibration or a rule for ties."""

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

from agon.metrics.auroc import Area, auroc, placements

AreaOutcome = Literal["first", "second", "tie", "undecided"]


class AreaDuel(NamedTuple):
    """a_12 - a_21, where a_jk is the area of critic j on the samples of generator k.

    Attributes:
        first: a_12, how often the first game's critic finds a sample of the second at least as real as a real one.
        second: a_21, the same with the games exchanged.
        correlation: of the errors of both areas, since both critics judge the same real samples; -1 to 1. Generated
            samples count as independent.
    """

    first: Area
    second: Area
    correlation: float

    @property
    def value(self) -> float:
        """The difference a_12 - a_21, above 0 if the second game's generator fools the other's critic more."""
        return self.first.value - self.second.value

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference, from the areas' own intervals, so that it has a width at 0 and 1.

        Source: Zou and Donner 2008, "Construction of confidence limits about effect measures" (MOVER), equation 5.
        """
        first, second = (_reach(area) for area in (self.first, self.second))
        low = _combined(first[0], second[1], self.correlation)
        high = _combined(first[1], second[0], self.correlation)
        return self.value - low, self.value + high

    @property
    def outcome(self) -> AreaOutcome:
        """The side whose generator fools the other's critic more, if the interval excludes 0; "tie" at exactly 0."""
        low, high = self.interval
        if self.value == 0:
            return "tie"
        if low <= 0 <= high:
            return "undecided"
        return "second" if low > 0 else "first"

    @property
    def swapped(self) -> "AreaDuel":
        """The same with the two games exchanged."""
        return AreaDuel(self.second, self.first, self.correlation)

    def reason(self, names: tuple[str, str]) -> str:
        """The areas and the interval of their difference in words."""
        areas = ", ".join(
            f"{generator}'s samples before {critic}'s critic {with_interval(area.value, area.interval)}"
            for critic, generator, area in ((*names, self.first), (*names[::-1], self.second))
        )
        holds = "holds" if self.interval[0] <= 0 <= self.interval[1] else "excludes"
        return f"{areas}; their difference {with_interval(self.value, self.interval)} {holds} 0"

    def plain(self) -> dict[str, Any]:
        """The areas and their difference as JSON values."""
        areas = {"own_critic": self.first, "opponents_critic": self.second}
        sides = {name: {"value": area.value, "interval": list(area.interval)} for name, area in areas.items()}
        return {**sides, "difference": self.value, "interval": list(self.interval)}


def area_alone(fake: Float64[np.ndarray, " n"], real: Float64[np.ndarray, " r"]) -> dict[str, Any]:
    """One critic's area of another model's samples, as the detail of a score: its numbers, and a sentence.

    Args:
        fake: the critic's realness of the samples.
        real: of real samples.
    """
    area = auroc(fake, real)
    of_area = with_interval(area.value, area.interval)
    told = f"area {of_area}: how often it finds a sample at least as real as a real one; 0.5: it cannot tell"
    return {"area": {"value": area.value, "interval": list(area.interval)}, "told": told}


def duel(
    first: tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " r"]],
    second: tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, " r"]],
) -> AreaDuel:
    """Compare two critics' areas on each other's generators.

    The real samples are the same, so the part of the errors that comes from them is taken of both together (DeLong's
    covariance). The generated samples are of two generators, and count as independent even if their latents are equal.

    Args:
        first: the first critic's realness of the second generator's samples, and of the real ones.
        second: the second critic's realness of the first generator's samples, and of the same real ones in the same
            order.

    Raises:
        DataError: numbers are not finite.

    Source: DeLong, DeLong and Clarke-Pearson 1988, equations 4 to 7.
    """
    areas = [auroc(*scores) for scores in (first, second)]
    of_real = [placements(*scores)[1] for scores in (first, second)]
    errors = areas[0].error * areas[1].error
    n = len(of_real[0])
    shared = float(np.cov(of_real[0], of_real[1])[0, 1]) / n if n > 1 else 0.0
    return AreaDuel(areas[0], areas[1], min(1.0, max(-1.0, shared / errors)) if errors else 0.0)


def _reach(area: Area) -> tuple[float, float]:
    """How far the interval of an area reaches below and above it."""
    low, high = area.interval
    return area.value - low, high - area.value


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def with_interval(value: float, interval: tuple[float, float]) -> str:
    """A number and its interval in words."""
    return f"{value:.3g} [{interval[0]:.3g}, {interval[1]:.3g}]"

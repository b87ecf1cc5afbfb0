"""Every generator before every critic: the matrix of areas that a tournament measures and its ratings explain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, kw_only=True)
class AreaMatrix:
    """Areas a_ij: how often critic j finds a sample of generator i at least as real as a held-out real one.

    The entrants are single trainings, folders of samples, or critics; the seeds of one experiment are entrants that
    share a contestant.

    Attributes:
        generators: names of the entrants whose samples are judged, in order.
        critics: names of the entrants that judge.
        contestants: entrant's name -> its contestant's name.
        areas: a_ij from 0 to 1, 0.5 where the critic cannot tell; NaN where the two could not meet.
        errors: DeLong's standard errors, of the samples alone.
        n: number of generated samples of each generator.
        n_real: number of held-out real samples.
        samples: generator -> its number of samples, where it is another than n.
    """

    generators: tuple[str, ...]
    critics: tuple[str, ...]
    contestants: Mapping[str, str]
    areas: Float64[np.ndarray, "g c"]
    errors: Float64[np.ndarray, "g c"]
    n: int
    n_real: int
    samples: Mapping[str, int] = field(default_factory=dict)

    @property
    def sizes(self) -> Int64[np.ndarray, " g"]:
        """The number of samples of each generator."""
        return np.array([self.samples.get(name, self.n) for name in self.generators])

    def area(self, generator: str, critic: str) -> float:
        """a_ij of a generator and a critic, by their names."""
        return float(self.areas[self.generators.index(generator), self.critics.index(critic)])

    def seeds_of(self, contestant: str) -> list[str]:
        """The entrants of a contestant, in order."""
        return [entrant for entrant, other in self.contestants.items() if other == contestant]

    def plain(self) -> dict[str, Any]:
        """The matrix as JSON values; NaN is None."""
        return {
            "generators": list(self.generators),
            "critics": list(self.critics),
            "contestants": dict(self.contestants),
            "areas": _listed(self.areas),
            "errors": _listed(self.errors),
            "n": self.n,
            "n_real": self.n_real,
            "samples": dict(self.samples),
        }

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "AreaMatrix":
        """The matrix of `plain`."""
        shape = (len(values["generators"]), len(values["critics"]))
        areas, errors = (np.array(values[name], dtype=float).reshape(shape) for name in ("areas", "errors"))
        return cls(
            generators=tuple(values["generators"]),
            critics=tuple(values["critics"]),
            contestants=dict(values["contestants"]),
            areas=areas,
            errors=errors,
            n=values["n"],
            n_real=values["n_real"],
            samples={str(name): int(count) for name, count in values.get("samples", {}).items()},
        )


def _listed(values: Float64[np.ndarray, "g c"]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in values]

"""The log of a run as columns, and what they say of its last part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST = 8  # records that say something of a training
LATE = 4  # the last 1/LATE of the records is the present state


@dataclass(frozen=True)
class Log:
    """The records of a run in the order of their steps, as columns; a value that is missing is NaN.

    Attributes:
        steps: "r", the steps.
        columns: name -> values "r", such as loss/critic, logit/real and gradient/generator.
    """

    steps: np.ndarray
    columns: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, records: Sequence[Mapping[str, Any]]) -> "Log":
        """Build columns from records; where a resumed training repeated a step, the later record counts."""
        by_step = {int(record["step"]): record for record in records if _is_step(record.get("step"))}
        steps = sorted(by_step)
        names = dict.fromkeys(name for step in steps for name in by_step[step] if name != "step")
        columns = {name: np.array([_number(by_step[step].get(name)) for step in steps]) for name in names}
        return cls(np.array(steps, dtype=np.int64), columns)

    def __len__(self) -> int:
        return len(self.steps)

    def get(self, name: str) -> np.ndarray:
        """A column; NaN throughout if there is none."""
        return self.columns.get(name, np.full(len(self), np.nan))

    def under(self, prefix: str) -> dict[str, np.ndarray]:
        """The columns whose names begin with a prefix, by the rest of their names."""
        return {name.removeprefix(prefix): c for name, c in self.columns.items() if name.startswith(prefix)}

    def since(self, holds: Callable[[float], bool], values: np.ndarray) -> int | None:
        """The first step from which the running median of three values holds until the end; None if it does not."""
        if not len(values):
            return None
        smooth = [float(np.median(values[max(0, i - 1) : i + 2])) for i in range(len(values))]
        start = None
        for step, value in zip(self.steps, smooth, strict=True):
            start = (int(step) if start is None else start) if holds(value) else None
        return start


def late(values: np.ndarray) -> float:
    """The median of the last quarter of the values, at least of three."""
    return float(np.median(values[-max(3, len(values) // LATE) :]))


def early(values: np.ndarray) -> float:
    """The median of the first quarter of the values, at least of three."""
    return float(np.median(values[: max(3, len(values) // LATE)]))


def _is_step(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan

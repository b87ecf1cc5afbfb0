"""A budget: how long a training is, and how often it records."""

from dataclasses import dataclass, fields
from typing import Any

from agon.errors import SettingError
from agon.experiment.experiment import MOST
from agon.experiment.typing import check_fields


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The settings of an experiment that determine how much is done: `Experiment(..., **budget.settings)`.

    The fields are those of `Experiment`, with the same defaults and bounds.

    Attributes:
        steps: rounds of the dynamics.
        batch: real samples per draw, over all processes together.
        log_every: steps between two records of the log.
        sample_every: steps between two grids of samples from the same latents.
        checkpoint_every: steps between two checkpoints.
        grid: number of samples in a grid.

    Raises:
        SettingError: a number is not whole, less than 1, or over the experiment's bound.

    >>> Budget(steps=100, batch=16).settings["sample_every"]
    500
    """

    steps: int
    batch: int = 64
    log_every: int = 50
    sample_every: int = 500
    checkpoint_every: int = 500
    grid: int = 64

    def __post_init__(self) -> None:
        check_fields(self)
        for name, value in self.settings.items():
            if not 1 <= value <= MOST[name]:
                raise SettingError(f"budget.{name}: expected 1 to {MOST[name]:,}, got {value:,}")

    @property
    def settings(self) -> dict[str, Any]:
        """Name -> number, as keyword arguments of `Experiment`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

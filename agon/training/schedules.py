"""Schedules of learning rates: torch's schedulers, as parts of the experiment."""

from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from agon.errors import SettingError
from agon.experiment import Part
from agon.experiment.part import name_of


class Schedule:
    """A player's settings over the steps, by a torch scheduler, which is stepped once after each step of the dynamics.

    What a scheduler does depends on the number of the step alone. So a checkpoint needs nothing of it: `rewind` builds
    it anew from the optimiser's first settings and steps it as often as the training has.

    Args:
        part: the scheduler without its optimiser; schedulers in it, as in SequentialLR, are of the same optimiser.
        optimiser: the optimiser, with its first settings.

    Raises:
        SettingError: the part is no such scheduler, or cannot be built.
    """

    def __init__(self, part: Part, optimiser: torch.optim.Optimizer) -> None:
        self.part, self.optimiser = part, optimiser
        self._first = [_settings(group) for group in optimiser.param_groups]
        self.rewind(0)

    @property
    def rate(self) -> float:
        """The learning rate of the next step, of the first group of parameters."""
        return float(self.optimiser.param_groups[0]["lr"])

    def rewind(self, step: int) -> None:
        """Set the optimiser's settings to those after a number of steps of the training."""
        for group, first in zip(self.optimiser.param_groups, self._first, strict=True):
            parameters = group["params"]
            group.clear()
            group.update(first, params=parameters)
        self._scheduler = _built(self.part, self.optimiser)
        vars(self.optimiser)["_opt_called"] = True  # else torch warns of a player that has no turn
        for _ in range(step):
            self.advance()

    def advance(self) -> None:
        """Change the settings after a step of the training."""
        self._scheduler.step()

    def refuse_more(self, steps: int) -> None:
        """Raise a SettingError if the scheduler, as OneCycleLR does, ends before a training of so many steps."""
        total = getattr(self._scheduler, "total_steps", steps)
        if steps > total:
            raise SettingError(
                f"schedules: expected {name_of(self.part.make)} for all {steps:,} steps, got total_steps={total:,}; "
                f"use total_steps={steps}"
            )


def _built(part: Part, optimiser: torch.optim.Optimizer) -> Any:
    make = part.make
    if not isinstance(make, type) or not issubclass(make, LRScheduler) or issubclass(make, ReduceLROnPlateau):
        raise SettingError(
            "schedules: expected a class of torch.optim.lr_scheduler that depends on the number of the step alone, got "
            f"{name_of(make)}; an example is agon.part(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=10_000)"
        )
    inner = {name: _inner(value, optimiser) for name, value in part.settings.items()}
    return Part(make, {**inner, "optimizer": optimiser}).build()


def _inner(value: Any, optimiser: torch.optim.Optimizer) -> Any:
    """Build the schedulers among the settings of another one."""
    if isinstance(value, tuple | list):
        return [_inner(member, optimiser) for member in value]
    return _built(value, optimiser) if isinstance(value, Part) else value


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}

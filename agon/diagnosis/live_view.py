"""A view of a run whose training goes on in this process, for alarms: cheaper than `RunView`, and it changes nothing.

It has the records and samples that the run has kept so far. Of large samples every k-th coordinate is taken, and of
many snapshots or records every k-th, where k is a power of two: snapshots that have been read are kept. The weights
are those of the training itself; no checkpoint is loaded but by who asks for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from agon.diagnosis.geometry import Samples, energy, spread
from agon.diagnosis.log import Log
from agon.diagnosis.view import RunView, read_samples
from agon.runs import Run
from agon.runs.layout import real_snapshot
from agon.runs.records import read_some
from agon.training import Training

SNAPSHOTS, RECORDS = 32, 256  # at most, with the last one
COORDINATES, VALUES = 1_024, 2**18  # at most, of a sample and of a snapshot
LAST = 3  # snapshots whose median distance is the present one


@dataclass(frozen=True, kw_only=True)
class LiveView(RunView):
    """What a training has recorded until a step.

    Attributes:
        training: the training, at the present step.
        clouds: step -> samples from the fixed latents.
        reference: real samples, in the same coordinates; None if there are none.
    """

    training: Training
    clouds: Mapping[int, Samples]
    reference: Samples | None

    @property
    def budget(self) -> int | None:
        """None: a training that goes on has not stopped before its budget."""
        return None

    @cached_property
    def samples(self) -> Mapping[int, Samples]:
        return self.clouds

    @cached_property
    def real(self) -> Samples | None:
        real = self.reference
        return None if real is None or len(real) < 2 or not spread(real) else real

    @cached_property
    def average(self) -> Training | str:
        return self.training

    @cached_property
    def live(self) -> Training | str:
        return Unaveraged(self.training)

    @cached_property
    def distance(self) -> float | None:
        """The median energy distance of the last snapshots from the real samples; None if there are none."""
        if self.shown is None:
            return None
        clouds, real = self.shown
        return float(np.median([energy(samples, real) for samples in list(clouds.values())[-LAST:]]))

    def as_kept(self, samples: Tensor) -> Samples:
        return thinned(super().as_kept(samples))

    def until(self, step: int) -> "LiveView":
        """The same as it was at an earlier step, but for the weights."""
        known = self.log.steps <= step
        return replace(
            self,
            log=Log(self.log.steps[known], {name: column[known] for name, column in self.log.columns.items()}),
            looks={at: path for at, path in self.looks.items() if at <= step},
            clouds={at: samples for at, samples in self.clouds.items() if at <= step},
        )


class Unaveraged(Training):
    """A training as it is, whose samples are made by the weights of the step itself, and not by their average.

    Args:
        training: the training, of which everything else is shared.
    """

    def __init__(self, training: Training) -> None:
        self.__dict__ = training.__dict__

    @property
    def average(self) -> None:  # type: ignore[override]
        """None: `samples` uses no average."""


@dataclass
class LiveReader:
    """Reads the views of one training, and each file once.

    Attributes:
        training: the training.
        run: its run.
    """

    training: Training
    run: Run
    _clouds: dict[Path, Samples | None] = field(default_factory=dict)

    def view(self) -> LiveView:
        """What there is at the present step."""
        looks = dict(self.run.snapshots())
        chosen = every_kth(list(looks), SNAPSHOTS)
        self._clouds = {looks[step]: self._samples(looks[step]) for step in chosen}
        clouds = {step: samples for step in chosen if (samples := self._clouds[looks[step]]) is not None}
        return LiveView(
            run=self.run,
            settings=self._settings,
            experiment=self.training.experiment,
            log=Log.of(read_some(self.run.log, lambda count: every_kth(range(count), RECORDS))),
            looks=looks,
            training=self.training,
            clouds=clouds,
            reference=self._reference,
        )

    @cached_property
    def _settings(self) -> Mapping[str, object]:
        return self.run.described

    @cached_property
    def _reference(self) -> Samples | None:
        path = real_snapshot(self.run.files)
        return None if path is None else self._samples(path)

    def _samples(self, path: Path) -> Samples | None:
        if path in self._clouds:
            return self._clouds[path]
        samples = read_samples(path)
        return None if samples is None else thinned(samples)


def thinned(samples: Samples) -> Samples:
    """Every k-th coordinate, so that at most `COORDINATES` stay, and as many samples as `VALUES` allows."""
    rest = samples[:, :: -(-samples.shape[1] // COORDINATES)]
    return np.ascontiguousarray(rest[: max(2, VALUES // rest.shape[1])])


def every_kth(steps: Sequence[int], most: int) -> list[int]:
    """Every k-th step and the last one, at most `most`, where k is a power of two.

    >>> every_kth([0, 5, 10], 32), len(every_kth(range(1_000), 32)), every_kth(range(100), 32)[:3]
    ([0, 5, 10], 17, [0, 4, 8])
    """
    k = 1
    while -(-len(steps) // k) >= most and k < len(steps):
        k *= 2
    return sorted({*steps[::k], *steps[-1:]})

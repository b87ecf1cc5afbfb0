"""A typed view of a run, finished or not, for reading alone: what is missing is None, and why is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from agon.data import Source
from agon.data.points import Mixture
from agon.data.source import Split, as_bytes
from agon.diagnosis.geometry import Samples, spread
from agon.diagnosis.log import Log
from agon.diagnosis.real_data import RealData, real_data
from agon.errors import AgonError
from agon.experiment import Experiment
from agon.figures.pictures import pictured
from agon.runs import Checkpoint, Run
from agon.runs.layout import EXPERIMENT, IMAGES, real_snapshot
from agon.runs.records import read as read_records
from agon.runs.snapshots import read_array, read_images
from agon.samples.making import load
from agon.training import Training

LOOKS = 48  # snapshots that are read, evenly chosen, the first and the last among them
KEPT = 1_024  # samples of each that are kept


@dataclass(frozen=True, kw_only=True)
class RunView:
    """What is known of a run. It never writes into the run, and opens the data for nothing but `data`.

    Attributes:
        run: the run.
        settings: the content of experiment.json; empty if it is damaged.
        experiment: the experiment; None if it cannot be read back, for example without trust in a user's classes.
        log: the log as columns; of a damaged one, the lines before the damage.
        looks: step -> file of the samples from the fixed latents.
        missing: what could not be read -> why.
        trust: whether a user's classes may be imported.
    """

    run: Run
    settings: Mapping[str, Any]
    experiment: Experiment | None
    log: Log
    looks: Mapping[int, Path]
    missing: Mapping[str, str] = field(default_factory=dict)
    trust: bool = False

    @property
    def budget(self) -> int | None:
        """The steps that the run is to make; None if that cannot be read."""
        steps = self.settings.get("steps")
        return steps if isinstance(steps, int) else None

    @cached_property
    def reached(self) -> int:
        """The last step of which anything is on record."""
        return max((*self.log.steps.tolist(), *self.looks, *self.run.kept, *self.run.past), default=0)

    @property
    def state(self) -> str:
        """Whether it is finished, as a phrase."""
        if self.budget is None:
            return f"on record up to step {self.reached:,}"
        done = self.reached >= self.budget
        return f"finished, {self.reached:,} steps" if done else f"at step {self.reached:,} of {self.budget:,}"

    @property
    def mixture(self) -> Mixture | None:
        """The data, if they are a mixture of several known modes."""
        source = self.experiment.data if self.experiment else None
        return source if isinstance(source, Mixture) and len(source.modes) > 1 else None

    @cached_property
    def samples(self) -> Mapping[int, Samples]:
        """Step -> samples from the fixed latents, "n d"; images have bytes / 255.

        Files that cannot be read are left out. At most `LOOKS` steps are chosen, and at most `KEPT` samples of each.
        """
        steps = list(self.looks)
        chosen = {steps[round(i)] for i in np.linspace(0, len(steps) - 1, min(LOOKS, len(steps)))}
        read = {step: read_samples(self.looks[step]) for step in sorted(chosen)}
        return {step: samples for step, samples in read.items() if samples is not None}

    @cached_property
    def real(self) -> Samples | None:
        """The real samples that the run kept, in the same units; None if there are none, or all are the same."""
        path = real_snapshot(self.run.files)
        samples = None if path is None else read_samples(path)
        return None if samples is None or len(samples) < 2 or not spread(samples) else samples

    @cached_property
    def shown(self) -> tuple[Mapping[int, Samples], Samples] | None:
        """The snapshots after step 0 and the real samples; None if there are not at least two and some."""
        trained = {step: samples for step, samples in self.samples.items() if step > 0}
        fits = self.real is not None and all(x.shape[1] == self.real.shape[1] for x in trained.values())
        return (trained, self.real) if fits and self.real is not None and len(trained) > 1 else None

    @cached_property
    def average(self) -> Training | str:
        """The training at its last good checkpoint, with averaged weights if there are any; or why there is none."""
        return self._loaded("average")

    @cached_property
    def live(self) -> Training | str:
        """The same with the weights of the step itself."""
        return self._loaded("live")

    @cached_property
    def data(self) -> Source | None:
        """The source of the real samples; of a run that can be loaded, its shape and classes are those on record.

        It is opened by whoever draws from it; None without an experiment.
        """
        if not isinstance(self.live, str):
            return self.live.experiment.data
        return self.experiment.data if self.experiment else None

    @cached_property
    def trained_on(self) -> RealData | str:
        """The training split, opened; or why it cannot be."""
        return self._split("train")

    @cached_property
    def held_out(self) -> RealData | str:
        """The split that the training has not seen, opened; or why it, or the training split, cannot be."""
        if isinstance(self.trained_on, str):
            return self.trained_on
        return self._split(self.data.held_out if self.data else "test")

    def checkpoint(self, step: int) -> Checkpoint | None:
        """The checkpoint of a step; None if it is damaged."""
        try:
            return self.run.checkpoint(step)
        except AgonError:
            return None

    def as_kept(self, samples: Tensor) -> Samples:
        """Samples as they are drawn, in the units of `samples` and `real`."""
        source = self.data
        if source is None:
            raise TypeError("samples in the units of the snapshots need the experiment")
        if pictured(source.shape):
            return _rows(as_bytes(samples.cpu(), source).numpy())
        return _rows(source.restored(samples.cpu()).numpy())

    def _split(self, split: Split) -> RealData | str:
        if self.data is None:
            return self.missing.get(EXPERIMENT, "there is no experiment")
        try:
            recorded = self.run.compute
        except AgonError:
            recorded = {}
        return real_data(self.data, split, recorded)

    def _loaded(self, weights: Literal["average", "live"]) -> Training | str:
        if self.experiment is None:
            return self.missing.get(EXPERIMENT, "there is no experiment")
        try:
            return load(self.run, trust=self.trust, experiment=self.experiment, weights=weights)
        except AgonError as error:
            return error.typed


def view_of(run: Run, *, trust: bool = False, experiment: Experiment | None = None) -> RunView:
    """Read a run, and whatever of it is not damaged.

    Args:
        run: the run.
        trust: whether a user's classes may be imported.
        experiment: its experiment, if its classes cannot be imported.
    """
    missing: dict[str, str] = {}
    settings: Mapping[str, Any] = {}
    records: list[dict[str, Any]] = []
    looks: dict[int, Path] = {}
    try:
        settings = run.described
        experiment = experiment or Experiment.from_json(run.experiment, trust)
    except AgonError as error:
        missing[EXPERIMENT] = error.typed
    try:
        records = read_records(run.log)
    except AgonError as error:
        missing["log"] = error.typed
    try:
        looks = dict(run.snapshots())
    except AgonError as error:
        missing["samples"] = error.typed
    log = Log.of(records)
    return RunView(
        run=run, settings=settings, experiment=experiment, log=log, looks=looks, missing=missing, trust=trust
    )


def read_samples(path: Path) -> Samples | None:
    """The samples of a snapshot's file; None if it cannot be read or holds a number that is not finite."""
    try:
        samples = _rows((read_images if path.suffix == IMAGES else read_array)(path))
    except (AgonError, OSError, ValueError, TypeError):
        return None
    return samples if samples.ndim == 2 and samples.size and bool(np.isfinite(samples).all()) else None


def _rows(samples: np.ndarray) -> Samples:
    """At most `KEPT` samples as rows of float64; bytes are divided by 255."""
    unit = 255.0 if samples.dtype == np.uint8 else 1.0
    return samples[:KEPT].reshape(min(KEPT, len(samples)), -1).astype(np.float64) / unit

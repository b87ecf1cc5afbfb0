"""A training's run directory, opened: a new one, or one that goes on from where it stands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.experiment import Experiment, differences
from agon.runs import Checkpoint, Run
from agon.training import looks
from agon.training.compute import Compute
from agon.training.training import Training


@contextmanager
def new_run(training: Training, directory: Path | str, choices: Mapping[str, Any] | None = None) -> Iterator[Run]:
    """A new run directory that describes a training at its beginning; within it, only this process writes there.

    Args:
        training: at step 0.
        directory: new or empty.
        choices: what arithmetic.json says; by default the training's own.

    Raises:
        RunError: the directory cannot be written, or holds something already.
        DataError: data that cannot be read; nothing is written.
    """
    real = looks.real(training, training.experiment.grid)
    run = Run.create(directory)
    with run.locked():
        run.describe(training.experiment.to_json(), _described(training, choices))
        run.picture(*real)
        yield run


def continue_run(
    training: Training, run: Run, checkpoint: Checkpoint | None, choices: Mapping[str, Any] | None = None
) -> None:
    """Drop what a run has from after its restored checkpoint, and describe how it goes on.

    Args:
        training: as the checkpoint has restored it.
        run: locked.
        checkpoint: None where the run has none yet.
        choices: what arithmetic.json says; by default the training's own.
    """
    experiment = training.experiment
    run.rewind(checkpoint, experiment.sample_every)
    run.picture(*looks.real(training, experiment.grid))
    run.describe(experiment.to_json(), _described(training, choices))


def refuse_other_settings(run: Run, experiment: Experiment) -> None:
    """Raise a RunError if the run was begun with another experiment, and say what differs."""
    old, new = run.described, experiment.describe()
    lines = [line for line in differences(old, new) if not line.startswith("steps:")]
    if lines:
        raise RunError(
            f"{run.path} was begun with other settings ({'; '.join(lines)}); "
            "resume with those it was begun with, or begin a new run"
        )


def budget_of(run: Run, experiment: Experiment, steps: int | None = None) -> int:
    """The steps to end at: the experiment's or the run's own, whichever are more, or a longer budget.

    Raises:
        RunError: a shorter one than the run's own.
    """
    begun = run.described.get("steps")
    if type(begun) is not int:
        raise RunError(f"{run.path}/experiment.json: expected steps, got {begun!r:.40}; begin again elsewhere")
    steps = max(experiment.steps, begun) if steps is None else steps
    if steps < begun:
        raise RunError(f"{run.path} has a budget of {begun} steps; expected as many or more, got {steps}")
    return steps


def changes_since(described: Mapping[str, Any], compute: Compute) -> Iterator[str]:
    """A warning for each version or choice that is not what the run was begun with."""
    now = compute.describe()
    for line in differences({k: described.get(k) for k in now}, now):
        yield f"{line}: the steps from here on may differ in their last bits"


def standing(run: Run, training: Training) -> str:
    """Where a run goes on, or that it is done."""
    if training.step == training.experiment.steps:
        return f"{run.path} has done its {training.step} steps; a longer budget goes on: --steps N"
    return f"{run.path} goes on from step {training.step}"


def _described(training: Training, choices: Mapping[str, Any] | None) -> dict[str, Any]:
    """What arithmetic.json says: how numbers are computed, and of which data."""
    source = training.experiment.data
    known = {"shape": list(training.shape), "classes": list(source.classes)}
    own = training.compute.describe()
    return {**own, "data": training.data.fingerprint, "source": known, **(choices or {})}

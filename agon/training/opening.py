"""Open a training's run directory: a new one, or one that resumes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agon.data.amounts import few, unreadable
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import RunError
from agon.experiment import Experiment, differences
from agon.figures.numbers import counted
from agon.games import parameters_of
from agon.runs import Checkpoint, Run
from agon.runs.mirrors import begin_storage
from agon.runs.snapshots import snapshot
from agon.runs.taken import budget_of, refuse_shorter
from agon.runs.tracking import NONE, begin_tracking
from agon.training.beginning import Taken
from agon.training.compute import Compute
from agon.training.training import Training


@contextmanager
def new_run(
    training: Training,
    directory: Path | str,
    choices: Mapping[str, Any] | None = None,
    taken: Taken | None = None,
    track: str = NONE,
    storage: str = "",
) -> Iterator[Run]:
    """Create a run directory that describes a training, and lock it for this process.

    Args:
        training: a training at step 0.
        directory: new or empty.
        choices: the content of arithmetic.json; by default the training's own.
        taken: what the training took from another run, if it did.
        track: name of a tracker.
        storage: address at which the run is mirrored; "" for none.

    Raises:
        RunError: the directory cannot be written, or is not empty.
        DataError: the data cannot be read; nothing is written.
    """
    real = _real_samples(training)
    run = Run.create(directory)
    with run.locked():
        if storage:
            begin_storage(run.files, storage)
        run.describe(training.experiment.remembered(), _described(training, choices))
        if taken is not None:
            run.describe_origin(taken.describe())
        run.picture(*real)
        if track != NONE:
            begin_tracking(run.files, track)
        yield run


def remarks(experiment: Experiment) -> Iterator[str]:
    """The experiment's notes, what is left out of its data, and whether they are too few."""
    data = experiment.data
    yield from experiment.notes
    if unused := data.remarks().get("left out"):
        yield f"not used for training: {unused}"
    if broken := unreadable(data):
        yield f"not used for training: {counted(broken, 'image')} that cannot be read; agon data names them"
    if warning := few(data.count()):
        yield warning


def beginning(training: Training) -> Iterator[str]:
    """What is trained: remarks, number and shape of the data, weights and budget; and what is compiled."""
    experiment = training.experiment
    yield from remarks(experiment)
    count = "endless samples" if training.data.count is None else counted(training.data.count, "sample")
    shape = "x".join(map(str, training.shape))
    numbers = {player: sum(p.numel() for p in parameters_of(training.game, player)) for player in training.game.players}
    weights = ", ".join(f"{player} {number:,}" for player, number in numbers.items())
    yield f"{count} of {shape}; weights: {weights}; {counted(experiment.steps, 'step')} of {experiment.batch}"
    if isinstance(training.dynamics, CompiledUnrolled):
        yield f"compiled: {'whole steps' if training.dynamics.makes_whole_rounds else 'the look-ahead'}"


def continue_run(
    training: Training, run: Run, checkpoint: Checkpoint | None, choices: Mapping[str, Any] | None = None
) -> None:
    """Drop everything in a run after its restored checkpoint, and describe how it resumes.

    Args:
        training: the restored training.
        run: its run, locked.
        checkpoint: the restored checkpoint; None if the run has none yet.
        choices: the content of arithmetic.json; by default the training's own.
    """
    run.rewind(checkpoint, training.experiment.sample_every)
    run.picture(*_real_samples(training))
    run.describe(training.experiment.remembered(), _described(training, choices))


def refuse_other_settings(run: Run, experiment: Experiment) -> None:
    """Raise a RunError that names the differences if the run was begun with another experiment."""
    old, new = run.described, experiment.describe()
    lines = [line for line in differences(old, new) if not line.startswith(("steps:", "init:"))]
    if lines:
        raise RunError(
            f"{run.path} was begun with other settings ({'; '.join(lines)}); "
            "resume with those it was begun with, or begin a new run"
        )


def last_step(run: Run, experiment: Experiment, steps: int | None = None) -> int:
    """The last step: `steps` if given, else the larger of the experiment's and the run's own budget.

    Raises:
        RunError: `steps` is less than the run's own budget.
    """
    steps = max(experiment.steps, budget_of(run.path)) if steps is None else steps
    refuse_shorter(run.path, steps)
    return steps


def changes_since(described: Mapping[str, Any], compute: Compute) -> Iterator[str]:
    """A warning for each version or setting that has changed since the run was begun."""
    now = compute.describe()
    for line in differences({k: described.get(k) for k in now}, now):
        yield f"{line}: the steps from here on may differ in their last bits"


def reading_forward(training: Training) -> Iterator[str]:
    """A warning where data that are read in order have no mark at which they could go on."""
    if training.data.in_order and "mark" not in (state := training.data.state()):
        yield (
            f"the stream is read forward to batch {state['drawn']:,}: its mark is of another number of processes, "
            "or of an earlier version of agon, whose order was another"
        )


def resume_message(run: Run, training: Training) -> str:
    """A message that says at which step a run resumes, or that it is done."""
    if training.step == training.experiment.steps:
        return f"{run.path} has done its {training.step} steps; a longer budget goes on: --steps N"
    return f"{run.path} goes on from step {training.step}"


def _described(training: Training, choices: Mapping[str, Any] | None) -> dict[str, Any]:
    """The content of arithmetic.json: how numbers are computed, and from which data."""
    source: dict[str, Any] = {"shape": list(training.shape), "classes": list(training.experiment.data.classes)}
    if training.game.generated_classes and training.class_counts is not None:
        source["counts"] = training.class_counts.tolist()
    compute = training.compute.describe()
    return {
        **compute,
        "cores": training.compute.cores(),
        "data": training.data.fingerprint,
        "source": source,
        **(choices or {}),
    }


def _real_samples(training: Training) -> tuple[str, bytes]:
    """The name and content of the run's file of real samples."""
    return snapshot(training.data.first(training.shown), training.experiment.data, None)

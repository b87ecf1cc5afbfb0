"""`train` and `resume`: the training loop."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from agon.experiment import Experiment
from agon.jobs.signals import Signals
from agon.runs import Run
from agon.terminal import warn
from agon.terminal.progress import Progress, ProgressFactory
from agon.training.agreement import agreed
from agon.training.compilation import choose_compilation
from agon.training.compute import Compute
from agon.training.launch import launch
from agon.training.memory import enough_memory
from agon.training.opening import (
    beginning,
    budget_of,
    changes_since,
    continue_run,
    new_run,
    refuse_other_settings,
    resume_message,
)
from agon.training.recording import Callback, Recording
from agon.training.restoring import restore_last
from agon.training.training import Training


def train(
    experiment: Experiment,
    directory: Path | str,
    *,
    compute: Compute | None = None,
    show: bool = True,
    progress: ProgressFactory = Progress,
    callback: Callback | None = None,
) -> Run:
    """Train an experiment from the beginning, into a new run directory.

    Args:
        experiment: what to train.
        directory: the run directory; new or empty.
        compute: device, precision, threads; by default the best device in float32.
        show: whether to show the progress on standard error.
        progress: makes the progress display; replace it if several trainings share a display.
        callback: called every so many steps, to compute a metric for example.

    Returns:
        The finished run.

    Raises:
        SettingError: parts do not fit each other, or the machine.
        DataError: the data cannot be read.
        RunError: the directory cannot be written, or is not empty.
        DivergedError: a loss or a parameter is no longer finite.
        Interrupted: SIGINT or SIGTERM came; a checkpoint is written.
    """
    Run(Path(directory)).refuse_taken()  # refuse early, before reading data takes minutes
    experiment.to_json()  # refuse what cannot be written down, also early
    compute = (compute or Compute()).resolved()
    place = launch(compute, experiment.batch)
    with enough_memory(), agreed(place):
        training = Training(experiment, compute, *place)
        choose_compilation(training)
        with nullcontext() if place.rank else new_run(training, directory) as run:
            if show and not place.rank:
                for line in beginning(training):
                    warn(line)
            _loop(training, run, show, progress, callback)
    return Run(Path(directory))


def resume(
    directory: Path | str,
    *,
    steps: int | None = None,
    experiment: Experiment | None = None,
    trust: bool = False,
    devices: int | None = None,
    show: bool = True,
    progress: ProgressFactory = Progress,
    callback: Callback | None = None,
) -> Run:
    """Resume a run from its last good checkpoint, bit for bit as if it had never stopped.

    Args:
        directory: the run directory.
        steps: a longer budget; no other setting may change.
        experiment: the run's experiment; needed for ready instances and for classes that
            cannot be imported, and compared with the run's description.
        trust: whether classes that are not agon's may be imported, which runs their code.
        devices: a new number of processes; the state stays exactly the same, later steps agree
            up to rounding.
        show: whether to show the progress on standard error.
        progress: makes the progress display.
        callback: called every so many steps, to compute a metric for example.

    Returns:
        The finished run.

    Raises:
        RunError: there is no run, another process writes it, no checkpoint is intact, or `experiment`
            differs from the run's own.
    """
    run = Run.open(directory)
    described = run.compute
    compute = Compute.read(described)
    if devices is not None and devices != compute.devices:
        compute = replace(compute, devices=devices, threads=0)
    compute = compute.resolved()
    known = experiment or Experiment.from_json(run.experiment, trust)
    refuse_other_settings(run, known)
    known = known.with_steps(budget_of(run, known, steps))
    place = launch(compute, known.batch)
    with enough_memory(), agreed(place), nullcontext() if place.rank else run.locked():
        training = Training(known, compute, *place)
        checkpoint, complaints = restore_last(training, run)
        choose_compilation(training)
        before = {**described, **(checkpoint.state.get("arithmetic") or {} if checkpoint else {})}
        if show and not place.rank:
            for line in [*complaints, *changes_since(before, training.compute), resume_message(run, training)]:
                warn(line)
        if training.step < known.steps:
            if not place.rank:
                continue_run(training, run, checkpoint)
            _loop(training, None if place.rank else run, show, progress, callback)
    return run


def _loop(
    training: Training, run: Run | None, show: bool, progress: ProgressFactory, callback: Callback | None
) -> None:
    """Train until the budget is spent. `run` is None in all processes but the first."""
    steps = training.experiment.steps
    display = progress(steps, training.step, show and run is not None)
    with Signals() as signals, Recording(training, run, display.update, callback) as recording, display:
        recording.begin()
        while training.step < steps:
            losses = training.advance()
            recording.after_step(losses, signals.received)

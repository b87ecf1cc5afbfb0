"""train and resume: problem x rule x record -> run. The only owner of device, seeds and time."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from agon.experiment import Experiment
from agon.jobs.signals import Signals
from agon.runs import Run
from agon.terminal import warn
from agon.terminal.progress import Progress, ProgressFactory
from agon.training.agreement import agreed
from agon.training.compilation import settle_compilation
from agon.training.compute import Compute
from agon.training.launch import launch
from agon.training.memory import enough_memory
from agon.training.opening import budget_of, changes_since, continue_run, new_run, refuse_other_settings, standing
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
    """Train an experiment from its beginning, into a new run directory.

    Args:
        experiment: what to train.
        directory: of the run; new or empty.
        compute: device, precision, threads; by default the best device in float32.
        show: whether to tell the progress on standard error.
        progress: makes what is told of each step; another one where several trainings share a display.
        callback: what else looks at it every so many steps, such as a metric.

    Returns:
        The finished run.

    Raises:
        SettingError: parts that do not fit each other, or the machine.
        DataError: data that cannot be read.
        RunError: a directory that cannot be written, or holds something already.
        DivergedError: a loss or a parameter is no finite number any more.
        Interrupted: SIGINT or SIGTERM came; a checkpoint is written.
    """
    Run(Path(directory)).refuse_taken()  # before minutes are spent on reading data
    experiment.to_json()  # and so is what cannot be written down
    compute = (compute or Compute()).resolved()
    place = launch(compute, experiment.batch)
    with enough_memory(), agreed(place):
        training = Training(experiment, compute, *place)
        settle_compilation(training)
        with nullcontext() if place.rank else new_run(training, directory) as run:
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
    """Go on with a run from its last good checkpoint, bit for bit as if it had never stopped.

    Args:
        directory: of the run.
        steps: a longer budget; the one thing that may change.
        experiment: what the run was begun with; needed for ready instances and for classes that
            cannot be imported, and compared with what the run says.
        trust: whether classes that are not agon's may be imported, which runs their code.
        devices: another number of processes than before; the state is exactly the same, later
            steps agree up to rounding.
        show: whether to tell the progress on standard error.
        progress: makes what is told of each step.
        callback: what else looks at it every so many steps, such as a metric.

    Raises:
        RunError: no run there, another process writes it, no checkpoint is intact, or `experiment`
            differs from what the run was begun with.
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
        settle_compilation(training)
        before = {**described, **(checkpoint.state.get("arithmetic") or {} if checkpoint else {})}
        if show and not place.rank:
            for line in [*complaints, *changes_since(before, training.compute), standing(run, training)]:
                warn(line)
        if training.step < known.steps:
            if not place.rank:
                continue_run(training, run, checkpoint)
            _loop(training, None if place.rank else run, show, progress, callback)
    return run


def _loop(
    training: Training, run: Run | None, show: bool, progress: ProgressFactory, callback: Callback | None
) -> None:
    """Step until the budget is spent. `run` is None in all processes but the first."""
    steps = training.experiment.steps
    shown = progress(steps, training.step, show and run is not None)
    with Signals() as signals, Recording(training, run, shown.update, callback) as recording, shown:
        recording.begin()
        while training.step < steps:
            losses = training.advance()
            recording.after_step(losses, signals.received)

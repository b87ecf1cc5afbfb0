"""`train` and `resume`: the training loop."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from agon.cores import of_few_threads
from agon.data.given import given_again, kept_in_memory
from agon.experiment import Experiment
from agon.experiment.scripts import notices, stop_script
from agon.jobs import in_worker
from agon.runs import Run
from agon.runs.mirrors import mirror_now, prepare, up_to_date
from agon.runs.named import local
from agon.runs.tracking import NONE, check_tracker
from agon.terminal import warn
from agon.terminal.progress import Progress, ProgressFactory
from agon.terminal.signals import Signals
from agon.terminal.waiting import stage, waiting
from agon.training.agreement import agreed, failing_alone, refuse_other_state, refuse_other_training
from agon.training.beginning import Taken, take_weights, with_origin
from agon.training.compilation import choose_compilation
from agon.training.compute import Compute
from agon.training.launch import launch
from agon.training.memory import enough_memory
from agon.training.monitoring import Monitoring
from agon.training.opening import (
    beginning,
    changes_since,
    continue_run,
    last_step,
    new_run,
    reading_forward,
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
    init: Run | Path | str | None = None,
    show: bool = True,
    progress: ProgressFactory = Progress,
    callback: Callback | None = None,
    alarms: Monitoring | None = None,
    track: str = NONE,
    storage: str = "",
    until: int | None = None,
) -> Run:
    """Train an experiment from the beginning, into a new run directory.

    Args:
        experiment: what to train.
        directory: the run directory; new or empty.
        compute: device, precision, threads; by default the best device in float32.
        init: a run from whose weights the training begins, or its directory; "RUN@500" takes those of the checkpoint
            of a step, "RUN:generator" those of one player. Weights that do not fit are named, and begin at random.
        show: whether to show the progress on standard error.
        progress: makes the progress display; replace it if several trainings share a display.
        callback: called every so many steps, to compute a metric for example.
        alarms: what looks at the training as it goes on, such as `agon.diagnosis.Alarms("stop")`. `agon.train` and
            `agon.resume` take `Alarms("warn")` by default, and None for none.
        track: "wandb" or "mlflow" for a copy of the log, the scores and the pictures there, offline unless the
            environment says otherwise (WANDB_MODE, MLFLOW_TRACKING_URI); a resumed run goes on there.
        storage: address at which the run is mirrored as it is written: "s3://BUCKET/NAME", "gs://BUCKET/NAME" or
            "file:///FOLDER". `resume` with this address goes on on another machine, without a shared disk.
        until: pause at this step, with a checkpoint, from which `resume` goes on; the budget stays as it is.

    Returns:
        The run, finished or paused.

    Raises:
        SettingError: parts do not fit each other, or the machine; or the callback does not fit them.
        DataError: the data cannot be read.
        RunError: the directory or the storage cannot be written, or is taken.
        NotMirroredError: the training has ended, and its storage does not have all of it.
        DivergedError: a loss or a parameter is no longer finite.
        StoppedError: an alarm stopped the training; a checkpoint is written.
        Interrupted: SIGINT or SIGTERM came; a checkpoint is written.
    """
    stop_script()
    check_tracker(track)
    Run(Path(directory)).refuse_taken()  # refuse early, before reading data takes minutes
    experiment = with_origin(experiment.settled(), init)
    experiment.to_json()  # refuse what cannot be written down, also early
    prepare(storage)
    asked = compute or Compute()
    compute = asked.resolved()
    place = launch(compute, experiment.batch)
    if show and not place.rank and not in_worker():
        few = [] if asked.threads else of_few_threads(compute.threads, compute.devices)
        for line in [*notices(experiment.describe()), *few]:
            warn(line)
    with enough_memory(), agreed(place):
        refuse_other_training(place, experiment, compute)
        training = Training(experiment, compute, *place)
        _open_data(training, show)
        refuse_other_state(training)
        taken = _taken(training, show)
        _check(callback, training)
        _compile(training, show)
        opened = new_run(training, directory, taken=taken, track=track, storage=storage)
        with nullcontext() if place.rank else opened as run:
            if show and not place.rank and not in_worker():
                for line in beginning(training):
                    warn(line)
            _loop(training, run, show, progress, callback, alarms, until)
    finished = Run(Path(directory))
    finished.given = kept_in_memory(experiment.data)
    return finished


def resume(
    directory: Path | str,
    *,
    steps: int | None = None,
    experiment: Experiment | None = None,
    data: Any = None,
    trust: bool = False,
    devices: int | None = None,
    threads: int | None = None,
    show: bool = True,
    progress: ProgressFactory = Progress,
    callback: Callback | None = None,
    alarms: Monitoring | None = None,
    storage: str = "",
    until: int | None = None,
) -> Run:
    """Resume a run from its last good checkpoint, bit for bit as if it had never stopped.

    Args:
        directory: the run directory, or the address of a run in storage, which goes on in a copy in the cache.
        steps: a longer budget; no other setting may change.
        experiment: the run's experiment; needed for ready instances and for classes that
            cannot be imported, and compared with the run's description.
        data: the data that were handed over in Python when the run was begun, again; checked by their checksum.
        trust: whether classes that are not agon's may be imported, which runs their code.
        devices: a new number of processes; the state stays exactly the same, later steps agree
            up to rounding.
        threads: a new number of CPU threads of each process, 0 for the cores that are free; later steps agree up
            to rounding. By default the run's own, or all cores where it was begun on a machine with more of them.
        show: whether to show the progress on standard error.
        progress: makes the progress display.
        callback: called every so many steps, to compute a metric for example.
        alarms: what looks at the training as it goes on, such as `agon.diagnosis.Alarms("stop")`. `agon.train` and
            `agon.resume` take `Alarms("warn")` by default, and None for none.
        storage: address at which the run is mirrored from now on, as of `train`; or from which it is fetched where the
            directory is missing or empty. By default the one that it has.
        until: pause at this step, with a checkpoint; the budget stays as it is.

    Returns:
        The run, finished or paused.

    Raises:
        RunError: there is no run, another process writes it, no checkpoint is intact, or `experiment`
            differs from the run's own.
        NotMirroredError: the training has ended, and its storage does not have all of it.
    """
    stop_script()
    run = Run.open(up_to_date(local(directory), storage))
    described = run.compute
    compute = Compute.continued(described, threads)
    if devices is not None and devices != compute.devices:
        compute = replace(compute, devices=devices, threads=threads or 0)
    compute = compute.resolved()
    known = experiment.settled() if experiment else Experiment.from_json(run.experiment, trust)
    if data is not None:
        known = replace(known, data=given_again(known.data, data))
    refuse_other_settings(run, known)
    known = replace(known, steps=last_step(run, known, steps), init=run.described.get("init", ""))
    place = launch(compute, known.batch)
    with enough_memory(), agreed(place), nullcontext() if place.rank else run.locked():
        refuse_other_training(place, known, compute)
        training = Training(known, compute, *place)
        _open_data(training, show)
        checkpoint, complaints = restore_last(training, run)
        refuse_other_state(training)
        if checkpoint is None:
            _taken(training, show)
        _check(callback, training)
        _compile(training, show)
        before = {**described, **(checkpoint.state.get("arithmetic") or {} if checkpoint else {})}
        if show and not place.rank:
            changes = [*changes_since(before, training.compute), *reading_forward(training)]
            for line in [*complaints, *changes, resume_message(run, training)]:
                warn(line)
        if training.step < _end(known.steps, until):
            if not place.rank:
                continue_run(training, run, checkpoint)
            _loop(training, None if place.rank else run, show, progress, callback, alarms, until)
        elif not place.rank:
            mirror_now(run.path)
    run.given = kept_in_memory(known.data)
    return run


def _open_data(training: Training, show: bool) -> None:
    """Open the data, which can take long the first time, and say how far it is."""
    with waiting(show and not training.rank and not in_worker()), stage("opening the data"):
        _ = training.data


def _compile(training: Training, show: bool) -> None:
    """Compile what is to be compiled, which can take half a minute, and say so; or say why a look-ahead is not."""
    told = show and not training.rank and not in_worker()
    with waiting(told), stage("compiling, if it pays"):
        why = choose_compilation(training)
    if told and why:
        warn(why)


def _taken(training: Training, show: bool) -> Taken | None:
    """Begin from another run's weights, if the experiment says so, and say what was taken."""
    taken = take_weights(training)
    if taken is not None and show and not training.rank:
        for line in taken.lines:
            warn(line)
    return taken


def _check(callback: Callback | None, training: Training) -> None:
    """Refuse a callback that can tell beforehand that it does not fit; the main process calls it, and knows."""
    if callback is not None and not training.rank:
        callback.check(training)


def _end(steps: int, until: int | None) -> int:
    """The step at which this call of `train` or `resume` ends."""
    return steps if until is None else min(steps, until)


def _loop(
    training: Training,
    run: Run | None,
    show: bool,
    progress: ProgressFactory,
    callback: Callback | None,
    alarms: Monitoring | None,
    until: int | None = None,
) -> None:
    """Train until the budget is spent, or pause. `run` is None in all processes but the first."""
    end = _end(training.experiment.steps, until)
    display = progress(end, training.step, show and run is not None)
    recorded = Recording(training, run, display.update, callback, alarms)
    with failing_alone(training.rank), Signals() as signals, recorded as recording, display:
        recording.begin()
        while training.step < end:
            losses = training.advance()
            recording.after_step(losses, signals.received)
        recording.pause()

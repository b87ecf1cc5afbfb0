"""train and resume: problem x rule x record -> run. The only owner of device, seeds and time."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from agon.errors import Interrupted, RunError
from agon.experiment import Experiment, differences
from agon.games import Losses
from agon.runs import Run
from agon.terminal import warn
from agon.terminal.progress import Progress
from agon.training import looks
from agon.training.agreement import interrupted, leave, lost_process, refuse_nonfinite, stop_asked
from agon.training.arithmetic import Arithmetic
from agon.training.compilation import settle_compilation
from agon.training.launch import launch
from agon.training.memory import enough_memory
from agon.training.recording import Look, Recording
from agon.training.restoring import restore_last
from agon.training.signals import Signals
from agon.training.training import Training


class Watch(NamedTuple):
    """What looks at a training while it goes on, and leaves it as it was.

    What a user can mend ends the training if the look at step 0 finds it; later it is said, and the training goes on.

    Attributes:
        every: steps from one look to the next; the first is at step 0.
        look: is given the training and its run.
    """

    every: int
    look: Look


Shown = Callable[[int, int, bool], Progress]  # of the budget, the first step, and whether to show anything


def train(
    experiment: Experiment,
    directory: Path | str,
    *,
    arithmetic: Arithmetic | None = None,
    show: bool = True,
    progress: Shown = Progress,
    watch: Watch | None = None,
) -> Run:
    """Train an experiment from its beginning, into a new run directory.

    Args:
        experiment: what to train.
        directory: of the run; new or empty.
        arithmetic: device, precision, threads; by default the best device in float32.
        show: whether to tell the progress on standard error.
        progress: makes what is told of each step; another one where several trainings share a display.
        watch: what else looks at it every so many steps, such as a metric.

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
    arithmetic = (arithmetic or Arithmetic()).resolved()
    text = experiment.to_json()
    place = launch(arithmetic, experiment.batch)
    with enough_memory(), lost_process(place.world):
        training = Training(experiment, arithmetic, *place)
        settle_compilation(training)
        if place.rank:
            _follow(training)
        real = looks.real(training, experiment.grid)
        run = Run.create(directory)
        with run.locked():
            run.describe(text, description(training))
            run.picture(*real)
            _loop(training, run, show, progress, watch)
        leave(place.world)
    return run


def resume(
    directory: Path | str,
    *,
    steps: int | None = None,
    experiment: Experiment | None = None,
    trust: bool = False,
    devices: int | None = None,
    show: bool = True,
    progress: Shown = Progress,
    watch: Watch | None = None,
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
        watch: what else looks at it every so many steps, such as a metric.

    Raises:
        RunError: no run there, another process writes it, no checkpoint is intact, or `experiment`
            differs from what the run was begun with.
    """
    run = Run.open(directory)
    described = run.arithmetic
    arithmetic = Arithmetic.read(described)
    if devices is not None and devices != arithmetic.devices:
        arithmetic = replace(arithmetic, devices=devices, threads=0)
    arithmetic = arithmetic.resolved()
    known = experiment or Experiment.from_json(run.experiment, trust)
    compare_with(run, known)
    known = known.with_steps(budget_of(run, known.steps, steps))
    place = launch(arithmetic, known.batch)
    writing = run.locked() if place.rank == 0 else contextlib.nullcontext()
    with enough_memory(), lost_process(place.world), writing:
        _go_on(run, Training(known, arithmetic, *place), described, show, progress, watch)
        leave(place.world)
    return run


def _go_on(
    run: Run, training: Training, described: dict[str, Any], show: bool, progress: Shown, watch: Watch | None
) -> None:
    """Restore the last good checkpoint, or begin at step 0 where the run died before its first one."""
    checkpoint, complaints = restore_last(training, run)
    settle_compilation(training)
    if training.rank:
        _follow(training)
    experiment = training.experiment
    before = {**described, **(checkpoint.state.get("arithmetic") or {} if checkpoint else {})}
    for line in [*complaints, *changes_since(before, training.arithmetic), standing(run, training)]:
        _say(line, show)
    if training.step == experiment.steps:
        return
    run.rewind(checkpoint, experiment.sample_every)
    run.picture(*looks.real(training, experiment.grid))
    run.describe(experiment.to_json(), description(training))
    _loop(training, run, show, progress, watch)


def _follow(training: Training) -> NoReturn:
    """The part of every process but the first, which ends with it."""
    with contextlib.suppress(Interrupted):
        _loop(training, None, show=False)
    leave(training.world)
    sys.exit(0)


def description(training: Training) -> dict[str, Any]:
    source = training.experiment.data
    known = {"shape": list(training.shape), "classes": list(source.classes)}
    return {**training.arithmetic.describe(), "data": training.data.fingerprint, "source": known}


def standing(run: Run, training: Training) -> str:
    if training.step == training.experiment.steps:
        return f"{run.path} has done its {training.step} steps; a longer budget goes on: --steps N"
    return f"{run.path} goes on from step {training.step}"


def _loop(
    training: Training, run: Run | None, show: bool, progress: Shown = Progress, watch: Watch | None = None
) -> None:
    """Step until the budget is spent. `run` is None in all processes but the first."""
    experiment = training.experiment
    shown = progress(experiment.steps, training.step, show and run is not None)
    with Signals() as signals, Recording(training, run) as recording, shown:
        if training.step == 0:
            recording.look()
            if watch:
                recording.watch(watch.look)
            recording.checkpoint()
        while training.step < experiment.steps:
            losses = training.advance()
            stop = stop_asked(signals.received, training)
            last = training.step == experiment.steps

            marked = due(training, experiment.checkpoint_every) or last or bool(stop)
            refuse_nonfinite(training, losses, run, thorough=marked or due(training, experiment.log_every))

            record = recording.log(losses) if due(training, experiment.log_every) else None
            if due(training, experiment.sample_every):
                recording.look()
            if watch and due(training, watch.every):
                recording.watch(watch.look)
            if marked:
                recording.checkpoint()
            if last:
                finish(training, recording, losses)
            shown.update(training.step, record)
            if stop and not last:
                raise interrupted(training, run, stop)


def finish(training: Training, recording: Recording, losses: Losses) -> None:
    """A last record and look where none was due; after the checkpoint, so that a longer budget drops them."""
    if not due(training, training.experiment.log_every):
        recording.log(losses)
    if not due(training, training.experiment.sample_every):
        recording.look()


def due(training: Training, every: int) -> bool:
    return training.step % every == 0


def compare_with(run: Run, experiment: Experiment) -> None:
    """Refuse to go on with another experiment than the run was begun with, and say what differs."""
    old, new = run.described, experiment.describe()
    lines = [line for line in differences(old, new) if not line.startswith("steps:")]
    if lines:
        raise RunError(
            f"{run.path} was begun with other settings ({'; '.join(lines)}); "
            "resume with those it was begun with, or begin a new run"
        )


def budget_of(run: Run, own: int, steps: int | None) -> int:
    """The steps to end at: the run's own budget, or a longer one."""
    begun = run.described.get("steps")
    if type(begun) is not int:
        raise RunError(f"{run.path}/experiment.json: expected steps, got {begun!r:.40}; begin again elsewhere")
    steps = max(own, begun) if steps is None else steps
    if steps < begun:
        raise RunError(f"{run.path} has a budget of {begun} steps; expected as many or more, got {steps}")
    return steps


def changes_since(described: dict[str, Any], arithmetic: Arithmetic) -> Iterator[str]:
    """A warning for each version or choice that is not what the run was begun with."""
    now = arithmetic.describe()
    for line in differences({k: described.get(k) for k in now}, now):
        yield f"{line}: the steps from here on may differ in their last bits"


def _say(line: str, show: bool) -> None:
    if show:
        warn(line)

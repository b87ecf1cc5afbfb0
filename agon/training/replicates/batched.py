"""The batched runner, for accelerators and tiny games: one program that steps all seeds at once."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from agon.errors import Interrupted
from agon.jobs import Ended, Outcome, failure
from agon.runs import Run
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.signals import Signals
from agon.training.beginning import take_weights
from agon.training.launch import launch
from agon.training.monitoring import Monitoring
from agon.training.opening import changes_since, continue_run, last_step, new_run, refuse_other_settings, resume_message
from agon.training.randomness import preserve_global_streams
from agon.training.recording import Recording
from agon.training.replicates.batched_training import BatchedTraining
from agon.training.replicates.equivalence import refuse_unequal
from agon.training.replicates.folder import Folder, Plan, name_of
from agon.training.restoring import restore_last
from agon.training.training import Training

PAUSE = 0.2  # seconds between two updates of the progress display


@dataclass
class Replicate:
    """The training of one seed.

    Attributes:
        seed: the seed.
        training: its training, at the step that it has reached.
        run: its run.
        recording: writes the run.
    """

    seed: int
    training: Training
    run: Run
    recording: Recording = field(init=False)

    @property
    def name(self) -> str:
        return name_of(self.seed)


class BatchedRunner:
    """Trains all seeds of a plan as one program.

    Seeds at the same step make their steps together; after an interruption there may be several such
    groups, which are trained one after another.

    Args:
        folder: the directory of the runs.
        plan: what to train.
        alarms: what looks at each training as it goes on.

    Raises:
        SettingError: the seeds cannot be trained together, or their results would differ from those alone.
    """

    def __init__(self, folder: Folder, plan: Plan, alarms: Monitoring | None = None) -> None:
        self.folder, self.plan, self.alarms = folder, plan, alarms
        self.signals = Signals()
        self.choices: dict[str, Any] = plan.compute.describe() | {"strategy": plan.strategy}
        self.ended: dict[str, Ended] = {}
        self.shown = 0.0  # time of the last update of the progress display
        with preserve_global_streams():
            torch.set_num_threads(plan.compute.threads)
            refuse_unequal(plan)

    def run(self, progress: MultiProgress) -> Outcome:
        """Train until all seeds have ended, or a signal has come."""
        with preserve_global_streams(), self.signals, ExitStack() as stack:
            device = launch(self.plan.compute, self.plan.experiment.batch).device
            replicates: list[Replicate] = []
            for seed in self.plan.seeds:
                with self._failing([name_of(seed)], progress):
                    replicates += self._opened(seed, device, progress, stack)
            for group in _at_the_same_step(replicates):
                with self._failing([replicate.name for replicate in group], progress):
                    if not self.signals.received:
                        self._train(group, progress)
        return Outcome(self.ended, self.signals.received)

    def _opened(
        self, seed: int, device: torch.device, progress: MultiProgress, stack: ExitStack
    ) -> Iterator[Replicate]:
        """Yield a seed's training, restored from its run or new; nothing if it is done."""
        experiment, run = self.plan.replicate(seed), self.folder.run(seed)
        begun = run.begun
        if begun:
            refuse_other_settings(run, experiment)
            experiment = experiment.with_steps(last_step(run, experiment))
        compute = replace(self.plan.compute, memory=self.plan.compute.memory / len(self.plan.seeds))
        training = Training(experiment, compute, device)
        if begun:
            stack.enter_context(run.locked())
            unfinished = self._restored(name_of(seed), training, run, progress)
        else:
            opened = new_run(training, run.path, self.choices, take_weights(training))
            run, unfinished = stack.enter_context(opened), True
        if unfinished:
            yield Replicate(seed, training, run)

    def _restored(self, name: str, training: Training, run: Run, progress: MultiProgress) -> bool:
        """Restore a training from its run's last good checkpoint; return whether there are steps left."""
        checkpoint, complaints = restore_last(training, run)
        if checkpoint is None:
            take_weights(training)
        changes = changes_since(run.compute, self.plan.compute)
        for line in (*complaints, *changes, resume_message(run, training)):
            progress.say(f"{name}: {line}")
        if training.step == training.experiment.steps:
            self._done(name, progress)
            return False
        continue_run(training, run, checkpoint, self.choices)
        return True

    def _train(self, group: Sequence[Replicate], progress: MultiProgress) -> None:
        """Train a group until all of its seeds have ended or a signal has come."""
        batched = BatchedTraining([replicate.training for replicate in group])
        with ExitStack() as stack:
            for replicate in group:
                recording = _recording(replicate, progress, self.alarms)
                replicate.recording = stack.enter_context(recording)
                with self._failing([replicate.name], progress), replicate.training.streams.held():
                    recording.begin()
                    recording.show_step(replicate.training.step, None)
            stop = 0
            while not stop and (left := [replicate for replicate in group if replicate.name not in self.ended]):
                with self._failing([replicate.name for replicate in left], progress):
                    stop = self._step(group, batched, progress)
        for replicate in group:
            if replicate.name not in self.ended:
                progress.drop(replicate.name)

    def _step(self, group: Sequence[Replicate], batched: BatchedTraining, progress: MultiProgress) -> int:
        """Make one step of all seeds, and record it; return the number of the signal that came meanwhile, or 0."""
        losses = batched.advance()
        stop = self.signals.received
        on_cpu = group[0].training.device.type == "cpu"
        finite = batched.finite(losses) if on_cpu else [True] * len(group)
        for index, replicate in enumerate(group):
            training, recording = replicate.training, replicate.recording
            if replicate.name not in self.ended and (stop or not finite[index] or recording.anything_due()):
                with self._failing([replicate.name], progress), training.streams.held():
                    recording.after_step(batched.own(index, losses), stop)
                    if training.step == training.experiment.steps:
                        self._done(replicate.name, progress)
        if time.monotonic() - self.shown >= PAUSE:
            self.shown = time.monotonic()
            for replicate in group:
                if replicate.name not in self.ended:
                    replicate.recording.show_step(replicate.training.step, None)
        return stop

    def _done(self, name: str, progress: MultiProgress) -> None:
        self.ended[name] = Ended(0, "")
        progress.done(name)

    @contextmanager
    def _failing(self, names: Sequence[str], progress: MultiProgress) -> Iterator[None]:
        """Let an error end these seeds only; an interruption is not an error."""
        try:
            yield
        except Interrupted:
            return
        except Exception as error:
            ended = failure(error, progress.say)
            for name in (name for name in names if name not in self.ended):
                self.ended[name] = ended
                progress.fail(name, ended.sentence)


def _recording(replicate: Replicate, progress: MultiProgress, alarms: Monitoring | None) -> Recording:
    """A recording of a seed's run that shows its progress, and its alarms, in the common display."""
    name, steps = replicate.name, replicate.training.experiment.steps
    return Recording(
        replicate.training,
        replicate.run,
        lambda step, record: progress.update(name, step, steps, record),
        alarms=alarms,
        say=lambda line: progress.say(f"{name}: {line}"),
    )


def _at_the_same_step(replicates: Sequence[Replicate]) -> list[list[Replicate]]:
    """Group replicates by step and budget; the furthest comes first."""
    groups: dict[tuple[int, int], list[Replicate]] = {}
    for replicate in replicates:
        key = replicate.training.step, replicate.training.experiment.steps
        groups.setdefault(key, []).append(replicate)
    return [groups[key] for key in sorted(groups, reverse=True)]

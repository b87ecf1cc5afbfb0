"""What happens after a training's step: log, samples, callback, checkpoint, stop. Only this module decides it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from agon.errors import AgonError, SettingError, StoppedError
from agon.games import Losses
from agon.runs import Run, append
from agon.runs.history import steps_of_history
from agon.runs.layout import IMAGES
from agon.runs.mirrors import Mirror
from agon.runs.snapshots import snapshot
from agon.runs.tracking import Trackers
from agon.terminal import warn
from agon.training.agreement import agreed_signal, interrupted, refuse_nonfinite
from agon.training.labels import class_rows
from agon.training.monitoring import Look, Monitoring
from agon.training.released import light
from agon.training.state import capture, marks_of_others, random_states_of_others
from agon.training.training import Training

CallbackFunction = Callable[[Training, Run], object]
ShowStep = Callable[[int, Mapping[str, float] | None], object]


@runtime_checkable
class Checking(Protocol):
    """A function of a callback that can tell beforehand what it would refuse."""

    def check(self, training: Training) -> None:
        """Raise the AgonError that a call would end with."""


@dataclass(frozen=True)
class Callback:
    """A function that is called during a training, and must not change it.

    An AgonError that it raises ends the training at step 0; later it becomes a warning, and the training continues.
    Where the function has a method `check`, that is asked before a new run's directory is made.

    Attributes:
        every: steps between two calls; the first call is at step 0.
        function: called with the training and its run; scores that it returns go to the trackers.

    Raises:
        SettingError: the number of steps is under 1.
    """

    every: int
    function: CallbackFunction

    def __post_init__(self) -> None:
        if self.every < 1:
            raise SettingError(f"every: expected a call every 1 step or more, got {self.every}")

    def check(self, training: Training) -> None:
        """Raise the AgonError that the function can tell beforehand; nothing if it can tell none."""
        function: object = self.function
        if isinstance(function, Checking):
            function.check(training)


class Recording:
    """Records one training in its run: call `begin` before the first step, and `after_step` after each step.

    `train` and `resume` use it, and so does each seed of a batched training.

    Args:
        training: the training to record.
        run: where to record it; None in all processes but the first.
        show_step: called with each recorded step, and its record if there is one.
        callback: called every so many steps.
        alarms: makes what looks at the training as it goes on.
        say: prints a line of an alarm, or about the run's storage.
    """

    def __init__(
        self,
        training: Training,
        run: Run | None,
        show_step: ShowStep,
        callback: Callback | None = None,
        alarms: Monitoring | None = None,
        say: Callable[[str], object] = warn,
    ) -> None:
        self.training, self.run, self.show_step, self.callback = training, run, show_step, callback
        self.say, self.monitored = say, alarms is not None
        self.monitor = alarms(training, run) if alarms and run else None
        self.trackers = Trackers(run.path, training.step) if run else None
        self.light = frozenset(steps_of_history(training.experiment.steps, training.experiment.snapshots))
        self.began = time.monotonic() - training.seconds
        self.last_log = time.monotonic(), training.images
        self.mirror = Mirror.of(run.path) if run else None

    def begin(self) -> None:
        """Record the state before the first step of a new training; nothing if a run resumes."""
        if self.training.step == 0:
            self._save_samples()
            self._call_callback()
            self._save_checkpoint()
            self._look(saved=True)

    def after_step(self, losses: Losses, signal: int = 0) -> None:
        """Do everything that is due after a step.

        Args:
            losses: the step's losses.
            signal: the number of the signal that this process has received, or 0.

        Raises:
            DivergedError: a loss or a parameter is no longer finite.
            StoppedError: an alarm stops the training; a checkpoint is written.
            Interrupted: a signal came, to this process or another one; a checkpoint is written.
        """
        training, experiment = self.training, self.training.experiment
        if self.mirror:
            self.mirror.speak(self.say)
        stop = agreed_signal(signal, training)
        last = training.step == experiment.steps
        log_due = self._due(experiment.log_every)
        checkpoint_due = self._due(experiment.checkpoint_every) or last or bool(stop)
        light_due = training.step in self.light
        refuse_nonfinite(training, losses, self.run, thorough=checkpoint_due or log_due or light_due)

        record = self._log(losses) if log_due else None
        sampled = self._due(experiment.sample_every)
        if sampled:
            self._save_samples()
        if self.callback and self._due(self.callback.every):
            self._call_callback()
        if light_due and self.run:  # before the checkpoint, after which the training would not come back to it
            self.run.save_light(light(capture(training)))
        if checkpoint_due:
            self._save_checkpoint()
        if last:
            self._finish(losses)
        self.show_step(training.step, record)
        if log_due or sampled or last:
            self._look(saved=checkpoint_due)
        if stop and not last:
            raise interrupted(training, self.run, stop)

    def pause(self) -> None:
        """Save a checkpoint before the budget is spent, unless `after_step` has just done so."""
        step, experiment = self.training.step, self.training.experiment
        if step < experiment.steps and not self._due(experiment.checkpoint_every):
            self._save_checkpoint()

    def anything_due(self) -> bool:
        """Whether `after_step` has anything to write after the current step, if no signal has come."""
        experiment = self.training.experiment
        marks = (experiment.log_every, experiment.sample_every, experiment.checkpoint_every, experiment.steps)
        due = any(map(self._due, (*marks, self.callback.every) if self.callback else marks))
        return due or self.training.step in self.light

    def _due(self, every: int) -> bool:
        return self.training.step % every == 0

    def _log(self, losses: Losses) -> dict[str, float]:
        """Write a record to the log and to the trackers; values that depend on the clock are under "wall/"."""
        record = self.training.record(losses)
        now, (last, images) = time.monotonic(), self.last_log
        record["wall/seconds"] = now - self.began
        record["wall/images_per_second"] = (self.training.images - images) / max(now - last, 1e-9)
        self.last_log = now, self.training.images
        if self.run:
            append(self.run.log, record)
        if self.trackers:
            self.trackers.add(record)
        return record

    def _save_samples(self) -> None:
        """Save a grid of samples from the fixed latents, unless the game generates nothing; a row shows one class."""
        training = self.training
        if self.run and training.game.generating_players:
            latents, labels, columns = training.fixed_latents(training.shown), None, None
            if training.game.generated_classes:
                labels, columns = class_rows(training.shown, training.game.generated_classes)
                latents = latents[: len(labels)]
            samples = training.samples(latents, labels)
            name, content = snapshot(samples, training.experiment.data, training.step, columns)
            self.run.picture(name, content)
            if self.trackers and name.endswith(IMAGES):
                self.trackers.show("samples", content, training.step)

    def _call_callback(self) -> None:
        """Call the callback; its time does not count as training time in the log."""
        if not self.run or not self.callback:
            return
        (last, images), began = self.last_log, time.monotonic()
        try:
            result = self.callback.function(self.training, self.run)
            if self.trackers and isinstance(result, list | tuple):
                self.trackers.score(result, self.training.step)
        except AgonError as error:
            if self.training.step == 0:
                raise
            warn(f"at step {self.training.step}: {error.typed}")
        self.last_log = last + time.monotonic() - began, images

    def _look(self, saved: bool) -> None:
        """Let the monitor look; if it stops the training, all processes stop, with a checkpoint of this step."""
        training = self.training
        last = training.step == training.experiment.steps
        look = self.monitor.look(last) if self.monitor else Look()
        for line in look.lines:
            if not look.stop:
                self.say(line)
            if self.trackers:
                self.trackers.note("alarms", line, training.step)
        if self.monitored and agreed_signal(bool(look.stop), training) and not last:
            if not saved:
                self._save_checkpoint()
            raise StoppedError(look.stop)

    def _save_checkpoint(self) -> None:
        """Save everything that is needed to resume."""
        self.training.seconds = time.monotonic() - self.began
        others = random_states_of_others(self.training) | marks_of_others(self.training)
        if self.run:
            checkpoint = capture(self.training)
            spared = self.monitor.spared(self.run.kept) if self.monitor else ()
            whole = replace(checkpoint, tensors=checkpoint.tensors | others)
            self.run.save(whole, self.training.experiment.keep, spared)
            if self.mirror:
                self.mirror.notify()

    def _finish(self, losses: Losses) -> None:
        """Write a last record and samples if none were due; a resumed run drops them, as they follow the checkpoint."""
        if not self._due(self.training.experiment.log_every):
            self._log(losses)
        if not self._due(self.training.experiment.sample_every):
            self._save_samples()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if self.trackers:
            self.trackers.close()
        if self.mirror:
            self.mirror.close(ended=error is None)

"""What happens after a training's step: log, samples, watch, checkpoint, stop. The only place that decides it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from agon.errors import AgonError, installed
from agon.games import Losses
from agon.runs import Events, Run, append
from agon.runs.layout import EVENTS
from agon.terminal import warn
from agon.training import looks
from agon.training.agreement import interrupted, refuse_nonfinite, stop_asked
from agon.training.state import capture, random_states_of_others
from agon.training.training import Training

Look = Callable[[Training, Run], object]
ShowStep = Callable[[int, Mapping[str, float] | None], object]


class Callback(NamedTuple):
    """What looks at a training while it goes on, and leaves it as it was.

    What a user can mend ends the training if the look at step 0 finds it; later it is said, and the training goes on.

    Attributes:
        every: steps from one look to the next; the first is at step 0.
        look: is given the training and its run.
    """

    every: int
    look: Look


class Recording:
    """Writes one training's run: call `begin` before the first step, and `after_step` after each.

    `train` and `resume` use it, and so does each seed of a batched training.

    Args:
        training: what is recorded.
        run: where; None in all processes but the first, which take part in what needs all of them.
        show_step: is given each step that is recorded, and its record if there is one.
        callback: what else looks at the training every so many steps.
    """

    def __init__(
        self, training: Training, run: Run | None, show_step: ShowStep, callback: Callback | None = None
    ) -> None:
        self.training, self.run, self.show_step, self.callback = training, run, show_step, callback
        self.events = Events(run.path / EVENTS, training.step) if run and installed("tensorboard") else None
        self.began = time.monotonic() - training.seconds
        self.last_log = time.monotonic(), training.images

    def begin(self) -> None:
        """What is due before the first step of a new training; nothing where one goes on."""
        if self.training.step == 0:
            self._save_samples()
            self._look()
            self._save_checkpoint()

    def after_step(self, losses: Losses, signal: int = 0) -> None:
        """All that is due after the step just done.

        Args:
            losses: of that step.
            signal: the number of the signal that this process has received, or 0.

        Raises:
            DivergedError: a loss or a parameter is no finite number any more.
            Interrupted: a signal came, to this process or another one; a checkpoint is written.
        """
        training, experiment = self.training, self.training.experiment
        stop = stop_asked(signal, training)
        last = training.step == experiment.steps
        log_due = self._due(experiment.log_every)
        checkpoint_due = self._due(experiment.checkpoint_every) or last or bool(stop)
        refuse_nonfinite(training, losses, self.run, thorough=checkpoint_due or log_due)

        record = self._log(losses) if log_due else None
        if self._due(experiment.sample_every):
            self._save_samples()
        if self.callback and self._due(self.callback.every):
            self._look()
        if checkpoint_due:
            self._save_checkpoint()
        if last:
            self._finish(losses)
        self.show_step(training.step, record)
        if stop and not last:
            raise interrupted(training, self.run, stop)

    def anything_due(self) -> bool:
        """Whether `after_step` has anything to write after the present step, if no signal has come."""
        experiment = self.training.experiment
        marks = (experiment.log_every, experiment.sample_every, experiment.checkpoint_every, experiment.steps)
        return any(map(self._due, (*marks, self.callback.every) if self.callback else marks))

    def _due(self, every: int) -> bool:
        return self.training.step % every == 0

    def _log(self, losses: Losses) -> dict[str, float]:
        """One record, to the log and to TensorBoard; what depends on the clock is under "wall/"."""
        record = self.training.record(losses)
        now, (then, images) = time.monotonic(), self.last_log
        record["wall/seconds"] = now - self.began
        record["wall/images_per_second"] = (self.training.images - images) / max(now - then, 1e-9)
        self.last_log = now, self.training.images
        if self.run:
            append(self.run.log, record)
        if self.events:
            self.events.add(record)
        return record

    def _save_samples(self) -> None:
        """A grid of samples from the fixed latents; none of a game that generates nothing."""
        if self.run and self.training.game.generating_players:
            self.run.picture(*looks.generated(self.training, self.training.experiment.grid))

    def _look(self) -> None:
        """Let the watch look at the training; its time is not the training's."""
        if not self.run or not self.callback:
            return
        (then, images), began = self.last_log, time.monotonic()
        try:
            self.callback.look(self.training, self.run)
        except AgonError as error:
            if self.training.step == 0:
                raise
            warn(f"at step {self.training.step}: {error.typed}")
        self.last_log = then + time.monotonic() - began, images

    def _save_checkpoint(self) -> None:
        """All that is needed to go on from here."""
        self.training.seconds = time.monotonic() - self.began
        others = random_states_of_others(self.training)
        if self.run:
            checkpoint = capture(self.training)
            self.run.save(replace(checkpoint, tensors=checkpoint.tensors | others))

    def _finish(self, losses: Losses) -> None:
        """A last record and samples where none were due; after the checkpoint, so that a longer budget drops them."""
        if not self._due(self.training.experiment.log_every):
            self._log(losses)
        if not self._due(self.training.experiment.sample_every):
            self._save_samples()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        if self.events:
            self.events.close()

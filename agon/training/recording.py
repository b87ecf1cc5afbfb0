"""What a training leaves behind at its marks: a record, a look at its samples, a checkpoint."""

import time
from collections.abc import Callable
from dataclasses import replace

from agon.errors import AgonError, installed
from agon.games import Losses
from agon.runs import Events, Run, append
from agon.terminal import warn
from agon.training import looks
from agon.training.state import capture, random_states_of_others
from agon.training.training import Training

Look = Callable[[Training, Run], object]


class Recording:
    """Writes one training's run.

    Args:
        training: what is recorded.
        run: where; None in all processes but the first, which take part in what needs all of them.
    """

    def __init__(self, training: Training, run: Run | None) -> None:
        self.training, self.run = training, run
        self.events = Events(run.path / "tensorboard", training.step) if run and installed("tensorboard") else None
        self.began = time.monotonic() - training.seconds
        self.mark = time.monotonic(), training.images

    def log(self, losses: Losses) -> dict[str, float]:
        """One record, to the log and to TensorBoard; what depends on the clock is under "wall/"."""
        record = self.training.record(losses)
        now, (then, images) = time.monotonic(), self.mark
        record["wall/seconds"] = now - self.began
        record["wall/images_per_second"] = (self.training.images - images) / max(now - then, 1e-9)
        self.mark = now, self.training.images
        if self.run:
            append(self.run.log, record)
        if self.events:
            self.events.add(record)
        return record

    def look(self) -> None:
        """A grid of samples from the fixed latents; none of a game that generates nothing."""
        if self.run and self.training.game.makers:
            self.run.picture(*looks.generated(self.training, self.training.experiment.grid))

    def watch(self, look: Look) -> None:
        """What else looks at the training; its time is not the training's."""
        if not self.run:
            return
        (then, images), began = self.mark, time.monotonic()
        try:
            look(self.training, self.run)
        except AgonError as error:
            if self.training.step == 0:
                raise
            warn(f"at step {self.training.step}: {error.typed}")
        self.mark = then + time.monotonic() - began, images

    def checkpoint(self) -> None:
        """All that is needed to go on from here."""
        self.training.seconds = time.monotonic() - self.began
        others = random_states_of_others(self.training)
        if self.run:
            checkpoint = capture(self.training)
            self.run.save(replace(checkpoint, tensors=checkpoint.tensors | others))

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        if self.events:
            self.events.close()

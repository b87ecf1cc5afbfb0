"""The means for an accelerator and for tiny games: all seeds as one program, a step of each at once."""

import os
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import torch

from agon.errors import AgonError
from agon.games import Losses
from agon.replicates.board import Board
from agon.replicates.folder import Folder
from agon.replicates.job import name
from agon.replicates.joint import Joint
from agon.replicates.plan import Plan
from agon.replicates.processes import Outcome
from agon.replicates.trial import aside, refuse_unlike
from agon.replicates.worker import PAUSE, Ended
from agon.runs import Run
from agon.training import Training, looks
from agon.training.agreement import refuse_nonfinite
from agon.training.launch import launch
from agon.training.loop import budget_of, changes_since, compare_with, description, due, finish, standing
from agon.training.recording import Recording
from agon.training.restoring import restore_last
from agon.training.signals import Signals


@dataclass
class Track:
    """One seed under way.

    Attributes:
        seed: its number.
        training: it, at the step that it has reached.
        run: where it is written.
    """

    seed: int
    training: Training
    run: Run
    recording: Recording = field(init=False)

    @property
    def name(self) -> str:
        return name(self.seed)


class Together:
    """Trains all seeds of a plan as one program.

    Those that are at the same step make their steps together; after an interruption there may be
    several such groups, which are trained one after another.

    Args:
        folder: where the runs are.
        plan: what is trained.

    Raises:
        SettingError: the seeds cannot be trained together, or would not be what they are alone.
    """

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self.folder, self.plan, self.signals = folder, plan, Signals()
        self.ended: dict[int, Ended] = {}
        self.told = 0.0  # when the board was
        with aside():
            torch.set_num_threads(plan.arithmetic.threads)
            refuse_unlike(plan)

    def work(self, board: Board) -> Outcome:
        """Until all have ended, or a signal has come and was honoured."""
        with aside(), self.signals, ExitStack() as stack:
            device = launch(self.plan.arithmetic, self.plan.experiment.batch).device
            tracks: list[Track] = []
            for seed in self.plan.seeds:
                with self._watched([seed], board):
                    tracks += self._opened(seed, device, board, stack)
            for group in _alike(tracks):
                with self._watched([track.seed for track in group], board):
                    if not self.signals.received:
                        self._train(group, board)
        return Outcome({name(seed): ended for seed, ended in self.ended.items()}, self.signals.received)

    def _opened(self, seed: int, device: torch.device, board: Board, stack: ExitStack) -> Iterator[Track]:
        """A seed's training where its run has it, or at its beginning; nothing if it is done."""
        experiment, run = self.plan.replicate(seed), self.folder.run(seed)
        begun = self.folder.begun(seed)
        if begun:
            compare_with(run, experiment)
            experiment = experiment.with_steps(budget_of(run, experiment.steps, None))
        arithmetic = replace(self.plan.arithmetic, memory=self.plan.arithmetic.memory / len(self.plan.seeds))
        training = Training(experiment, arithmetic, device)
        stack.enter_context((run if begun else Run.create(run.path)).locked())
        if begun and not self._found(seed, training, run, board):
            return
        run.picture(*looks.real(training, experiment.grid))
        own = self.plan.arithmetic.describe() | {"means": self.plan.means}
        run.describe(experiment.to_json(), description(training) | own)
        yield Track(seed, training, run)

    def _found(self, seed: int, training: Training, run: Run, board: Board) -> bool:
        """Bring a training to its run's last good checkpoint; whether there are steps left."""
        checkpoint, complaints = restore_last(training, run)
        for line in (
            *complaints,
            *changes_since(run.arithmetic, self.plan.arithmetic),
            standing(run, training),
        ):
            board.say(f"{name(seed)}: {line}")
        if training.step == training.experiment.steps:
            self._done(seed, board)
            return False
        run.rewind(checkpoint, training.experiment.sample_every)
        return True

    def _train(self, group: Sequence[Track], board: Board) -> None:
        """A group's steps, until each of its seeds has ended or a signal has come."""
        joint, stop = Joint([track.training for track in group]), 0
        with ExitStack() as stack:
            for track in group:
                track.recording = stack.enter_context(Recording(track.training, track.run))
                with self._watched([track.seed], board), track.training.streams.held():
                    _begin(track, board)
            while not stop and (left := [track for track in group if track.seed not in self.ended]):
                with self._watched([track.seed for track in left], board):
                    stop = self._step(group, joint, board)
        for track in group:
            if track.seed not in self.ended:
                board.drop(track.name)

    def _step(self, group: Sequence[Track], joint: Joint, board: Board) -> int:
        """One step of all, and what is due after it; the number of the signal that came meanwhile, or 0."""
        losses = joint.advance()
        stop = self.signals.received
        finite = joint.finite(losses) if group[0].training.device.type == "cpu" else [True] * len(group)
        for index, track in enumerate(group):
            if track.seed not in self.ended and (stop or not finite[index] or _is_marked(track.training)):
                with self._watched([track.seed], board), track.training.streams.held():
                    self._mark(track, joint.own(index, losses), stop, board)
        if time.monotonic() - self.told >= PAUSE:
            self.told = time.monotonic()
            for track in group:
                if track.seed not in self.ended:
                    board.update(track.name, track.training.step, track.training.experiment.steps)
        return stop

    def _mark(self, track: Track, losses: Losses, stop: int, board: Board) -> None:
        """What a training alone does after a step."""
        training, experiment, recording = track.training, track.training.experiment, track.recording
        last = training.step == experiment.steps
        checkpointed = due(training, experiment.checkpoint_every) or last or bool(stop)
        logged = due(training, experiment.log_every)
        refuse_nonfinite(training, losses, track.run, thorough=checkpointed or logged)
        record = recording.log(losses) if logged else None
        if due(training, experiment.sample_every):
            recording.look()
        if checkpointed:
            recording.checkpoint()
        board.update(track.name, training.step, experiment.steps, record)
        if last:
            finish(training, recording, losses)
            self._done(track.seed, board)

    def _done(self, seed: int, board: Board) -> None:
        self.ended[seed] = Ended(0, "")
        board.done(name(seed))

    @contextmanager
    def _watched(self, seeds: Sequence[int], board: Board) -> Iterator[None]:
        """Within it, an error ends these seeds and no others."""
        try:
            yield
        except Exception as error:
            if isinstance(error, AgonError):
                ended = Ended(error.status, error.typed)
            else:
                ended = Ended(1, f"{error!r}; AGON_DEBUG=1 shows where it was raised")
                if "AGON_DEBUG" in os.environ:
                    board.say(traceback.format_exc())
            for seed in (seed for seed in seeds if seed not in self.ended):
                self.ended[seed] = ended
                board.fail(name(seed), ended.sentence)


def _begin(track: Track, board: Board) -> None:
    """What a training alone does before its first step."""
    if track.training.step == 0:
        track.recording.look()
        track.recording.checkpoint()
    board.update(track.name, track.training.step, track.training.experiment.steps)


def _alike(tracks: Sequence[Track]) -> list[list[Track]]:
    """Those at the same step of the same budget; who is furthest comes first."""
    groups: dict[tuple[int, int], list[Track]] = {}
    for track in tracks:
        groups.setdefault((track.training.step, track.training.experiment.steps), []).append(track)
    return [groups[key] for key in sorted(groups, reverse=True)]


def _is_marked(training: Training) -> bool:
    """Whether anything is due after the present step."""
    experiment = training.experiment
    marks = (experiment.log_every, experiment.sample_every, experiment.checkpoint_every, experiment.steps)
    return any(due(training, every) for every in marks)

"""A run at step 0: networks as they are initialised, which every claim about training must fail."""

import time
from pathlib import Path

import torch

from agon.errors import RunError
from agon.experiment import Experiment
from agon.runs import Run, append
from agon.runs.files import remove
from agon.training.compute import Compute
from agon.training.memory import enough_memory
from agon.training.opening import new_run, refuse_other_settings
from agon.training.recording import Callback, Recording
from agon.training.training import Training

PASSES = 30  # momentum 0.1 leaves 0.9^30 = 4 % of the statistics' first values


def untrained_run(
    experiment: Experiment,
    directory: Path | str,
    *,
    compute: Compute | None = None,
    callback: Callback | None = None,
) -> Run:
    """Write the run of an experiment that has made no step, or return the one that is there.

    The weights are those of the experiment's seed, the averaged ones equal to them. The running statistics of batch
    normalisation are settled by `PASSES` passes of the losses over batches of the training, so that each network sees
    what it sees in a training. The log has the losses of these passes, all at step 0; samples, scores of the callback
    and the only checkpoint are those of step 0.

    Args:
        experiment: what would be trained.
        directory: the run directory; new, or of such a run.
        compute: how to compute; by default on the best device in float32.
        callback: called once.

    Raises:
        RunError: the directory holds another run, or one that was trained since.
        DataError: the data cannot be read.
    """
    run = Run(directory)
    if run.begun and not run.kept:  # its writer was killed
        remove(run.path)
    if run.begun:
        refuse_other_settings(run, experiment.settled())
        if run.kept != [0]:
            raise RunError(f"{run.path}: expected a run at step 0, got one at step {run.kept[-1]}; remove it")
        return run
    resolved = (compute or Compute()).resolved()
    with enough_memory():
        training = Training(experiment.settled(), resolved, torch.device(resolved.device))
        with new_run(training, directory) as run:
            _settle(training, run)
            with Recording(training, run, lambda step, record: None, callback) as recording:
                recording.begin()
    return run


def _settle(training: Training, run: Run) -> None:
    """Pass batches through all networks, without moving a weight, and log the losses."""
    began, players, images = time.monotonic(), tuple(training.game.players), training.experiment.batch
    for done in range(1, PASSES + 1):
        with training.streams.held(), training.compute.autocast():
            losses = training.game.losses(training.draw(), of=players)
        seconds = time.monotonic() - began
        wall = {"wall/seconds": seconds, "wall/images_per_second": done * images / max(seconds, 1e-9)}
        append(run.log, {**training.record(losses), **wall})

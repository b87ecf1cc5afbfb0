"""How many steps of a training fit into a number of minutes, measured by the first of them."""

import time
from collections.abc import Callable
from dataclasses import replace

from agon.errors import SettingError
from agon.experiment import Experiment
from agon.experiment.experiment import MOST
from agon.terminal.waiting import stage
from agon.training.compute import Compute
from agon.training.launch import launch
from agon.training.memory import enough_memory
from agon.training.randomness import preserve_global_streams
from agon.training.training import Training

WARM = 2  # steps before the clock starts, in which memory is found and data are opened
ENOUGH = 3.0  # seconds to measure
FEWEST, MANY = 2, 50  # steps to measure
SHARE = 0.95  # of the time for the steps; the rest goes to pictures and checkpoints


def within(
    experiment: Experiment,
    minutes: float,
    compute: Compute | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Experiment:
    """The experiment with as many steps as fit into some minutes on this machine, and 20 pictures and 10 checkpoints.

    It trains a few steps and forgets them, so the experiment itself begins at step 0 and may be repeated elsewhere:
    the number of steps is one of its settings.

    Args:
        experiment: what is to be trained.
        minutes: the budget, above 0.
        compute: device, precision and threads of the training.
        clock: in seconds; `time.process_time` does not count other processes, if there is one thread.

    Raises:
        SettingError: the budget is no time, or the training would take several processes.
    """
    compute = (compute or Compute()).resolved()
    if not minutes > 0:
        raise SettingError(f"minutes: expected a number above 0, got {minutes}")
    if compute.devices > 1:
        raise SettingError(f"minutes: expected one process, got {compute.devices}; give the number of steps")
    seconds = seconds_per_step(experiment, compute, clock)
    steps = min(MOST["steps"], max(1, int(60 * minutes * SHARE / seconds)))
    note = f"{steps:,} steps: a step took {seconds:.2g} s here, and the budget is {minutes:g} minutes"
    return replace(
        experiment,
        steps=steps,
        log_every=max(1, min(50, steps // 100)),
        sample_every=max(1, steps // 20),
        checkpoint_every=max(1, steps // 10),
        notes=(*experiment.notes, note),
    )


def seconds_per_step(experiment: Experiment, compute: Compute, clock: Callable[[], float]) -> float:
    """The mean time of a step after the first ones."""
    place = launch(compute, experiment.batch)
    with stage("measuring how long a step takes"), enough_memory(), preserve_global_streams():
        training = Training(experiment, compute, *place)
        for _ in range(WARM):
            training.advance()
        begun, steps = clock(), 0
        while steps < FEWEST or (steps < MANY and clock() - begun < ENOUGH):
            training.record(training.advance())  # reading a number waits until a GPU has computed it
            steps += 1
    return max(clock() - begun, 1e-9) / steps

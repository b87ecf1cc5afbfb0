"""Choose the fastest strategy by measurement."""

import time
from typing import NamedTuple

import torch

from agon.errors import SettingError
from agon.training.compilation import choose_compilation
from agon.training.randomness import preserve_global_streams
from agon.training.replicates.batched_training import BatchedTraining
from agon.training.replicates.equivalence import refuse_unequal, trainings
from agon.training.replicates.folder import Plan
from agon.training.replicates.many import at_once
from agon.training.training import Training

WORTH = 1_000  # steps below which measuring never pays
PAYS = 60.0  # seconds of training below which measuring does not pay, as it may compile
SLOW = 0.05  # seconds; in longer steps on a CPU, arithmetic takes the time, not launches
WARM, TIMED = 3, 20  # warm-up steps (they compile and allocate), and timed steps
PATIENCE = 2.0  # seconds of timing, if steps are long
GAIN = 2.0  # speed-up on a CPU that is worth a difference in the last bits


class StrategyChoice(NamedTuple):
    """The chosen strategy, and the reason.

    Attributes:
        strategy: a name in `STRATEGIES`.
        why: the measured times, or why seeds cannot be batched; empty if nothing was tried.
    """

    strategy: str
    why: str


def choose_strategy(plan: Plan) -> StrategyChoice:
    """Choose the strategy for a plan.

    On a CPU, processes give bit-identical results, so batched training must be twice as fast to be chosen;
    on an accelerator, where processes can only take turns, it must not be slower.
    """
    cpu = plan.compute.device == "cpu"
    if cpu and (plan.experiment.steps < WORTH or len(plan.seeds) <= GAIN * at_once(plan.compute)):
        return StrategyChoice("processes", "")
    try:
        if not cpu:
            refuse_unequal(plan)
        if plan.experiment.steps < WORTH:
            return StrategyChoice("batched", "")
        choice = _measured(plan, GAIN if cpu else 1.0)
        if cpu and choice.strategy == "batched":
            refuse_unequal(plan)
    except SettingError as error:
        return StrategyChoice("processes", str(error).partition(";")[0])
    return choice


def _measured(plan: Plan, gain: float) -> StrategyChoice:
    """Choose by timing a few steps of one training alone, and of all batched, each compiled if that is due."""
    device, count, cpu = torch.device(plan.compute.device), len(plan.seeds), plan.compute.device == "cpu"
    share = count / min(at_once(plan.compute), count)  # seeds per process
    with preserve_global_streams():
        torch.set_num_threads(plan.compute.threads)
        (alone,) = trainings(plan, plan.seeds[:1], plan.compute, device)
        single = seconds(alone, warm=1)
        if cpu and single > SLOW:
            why = f"a step of {1000 * single:.3g} ms is too long for batched seeds to gain"
            return StrategyChoice("processes", why)
        if single * share * plan.experiment.steps < PAYS:
            return StrategyChoice("processes" if cpu else "batched", "")
        choose_compilation(alone)
        by_processes = min(single, seconds(alone)) * share
        try:
            batched = seconds(BatchedTraining(trainings(plan, plan.seeds, plan.compute, device)))
        except SettingError:
            raise
        except Exception as error:  # vmap fails, or memory is full
            raise SettingError(f"batched seeds fail ({str(error).partition('.')[0]})") from error
    why = f"a step of all {count} takes {1000 * batched:.3g} ms batched and {1000 * by_processes:.3g} ms by processes"
    return StrategyChoice("batched" if batched * gain <= by_processes else "processes", why)


def seconds(training: Training | BatchedTraining, warm: int = WARM) -> float:
    """Seconds of one step: the shortest of several, as other processes may disturb some."""
    device, taken = torch.device(training.compute.device), list[float]()
    while len(taken) < warm + TIMED and sum(taken[warm:]) < PATIENCE:
        began = time.perf_counter()
        training.advance()
        _wait(device)
        taken.append(time.perf_counter() - began)
    return min(taken[warm:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

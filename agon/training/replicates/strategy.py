"""Which strategy measures fastest."""

import time
from typing import NamedTuple

import torch

from agon.errors import SettingError
from agon.training.compilation import settle_compilation
from agon.training.randomness import aside
from agon.training.replicates.batched_training import BatchedTraining
from agon.training.replicates.equivalence import refuse_unequal, trainings
from agon.training.replicates.folder import Plan
from agon.training.replicates.many import at_once
from agon.training.training import Training

WORTH = 1_000  # steps from which it may pay to measure
PAYS = 60.0  # seconds of training from which it does: compiling what is measured takes some
SLOW = 0.05  # seconds of a step from which on a CPU it is arithmetic that takes the time, not launches
WARM, TIMED = 3, 20  # steps that are not counted (they compile, and allocate), and those that are
PATIENCE = 2.0  # seconds, where steps are long
GAIN = 2.0  # how much faster a CPU must be for the last bits to be given up


class StrategyChoice(NamedTuple):
    """What is chosen, and why.

    Attributes:
        strategy: a name in `STRATEGIES`.
        why: the measured times, or what stands against batched seeds; empty where nothing was tried.
    """

    strategy: str
    why: str


def chosen(plan: Plan) -> StrategyChoice:
    """The strategy for a plan.

    On a CPU processes give bit for bit what a seed gives alone, and one program must be twice as fast
    to be chosen instead; on an accelerator, where processes can only take turns, it must not be slower.
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
    """By a few steps of one training alone, and of all together, each compiled where that is due."""
    device, count, cpu = torch.device(plan.compute.device), len(plan.seeds), plan.compute.device == "cpu"
    share = count / min(at_once(plan.compute), count)  # of the seeds that each process has
    with aside():
        torch.set_num_threads(plan.compute.threads)
        (alone,) = trainings(plan, plan.seeds[:1], plan.compute, device)
        one = seconds(alone, warm=1)
        if cpu and one > SLOW:
            return StrategyChoice("processes", f"a step of {1000 * one:.3g} ms is too long for batched seeds to gain")
        if one * share * plan.experiment.steps < PAYS:
            return StrategyChoice("processes" if cpu else "batched", "")
        settle_compilation(alone)
        apart = min(one, seconds(alone)) * share
        try:
            together = seconds(BatchedTraining(trainings(plan, plan.seeds, plan.compute, device)))
        except SettingError:
            raise
        except Exception as error:  # vmap's, or a full memory
            raise SettingError(f"batched seeds fail ({str(error).partition('.')[0]})") from error
    why = f"a step of all {count} takes {1000 * together:.3g} ms batched and {1000 * apart:.3g} ms by processes"
    return StrategyChoice("batched" if together * gain <= apart else "processes", why)


def seconds(training: Training | BatchedTraining, warm: int = WARM) -> float:
    """Of one step: the shortest of several, since others may disturb."""
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

"""Can these seeds be trained as one program? A few steps on throwaway copies say so, and how fast it is."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor

from agon.errors import SettingError
from agon.replicates.joint import APART, Joint
from agon.replicates.plan import Plan
from agon.training import Arithmetic, Training
from agon.training.optimisers import moments
from agon.training.randomness import GlobalStreams

COMPARED = 2  # steps after which a joint training must be what it is alone
RTOL, ATOL = 1e-6, 1e-9  # in float64: rounding stays far below, any other computation lies far above
WARM, TIMED = 3, 20  # steps that are not counted (they compile, and allocate), and those that are
PATIENCE = 2.0  # seconds, where steps are long


def trainings(plan: Plan, seeds: Sequence[int], arithmetic: Arithmetic, device: torch.device) -> list[Training]:
    """Of these seeds at their beginning, which share the memory for data."""
    shared = replace(arithmetic, memory=arithmetic.memory / len(seeds))
    return [Training(plan.replicate(seed), shared, device) for seed in seeds]


def refuse_unlike(plan: Plan) -> None:
    """Raise a SettingError, with the reason, if training together is not the training alone, or impossible.

    In float64, where nothing but rounding can be mistaken for a difference, two seeds make two steps
    together and alone; then, as they will be computed, one step together.
    """
    if plan.arithmetic.compile == "on" and not plan.experiment.dynamics.second_order:
        raise SettingError(f"batched seeds: expected no compiled networks, got compile on; use {APART}", APART)
    with aside():
        try:
            difference = _difference(plan)
            Joint(trainings(plan, plan.seeds[:2], plan.arithmetic, torch.device(plan.arithmetic.device))).advance()
        except SettingError:
            raise
        except Exception as error:  # whatever vmap, or a user's network under it, cannot do
            raise SettingError(_sentence(error), APART) from error
    if difference:
        raise SettingError(
            f"batched seeds: {difference} is not what it is alone after {COMPARED} steps, so the game, its networks or "
            f"an optimiser mix the seeds, or keep what is no tensor; use {APART}",
            APART,
        )


def seconds(training: Training | Joint, warm: int = WARM) -> float:
    """Of one step: the shortest of several, since others may disturb."""
    device, taken = torch.device(training.arithmetic.device), list[float]()
    while len(taken) < warm + TIMED and sum(taken[warm:]) < PATIENCE:
        began = time.perf_counter()
        training.advance()
        _wait(device)
        taken.append(time.perf_counter() - began)
    return min(taken[warm:])


@contextmanager
def aside() -> Iterator[None]:
    """Afterwards torch's random streams and its number of threads are what they were."""
    threads = torch.get_num_threads()
    with GlobalStreams.aside():
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _difference(plan: Plan) -> str:
    """The first tensor of two trainings that differs between together and alone, or nothing."""
    kind = "cpu" if plan.arithmetic.device == "mps" else plan.arithmetic.device  # mps has no float64
    exact = replace(plan.arithmetic, device=kind, precision="fp64")
    seeds, device = (*plan.seeds, *plan.seeds)[:2], torch.device(kind)
    alone = trainings(plan, seeds, exact, device)
    joint = Joint(trainings(plan, seeds, exact, device))
    for _ in range(COMPARED):
        losses = joint.advance()
        for training in alone:
            training.advance()
    for index, training in enumerate(alone):
        joint.own(index, losses)
        together = _state(joint.trainings[index])
        for name, value in _state(training).items():
            if not torch.allclose(value.double(), together[name].double(), RTOL, ATOL, equal_nan=True):
                return name
    return ""


def _state(training: Training) -> dict[str, Tensor]:
    state: dict[str, Tensor] = dict(training.game.state_dict())
    for player, optimiser in training.optimisers.items():
        own, _ = moments(optimiser)
        state |= {f"{player}'s moment {name}": value for name, value in own.items()}
    return state


def _sentence(error: Exception) -> str:
    """vmap's complaints are paragraphs: they begin with what it is about."""
    first = str(error).strip().partition("\n")[0].partition(". ")[0].partition(" (or ")[0]
    return f"batched seeds: the game cannot be played for all seeds at once ({first}); use {APART}"


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

"""The equivalence check: a few steps on throwaway copies show whether batched training equals training alone."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from agon.errors import SettingError
from agon.training.compute import Compute
from agon.training.optimisers import moments
from agon.training.randomness import preserve_global_streams
from agon.training.replicates.batched_training import APART, BatchedTraining
from agon.training.replicates.folder import Plan
from agon.training.training import Training

COMPARED = 2  # steps after which batched and single trainings are compared
RTOL, ATOL = 1e-6, 1e-9  # in float64: rounding is far below these tolerances, other differences far above


def trainings(plan: Plan, seeds: Sequence[int], compute: Compute, device: torch.device) -> list[Training]:
    """New trainings of these seeds, which share the memory for data."""
    shared = replace(compute, memory=compute.memory / len(seeds))
    return [Training(plan.replicate(seed), shared, device) for seed in seeds]


def refuse_unequal(plan: Plan) -> None:
    """Raise a SettingError, with the reason, if batched training is impossible or differs from training alone.

    Two seeds make two steps batched and alone, in float64, where rounding cannot be mistaken for a
    difference; then they make one batched step with the plan's own precision.
    """
    if plan.compute.compile == "on" and not plan.experiment.dynamics.second_order:
        raise SettingError(f"batched seeds: expected no compiled networks, got compile on; use {APART}", APART)
    with preserve_global_streams():
        try:
            difference = _difference(plan)
            BatchedTraining(trainings(plan, plan.seeds[:2], plan.compute, torch.device(plan.compute.device))).advance()
        except SettingError:
            raise
        except Exception as error:  # vmap may fail in many ways, also in a user's network
            raise SettingError(_sentence(error), APART) from error
    if difference:
        raise SettingError(
            f"batched seeds: {difference} is not what it is alone after {COMPARED} steps, so the game, its networks or "
            f"an optimiser mix the seeds, or keep state that is not a tensor; use {APART}",
            APART,
        )


def _difference(plan: Plan) -> str:
    """The name of the first tensor that differs between batched training and training alone; empty if none does."""
    device_name = "cpu" if plan.compute.device == "mps" else plan.compute.device  # mps has no float64
    exact = replace(plan.compute, device=device_name, precision="fp64")
    seeds, device = (*plan.seeds, *plan.seeds)[:2], torch.device(device_name)
    alone = trainings(plan, seeds, exact, device)
    batched = BatchedTraining(trainings(plan, seeds, exact, device))
    for _ in range(COMPARED):
        losses = batched.advance()
        for training in alone:
            training.advance()
    for index, training in enumerate(alone):
        batched.own(index, losses)
        batched_state = _state(batched.trainings[index])
        for name, value in _state(training).items():
            if not torch.allclose(value.double(), batched_state[name].double(), RTOL, ATOL, equal_nan=True):
                return name
    return ""


def _state(training: Training) -> dict[str, Tensor]:
    state: dict[str, Tensor] = dict(training.game.state_dict())
    for player, optimiser in training.optimisers.items():
        player_moments, _ = moments(optimiser)
        state |= {f"{player}'s moment {name}": value for name, value in player_moments.items()}
    return state


def _sentence(error: Exception) -> str:
    """A message from the beginning of vmap's error, which is a paragraph."""
    first = str(error).strip().partition("\n")[0].partition(". ")[0].partition(" (or ")[0]
    return f"batched seeds: the game cannot be played for all seeds at once ({first}); use {APART}"

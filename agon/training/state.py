"""A training's whole state, to and from a checkpoint."""

import json
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Int, UInt8
from torch import Tensor

from agon.data.blocks import Mark
from agon.errors import CheckpointError, RunError, SettingError
from agon.experiment import differences
from agon.runs import Checkpoint
from agon.training.fitting import check_fits
from agon.training.optimisers import moments, restore_moments
from agon.training.randomness import global_states, set_global_states
from agon.training.released import (
    is_light,
    is_released,
    refuse_released,
    restore_light,
    restore_released,
    tensors_under,
)
from agon.training.training import OTHER_DATA, Training

MARK = "data/mark"  # name of a process's mark in its data, as a tensor


def capture(training: Training) -> Checkpoint:
    """Capture weights, buffers, moments, averages, random streams, and the position in the data.

    The tensors may share memory with the live ones: write or copy them before the next step.
    """
    tensors = _prefixed("game", training.game.state_dict())
    groups = {}
    for player, optimiser in training.optimisers.items():
        optimiser_moments, groups[player] = moments(optimiser)
        tensors |= _prefixed(f"optimiser/{player}", optimiser_moments)
    if training.average is not None:
        tensors |= _prefixed("average", training.average.state())
    tensors |= _prefixed("random", random_states(training))
    state = {
        "experiment": training.experiment.describe(),
        "arithmetic": training.compute.describe(),
        "data": training.data.state(),
        "fingerprint": training.data.fingerprint,
        "optimisers": groups,
        "seconds": training.seconds,
        "processes": training.world,
    }
    return Checkpoint(training.step, {name: t.detach().cpu() for name, t in tensors.items()}, state)


def restore(training: Training, checkpoint: Checkpoint) -> None:
    """Restore a freshly built training to the state that a checkpoint captured.

    Raises:
        CheckpointError: the checkpoint is of another model, or the data have changed since.
        RunError: the checkpoint holds weights alone.
    """
    refuse_released(checkpoint)
    restore_model(training, checkpoint)
    if checkpoint.state.get("fingerprint") != training.data.fingerprint:
        raise CheckpointError(OTHER_DATA)
    try:
        training.data.load(_position(training, checkpoint))
    except SettingError as error:
        raise CheckpointError(f"the checkpoint is of another training ({error})") from error


def restore_model(training: Training, checkpoint: Checkpoint) -> None:
    """Restore everything but the position in the data, which is not opened.

    Raises:
        RunError: the run's description has changed since the checkpoint was written.
        CheckpointError: the checkpoint is of another model.
    """
    state = checkpoint.state
    _refuse_redescribed(training, state.get("experiment"))
    if is_released(checkpoint):
        restore_released(training, checkpoint)
        return
    if is_light(checkpoint):
        restore_light(training, checkpoint)
        return
    check_fits(training, checkpoint)
    for schedule in training.schedules.values():
        schedule.rewind(checkpoint.step)
    try:
        training.game.load_state_dict(tensors_under(checkpoint, "game"))
        for player, optimiser in training.optimisers.items():
            restore_moments(optimiser, tensors_under(checkpoint, f"optimiser/{player}"), state["optimisers"][player])
        if training.average is not None:
            training.average.load(tensors_under(checkpoint, "average"))
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"the checkpoint is of another model ({error})") from error
    suffix = rank_suffix(training.rank)
    with training.streams.held():
        for name, value in tensors_under(checkpoint, "random").items():
            if name in training.random:
                training.random[name].set_state(value)
            elif name.endswith(suffix) and "/" not in name.removesuffix(suffix):
                set_global_states({name.removesuffix(suffix): value})
    training.step, training.seconds = checkpoint.step, state["seconds"]


def _position(training: Training, checkpoint: Checkpoint) -> dict[str, Any]:
    """This process's position in the data; without a mark if the run goes on with another number of processes."""
    state = dict(checkpoint.state["data"])
    others = checkpoint.state.get("processes", 1) != training.world
    if training.rank and not others:
        mark = checkpoint.tensors.get(f"{MARK}{rank_suffix(training.rank)}")
        state["mark"] = None if mark is None else mark.tolist()
    return {"drawn": state.get("drawn")} if others else state


def marks_of_others(training: Training) -> dict[str, Int[Tensor, " _"]]:
    """The marks of all other processes in data that are read in order; all processes must call it."""
    if training.world == 1 or not training.data.in_order:
        return {}
    mark = training.data.state().get("mark") or [-1] * len(Mark._fields)
    own = torch.tensor(mark, device=training.device)
    parts = [torch.empty_like(own) for _ in range(training.world)]
    dist.all_gather(parts, own)
    return {f"{MARK}{rank_suffix(rank)}": part.cpu() for rank, part in enumerate(parts) if rank and int(part[0]) >= 0}


def rank_suffix(rank: int) -> str:
    """The suffix of the names of a process's global random streams."""
    return f"/{rank}" if rank else ""


def random_states(training: Training) -> dict[str, UInt8[Tensor, " _"]]:
    """The states of the streams that all processes share, and of this process's global streams."""
    states = {name: rng.get_state() for name, rng in training.random.items()}
    with training.streams.held():
        global_streams = global_states()
    return states | {f"{name}{rank_suffix(training.rank)}": state for name, state in global_streams.items()}


def random_states_of_others(training: Training) -> dict[str, UInt8[Tensor, " _"]]:
    """The global random streams of all other processes, by their names in a checkpoint; all processes must call it."""
    states: dict[str, Tensor] = {}
    if training.world > 1:
        with training.streams.held():
            global_streams = global_states()
        for name, state in global_streams.items():
            parts = [torch.empty_like(state, device=training.device) for _ in range(training.world)]
            dist.all_gather(parts, state.to(training.device))
            states |= {f"random/{name}{rank_suffix(rank)}": part.cpu() for rank, part in enumerate(parts) if rank}
    return states


def _refuse_redescribed(training: Training, begun: object) -> None:
    """Refuse a changed description, except for a longer budget and another path of the data."""
    if not isinstance(begun, dict):  # an old checkpoint, without a description
        return
    now = json.loads(json.dumps(training.experiment.describe()))
    lines = [
        line
        for line in differences(begun, now)
        if not line.startswith(("steps:", "init:", "data.path:", "data.of.path:"))
    ]
    if lines:
        raise RunError(
            f"the run's description differs from the one that its checkpoint was written with ({'; '.join(lines)}); "
            "put the old settings back into experiment.json, or begin a new run"
        )


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}

"""A training's whole state, to and from a checkpoint: what is not here is lost when a machine dies."""

import torch
from torch import Tensor

from agon.errors import CheckpointError, SettingError
from agon.runs import Checkpoint
from agon.training.fitting import check_fits
from agon.training.optimisers import moments, restore_moments
from agon.training.training import Training


def capture(training: Training) -> Checkpoint:
    """Weights, buffers, moments, averages, random streams, and the position in the data.

    The tensors may share memory with the live ones: write them, or copy them, before the next step.
    """
    tensors = _prefixed("game", training.game.state_dict())
    groups = {}
    for player, optimiser in training.optimisers.items():
        own, groups[player] = moments(optimiser)
        tensors |= _prefixed(f"optimiser/{player}", own)
    if training.average is not None:
        tensors |= _prefixed("average", training.average.state())
    tensors |= _prefixed("random", _random(training))
    state = {
        "data": training.data.state(),
        "fingerprint": training.data.fingerprint,
        "optimisers": groups,
        "seconds": training.seconds,
        "processes": training.world,
    }
    return Checkpoint(training.step, {name: t.detach().cpu() for name, t in tensors.items()}, state)


def restore(training: Training, checkpoint: Checkpoint) -> None:
    """Make a freshly built training what it was when the checkpoint was captured.

    Raises:
        CheckpointError: the checkpoint is another model's, or the data have changed since.
    """
    state = checkpoint.state
    if state.get("fingerprint") != training.data.fingerprint:
        raise CheckpointError(
            "the data are not those that the run was begun with (their checksums differ); "
            "put the old data back, or begin a new run"
        )
    check_fits(training, checkpoint)
    try:
        training.game.load_state_dict(_under(checkpoint, "game"))
        for player, optimiser in training.optimisers.items():
            restore_moments(optimiser, _under(checkpoint, f"optimiser/{player}"), state["optimisers"][player])
        if training.average is not None:
            training.average.load(_under(checkpoint, "average"))
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"the checkpoint is of another model ({error})") from error
    for name, value in _under(checkpoint, "random").items():
        if name in training.random:
            training.random[name].set_state(value)
        elif name == "torch" and training.rank == 0:
            torch.set_rng_state(value)
        elif name == "cuda" and training.device.type == "cuda":
            torch.cuda.set_rng_state(value, training.device)
    try:
        training.data.load(state["data"])
    except SettingError as error:
        raise CheckpointError(f"the checkpoint is of another training ({error})") from error
    training.step, training.seconds = checkpoint.step, state["seconds"]


def _random(training: Training) -> dict[str, Tensor]:
    states = {name: rng.get_state() for name, rng in training.random.items()}
    states["torch"] = torch.get_rng_state()
    if training.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(training.device)
    return states


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _under(checkpoint: Checkpoint, prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {n.removeprefix(start): t for n, t in checkpoint.tensors.items() if n.startswith(start)}

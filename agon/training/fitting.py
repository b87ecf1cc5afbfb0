"""Whether a checkpoint, whose checksums say only that it is as it was written, is one of this training."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from agon.errors import CheckpointError
from agon.experiment.names import OPTIMISERS
from agon.runs import Checkpoint
from agon.training.optimisers import MEANS
from agon.training.training import STREAMS, Training
from agon.untrusted import listed

WHOLE, NUMBER = "a whole number from 0", "a finite number"
STATE: dict[str, str] = {"seconds": NUMBER, "processes": WHOLE, "log_bytes": WHOLE}


def check_fits(training: Training, checkpoint: Checkpoint) -> None:
    """Compare all that a checkpoint holds with what the training needs, before anything of it is used.

    Raises:
        CheckpointError: something is missing, or of another kind, shape or type.
    """
    faults = [*_state(checkpoint, training), *_weights(checkpoint, training), *_random(checkpoint, training)]
    if not faults:
        faults = list(_moments(checkpoint, training))
    if faults:
        raise CheckpointError(
            f"the checkpoint of step {checkpoint.step} does not fit what experiment.json and arithmetic.json describe "
            f"({listed(faults, 3)}); put these files back, or begin a new run"
        )


def _state(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    state = checkpoint.state
    for name, expected in STATE.items():
        value = state.get(name, 0)
        fits = type(value) is int and value >= 0 if expected == WHOLE else _is_finite(value)
        if not fits:
            yield f"{name}: expected {expected}, got {value!r:.40}"
    position = state.get("data")
    if not isinstance(position, dict) or not all(type(n) is int and n >= 0 for n in position.values()):
        yield f"data: expected the stream's position, got {position!r:.40}"
    groups = state.get("optimisers")
    for player, optimiser in training.optimisers.items():
        saved = groups.get(player) if isinstance(groups, dict) else None
        if not isinstance(saved, list) or len(saved) != len(optimiser.param_groups):
            yield f"optimisers.{player}: expected {len(optimiser.param_groups)} groups of settings"
        else:
            for own, group in zip(optimiser.param_groups, saved, strict=True):
                yield from (f"optimisers.{player}.{fault}" for fault in _group(optimiser, own, group))


def _group(optimiser: torch.optim.Optimizer, own: Mapping[str, Any], saved: object) -> Iterator[str]:
    """A group's settings have the types that the optimiser was built with; other versions of torch have others."""
    if not isinstance(saved, dict):
        yield f"expected a group's settings, got {saved!r:.40}"
        return
    for name in saved.keys() & own.keys() - {"params", *MEANS}:
        fits = saved[name] == own[name] if _is_ours(optimiser) and type(own[name]) is bool else True
        if not fits or not _alike(own[name], saved[name]):
            yield f"{name}: expected one like {own[name]!r:.40}, got {saved[name]!r:.40}"


def _alike(own: Any, saved: Any) -> bool:
    if own is None or saved is None or isinstance(own, bool) or isinstance(saved, bool):
        return isinstance(own, bool | None) and isinstance(saved, bool | None)
    if isinstance(own, int | float | Tensor):
        return _is_finite(saved)
    if isinstance(own, list | tuple):
        return isinstance(saved, list | tuple) and len(saved) == len(own) and all(map(_alike, own, saved))
    return type(own) is type(saved)


def _is_ours(optimiser: torch.optim.Optimizer) -> bool:
    """Whether its moments are known: one each of the parameter's shape, or one number."""
    return type(optimiser) in OPTIMISERS.values()


def _is_finite(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)  # type: ignore[arg-type]


def _weights(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    """Names, shapes and types of all weights, buffers and averages are the model's."""
    expected = {f"game/{name}": value for name, value in training.game.state_dict().items()}
    if training.average is not None:
        expected |= {f"average/{name}": value for name, value in training.average.state().items()}
    for name, own in expected.items():
        saved = checkpoint.tensors.get(name)
        if saved is None:
            yield f"{name} is missing"
        elif (saved.shape, saved.dtype) != (own.shape, own.dtype):
            yield f"{name}: expected {_spelled(own)}, got {_spelled(saved)}"
    known = ("game/", "average/")
    yield from (f"{name}: unknown" for name in checkpoint.tensors if name.startswith(known) and name not in expected)


def _moments(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    """Each moment has a parameter, and its shape, unless it is one number."""
    for player, optimiser in training.optimisers.items():
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        start, names = f"optimiser/{player}/", dict[int, set[str]]()
        for key, value in checkpoint.tensors.items():
            index, _, name = key.removeprefix(start).partition("/")
            if not key.startswith(start):
                continue
            if not index.isdecimal() or len(index) > 9 or int(index) >= len(parameters):
                yield f"{key}: the player has {len(parameters)} parameters"
                continue
            names.setdefault(int(index), set()).add(name)
            if _is_ours(optimiser) and not _is_moment(value, parameters[int(index)]):
                yield f"{key}: expected {_spelled(parameters[int(index)])}, or one number, got {_spelled(value)}"
        expected = _names(optimiser) if _is_ours(optimiser) else set()
        for index_, present in names.items():
            if not expected <= present:
                yield f"{start}{index_}: expected {listed(sorted(expected))}, got {listed(sorted(present))}"


def _is_moment(value: Tensor, parameter: Tensor) -> bool:
    if value.ndim == 0 and parameter.ndim:
        return value.is_floating_point()
    return (value.shape, value.dtype) in ((parameter.shape, parameter.dtype), (torch.Size(), torch.float32))


def _names(optimiser: torch.optim.Optimizer) -> set[str]:
    """What an optimiser keeps of a parameter, as a step with one number tells."""
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    trial = type(optimiser)([parameter])  # type: ignore[call-arg]
    trial.param_groups[0].update({k: v for k, v in optimiser.param_groups[0].items() if k not in ("params", *MEANS)})
    trial.step()
    return {name for name, value in trial.state[parameter].items() if value is not None}


def _random(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    """Every stream has a state that torch takes."""
    for name in (*STREAMS, "torch"):
        if f"random/{name}" not in checkpoint.tensors:
            yield f"random/{name} is missing"
    for key, state in checkpoint.tensors.items():
        kind, _, name = key.partition("/")
        of_gpu = name.partition("/")[0] == "cuda"
        if kind == "random" and (not of_gpu or training.device.type == "cuda"):
            try:
                torch.Generator(training.device if of_gpu else "cpu").set_state(state)
            except (RuntimeError, TypeError) as error:
                yield f"{key} is no state of a random stream ({str(error).splitlines()[0]})"


def _spelled(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}".removeprefix("torch.")

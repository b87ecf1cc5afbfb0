"""Check that a checkpoint belongs to a training; its checksums say only that it is undamaged."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from agon.errors import CheckpointError
from agon.experiment.names import OPTIMISERS
from agon.runs import Checkpoint
from agon.training.optimisers import IMPLEMENTATION
from agon.training.training import STREAMS, Training
from agon.untrusted import listed

WHOLE, NUMBER = "a whole number from 0", "a finite number"
STATE: dict[str, str] = {"seconds": NUMBER, "processes": WHOLE, "log_bytes": WHOLE}
ABSENT = {"processes": 1, "log_bytes": 0}  # what older checkpoints do not say


def check_fits(training: Training, checkpoint: Checkpoint) -> None:
    """Compare everything in a checkpoint with what the training needs, before any of it is used.

    Raises:
        CheckpointError: an entry is missing, or has the wrong kind, shape or type.
    """
    faults = [*_state(checkpoint, training), *_weights(checkpoint, training), *_random(checkpoint, training)]
    if not faults:
        faults = list(_moments(checkpoint, training))
    if faults:
        raise _unfit(checkpoint, faults)


def check_weights_fit(training: Training, checkpoint: Checkpoint) -> None:
    """Compare a checkpoint of weights alone with what the training needs, before any of it is used.

    Raises:
        CheckpointError: an entry is missing, or has the wrong kind, shape or type.
    """
    seconds = checkpoint.state.get("seconds")
    faults = [] if _is_finite(seconds) else [f"seconds: expected {NUMBER}, got {seconds!r:.40}"]
    if faults := [*faults, *_weights(checkpoint, training)]:
        raise _unfit(checkpoint, faults)


def _unfit(checkpoint: Checkpoint, faults: list[str]) -> CheckpointError:
    return CheckpointError(
        f"the checkpoint of step {checkpoint.step} does not fit what experiment.json and arithmetic.json describe "
        f"({listed(faults, 3)}); put these files back, or begin a new run"
    )


def _state(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    state = checkpoint.state
    for name, expected in STATE.items():
        value = state.get(name, ABSENT.get(name))
        fits = type(value) is int and value >= 0 if expected == WHOLE else _is_finite(value)
        if not fits:
            yield f"{name}: expected {expected}, got {value!r:.40}"
    if not isinstance(arithmetic := state.get("arithmetic") or {}, dict):
        yield f"arithmetic: expected settings, got {arithmetic!r:.40}"
    position = state.get("data")
    if not isinstance(position, dict) or not all(map(_counts, position.values())):
        yield f"data: expected the stream's position, got {position!r:.40}"
    groups = state.get("optimisers")
    for player, optimiser in training.optimisers.items():
        saved = groups.get(player) if isinstance(groups, dict) else None
        if not isinstance(saved, list) or len(saved) != len(optimiser.param_groups):
            yield f"optimisers.{player}: expected {len(optimiser.param_groups)} groups of settings"
        else:
            for settings, group in zip(optimiser.param_groups, saved, strict=True):
                yield from (f"optimisers.{player}.{fault}" for fault in _group(optimiser, settings, group))


def _counts(value: object) -> bool:
    """Whether a value is a whole number from 0, or a list of such numbers."""
    return all(type(number) is int and number >= 0 for number in (value if isinstance(value, list) else [value]))


def _group(optimiser: torch.optim.Optimizer, settings: Mapping[str, Any], saved: object) -> Iterator[str]:
    """Compare types only of settings that both groups have: versions of torch differ in their settings."""
    if not isinstance(saved, dict):
        yield f"expected a group's settings, got {saved!r:.40}"
        return
    for name in saved.keys() & settings.keys() - {"params", *IMPLEMENTATION}:
        value = settings[name]
        fits = saved[name] == value if _is_ours(optimiser) and type(value) is bool else True
        if not fits or not _same_type(value, saved[name]):
            yield f"{name}: expected one like {value!r:.40}, got {saved[name]!r:.40}"


def _same_type(value: Any, saved: Any) -> bool:
    if value is None or saved is None or isinstance(value, bool) or isinstance(saved, bool):
        return isinstance(value, bool | None) and isinstance(saved, bool | None)
    if isinstance(value, int | float | Tensor):
        return _is_finite(saved)
    if isinstance(value, list | tuple):
        return isinstance(saved, list | tuple) and len(saved) == len(value) and all(map(_same_type, value, saved))
    return type(value) is type(saved)


def _is_ours(optimiser: torch.optim.Optimizer) -> bool:
    """Whether the optimiser's moments are known to have their parameter's shape, or to be one number."""
    return type(optimiser) in OPTIMISERS.values()


def _is_finite(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)  # type: ignore[arg-type]


def _weights(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    """Compare names, shapes and types of all weights, buffers and averages with the model's."""
    expected = {f"game/{name}": value for name, value in training.game.state_dict().items()}
    if training.average is not None:
        expected |= {f"average/{name}": value for name, value in training.average.state().items()}
    for name, tensor in expected.items():
        saved = checkpoint.tensors.get(name)
        if saved is None:
            yield f"{name} is missing"
        elif (saved.shape, saved.dtype) != (tensor.shape, tensor.dtype):
            yield f"{name}: expected {_spelled(tensor)}, got {_spelled(saved)}"
    known = ("game/", "average/")
    yield from (f"{name}: unknown" for name in checkpoint.tensors if name.startswith(known) and name not in expected)


def _moments(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    """Check that each moment belongs to a parameter, and has its shape or is one number."""
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
    """The names of an optimiser's moments, found by a step with one number."""
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    trial = type(optimiser)([parameter])  # type: ignore[call-arg]
    settings = {k: v for k, v in optimiser.param_groups[0].items() if k not in ("params", *IMPLEMENTATION)}
    trial.param_groups[0].update(settings)
    trial.step()
    return {name for name, value in trial.state[parameter].items() if value is not None}


def _random(checkpoint: Checkpoint, training: Training) -> Iterator[str]:
    """Check that every random stream has a state that torch accepts."""
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
                yield f"{key} is not a state of a random stream ({str(error).splitlines()[0]})"


def _spelled(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}".removeprefix("torch.")

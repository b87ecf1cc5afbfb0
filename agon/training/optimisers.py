"""Build optimisers from parts, and save and restore their moments as plain tensors."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from agon.experiment import Part
from agon.training.dynamo import spare_dynamo

IMPLEMENTATION = ("fused", "foreach", "capturable", "differentiable")  # options of this torch, not of the run


def build_optimiser(part: Part, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """Build a player's optimiser, with one fused kernel over all parameters if torch has one."""
    spare_dynamo()
    names = inspect.signature(part.make).parameters
    if "fused" in names and set(IMPLEMENTATION).isdisjoint(part.settings):
        part = part.changed(fused=True)
    optimiser: torch.optim.Optimizer = part.build(parameters)
    return optimiser


def moments(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Shaped[Tensor, "..."]], list[dict[str, Any]]]:
    """An optimiser's state as tensors named "parameter/name", and its groups' settings as plain values."""
    state = optimiser.state_dict()
    tensors = {
        f"{index}/{name}": torch.as_tensor(value)
        for index, entries in state["state"].items()
        for name, value in entries.items()
        if value is not None
    }
    groups = [{k: v for k, v in group.items() if k != "params"} for group in state["param_groups"]]
    return tensors, groups


def restore_moments(
    optimiser: torch.optim.Optimizer, tensors: dict[str, Shaped[Tensor, "..."]], groups: list[dict[str, Any]]
) -> None:
    """Restore an optimiser's state from what `moments` returned."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    optimiser.state.clear()
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        parameter = parameters[int(index)]
        same_shape = value.shape == parameter.shape  # then in the parameter's memory format
        moment = torch.empty_like(parameter, dtype=value.dtype) if same_shape else torch.empty_like(value)
        optimiser.state[parameter][name] = moment.copy_(value)
    for group, saved in zip(optimiser.param_groups, groups, strict=True):
        known = group.keys() - {"params", *IMPLEMENTATION}
        group.update({k: tuple(v) if isinstance(v, list) else v for k, v in saved.items() if k in known})

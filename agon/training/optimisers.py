"""Optimisers: built from parts, and their moments to and from plain tensors."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agon.experiment import Part

MEANS = ("fused", "foreach", "capturable", "differentiable")  # how an optimiser computes, as this torch has it


def build_optimiser(part: Part, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """A player's optimiser; by one fused kernel over all parameters where torch has one."""
    names = inspect.signature(part.make).parameters
    unsaid = {"fused", "foreach", "capturable", "differentiable"}.isdisjoint(part.settings)
    if "fused" in names and unsaid:
        part = part.changed(fused=True)
    built: torch.optim.Optimizer = part.build(parameters)
    return built


def moments(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
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


def restore_moments(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], groups: list[dict[str, Any]]) -> None:
    """Give an optimiser the state that `moments` took."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    optimiser.state.clear()
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        parameter = parameters[int(index)]
        in_its_format = value.shape == parameter.shape
        own = torch.empty_like(parameter, dtype=value.dtype) if in_its_format else torch.empty_like(value)
        optimiser.state[parameter][name] = own.copy_(value)
    for group, saved in zip(optimiser.param_groups, groups, strict=True):
        known = group.keys() - {"params", *MEANS}
        group.update({k: tuple(v) if isinstance(v, list) else v for k, v in saved.items() if k in known})

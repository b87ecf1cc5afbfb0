"""An optimiser's step without what torch does around it, where that takes longer than the step itself."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import optimizer as hooks

KINDS = (torch.optim.Adam, torch.optim.AdamW)
MOMENTS = ("exp_avg", "exp_avg_sq", "step")
State = dict[str, Any]  # of one parameter
Lists = tuple[list[Tensor], list[State]]  # parameters and their states


def take_step(optimiser: torch.optim.Optimizer) -> None:
    """Step, with the result of `optimiser.step()` to the last bit.

    That of a fused Adam on a CPU is two operations. torch's own method also sorts tensors by device and type, looks
    for hooks, and tells its profiler: 0.1 ms, a tenth of a step of two perceptrons. So where none of that has anything
    to do, the two operations are called.
    """
    groups = [_lists(optimiser, group) for group in optimiser.param_groups] if _plain(optimiser) else [None]
    if None in groups:
        optimiser.step()
        return
    with torch.no_grad():
        for group, lists in zip(optimiser.param_groups, groups, strict=True):
            if lists is not None and lists[0]:
                _move(group, *lists)


def _plain(optimiser: torch.optim.Optimizer) -> bool:
    """Whether an optimiser is torch's own Adam, and nothing is attached to its steps."""
    attached = (
        *(hooks._global_optimizer_pre_hooks, hooks._global_optimizer_post_hooks),
        *(optimiser._optimizer_step_pre_hooks, optimiser._optimizer_step_post_hooks),
    )
    own = vars(optimiser)
    return type(optimiser) in KINDS and not any(attached) and not {"step", "grad_scale", "found_inf"} & own.keys()


def _lists(optimiser: torch.optim.Optimizer, group: dict[str, Any]) -> Lists | None:
    """A group's parameters with a gradient, and their states; None where torch has more to do."""
    if not group["fused"] or group["amsgrad"] or group["differentiable"] or not isinstance(group["lr"], float):
        return None
    parameters = [p for p in group["params"] if p.grad is not None]
    states = [optimiser.state[p] for p in parameters]
    kinds = {(p.device.type, p.dtype) for p in parameters}
    if not all(states) or len(kinds) > 1 or any(device != "cpu" for device, _ in kinds):
        return None  # the first step, or not one kind of tensors
    return parameters, states


def _move(group: dict[str, Any], parameters: list[Tensor], states: list[State]) -> None:
    """torch.optim.adam._fused_adam, for tensors of one device and type."""
    kernel = torch._fused_adamw_ if group["decoupled_weight_decay"] else torch._fused_adam_
    settings = {name: group[name] for name in ("lr", "weight_decay", "eps", "maximize")}
    first, second = group["betas"]
    _count(states)
    means, squares, steps = ([state[name] for state in states] for name in MOMENTS)
    gradients = [p.grad for p in parameters if p.grad is not None]  # of all
    kernel(
        *(parameters, gradients, means, squares, [], steps),
        **{"amsgrad": False, "beta1": first, "beta2": second, "grad_scale": None, "found_inf": None, **settings},
    )


def _count(states: list[State]) -> None:
    """Add 1 to each parameter's number of steps: to all by one operation, as they are made views of one tensor."""
    counts = states[0]["step"]._base
    if counts is None or len(counts) != len(states) or any(state["step"]._base is not counts for state in states):
        counts = torch.stack([state["step"] for state in states])
        for place, state in enumerate(states):
            state["step"] = counts[place]
    counts.add_(1)

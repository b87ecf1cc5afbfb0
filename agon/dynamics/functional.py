"""SGD, Adam and RMSProp as pure functions, which carry on from the state of a live torch optimiser.

One pure step equals one step of `torch.optim` within rounding, and is differentiable, also where torch's
own is not: the derivative of the root √v is defined as 0 at v = 0 (a unit that never fired has v = 0).
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agon.errors import SettingError
from agon.networks.layers import root

Moments = Mapping[str, Any]  # name in torch's state -> a tensor; "step" -> the number of steps taken
Rule = Callable[[Tensor, Tensor, Moments], "Moved"]


class Moved(NamedTuple):
    """What one step gives.

    Attributes:
        parameter: after the step.
        moments: after the step, by their names in torch's state.
    """

    parameter: Tensor
    moments: Moments


def sgd(
    parameter: Tensor,
    gradient: Tensor,
    moments: Moments,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> Moved:
    """b' = momentum·b + (1 - dampening)·g, θ' = θ - lr·b'; the first b' is g itself.

    As torch.optim.SGD: Nesterov's θ' = θ - lr·(g + momentum·b'); g includes weight_decay·θ.

    >>> sgd(torch.tensor(1.0), torch.tensor(2.0), {}, lr=0.1).parameter
    tensor(0.8000)
    """
    gradient = _with_decay(parameter, gradient, weight_decay, maximize)
    if not momentum:
        return Moved(parameter - lr * gradient, {})
    before = moments.get("momentum_buffer")
    buffer = gradient if before is None else momentum * before + (1 - dampening) * gradient
    direction = gradient + momentum * buffer if nesterov else buffer
    return Moved(parameter - lr * direction, {"momentum_buffer": buffer})


def adam(
    parameter: Tensor,
    gradient: Tensor,
    moments: Moments,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> Moved:
    """m' = β1 m + (1 - β1) g, v' = β2 v + (1 - β2) g², θ' = θ - lr · m̂ / (√v̂ + ε).

    m̂ = m' / (1 - β1ᵗ), v̂ = v' / (1 - β2ᵗ), t the number of this step. As torch.optim.Adam and AdamW;
    with amsgrad v̂ is the largest so far.

    Source: Kingma and Ba 2015, Algorithm 1; Loshchilov and Hutter 2019 for decoupled decay.
    """
    first, second = betas
    step = moments.get("step", 0) + 1
    if decoupled_weight_decay:
        parameter, weight_decay = parameter * (1 - lr * weight_decay), 0.0
    gradient = _with_decay(parameter, gradient, weight_decay, maximize)
    mean = torch.lerp(_moment(moments, "exp_avg", parameter), gradient, 1 - first)
    square = second * _moment(moments, "exp_avg_sq", parameter) + (1 - second) * gradient.square()
    after = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
    if amsgrad:
        after["max_exp_avg_sq"] = torch.maximum(_moment(moments, "max_exp_avg_sq", parameter), square)
    largest = after["max_exp_avg_sq"] if amsgrad else square
    denominator = root(largest) / (1 - second**step) ** 0.5 + eps
    return Moved(parameter - mean / denominator * (lr / (1 - first**step)), after)


def rmsprop(
    parameter: Tensor,
    gradient: Tensor,
    moments: Moments,
    *,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> Moved:
    """v' = α v + (1 - α) g², θ' = θ - lr · g / (√v' + ε).

    As torch.optim.RMSprop: centred, the variance v' - ḡ'² takes the place of v'; with momentum,
    b' = momentum·b + g / (√v' + ε) and θ' = θ - lr·b'. Source: Tieleman and Hinton 2012.
    """
    gradient = _with_decay(parameter, gradient, weight_decay, maximize)
    square = alpha * _moment(moments, "square_avg", parameter) + (1 - alpha) * gradient.square()
    after, spread = {"square_avg": square}, square
    if centered:
        after["grad_avg"] = torch.lerp(_moment(moments, "grad_avg", parameter), gradient, 1 - alpha)
        spread = square - after["grad_avg"].square()
    direction = gradient / (root(spread) + eps)
    if momentum:
        direction = momentum * _moment(moments, "momentum_buffer", parameter) + direction
        after["momentum_buffer"] = direction
    return Moved(parameter - lr * direction, after)


class Pure(NamedTuple):
    """The pure side of a torch optimiser.

    Attributes:
        rule: the function.
        moments: what of torch's state it carries on.
    """

    rule: Callable[..., Moved]
    moments: tuple[str, ...]


_ADAM = Pure(adam, ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"))

TWINS: dict[type[torch.optim.Optimizer], Pure] = {
    torch.optim.SGD: Pure(sgd, ("momentum_buffer",)),
    torch.optim.Adam: _ADAM,
    torch.optim.AdamW: _ADAM,
    torch.optim.RMSprop: Pure(rmsprop, ("square_avg", "momentum_buffer", "grad_avg")),
}

ARITHMETIC = ("foreach", "fused", "capturable", "differentiable")  # options that change speed, not values


def twin_of(optimiser: torch.optim.Optimizer) -> Pure:
    """The pure twin of a live optimiser.

    Raises:
        SettingError: there is none, or it does not know an option that is set.
    """
    kind = type(optimiser)
    if kind not in TWINS:
        known = ", ".join(sorted({each.__name__ for each in TWINS}))
        raise SettingError(f"look-ahead: expected an optimiser out of {known}, got {kind.__name__}, which has no twin")
    twin = TWINS[kind]
    known_options = {*_names(twin.rule), *ARITHMETIC}
    for option in optimiser.defaults:
        if option not in known_options and any(group.get(option) for group in optimiser.param_groups):
            raise SettingError(
                f"look-ahead: the option {option} of {kind.__name__} has no pure twin; leave it at its default"
            )
    return twin


def rule_of(optimiser: torch.optim.Optimizer, group: Mapping[str, Any]) -> Rule:
    """The pure step with the present settings of one of an optimiser's groups."""
    rule = twin_of(optimiser).rule
    settings = {name: _plain(value) for name, value in group.items() if name in _names(rule)}
    return partial(rule, **settings)


def moments_of(optimiser: torch.optim.Optimizer, parameter: Tensor) -> dict[str, Any]:
    """What the optimiser remembers of a parameter, as a pure step carries it on; empty before its first step."""
    remembered = optimiser.state.get(parameter, {})
    found = {name: remembered.get(name) for name in TWINS[type(optimiser)].moments}
    return {name: _plain(value) if name == "step" else value for name, value in found.items() if value is not None}


@cache
def _names(rule: Callable[..., Moved]) -> frozenset[str]:
    return frozenset(inspect.signature(rule).parameters)


def _plain(value: Any) -> Any:
    """Numbers that torch keeps in tensors, as numbers."""
    if isinstance(value, tuple):
        return tuple(_plain(each) for each in value)
    return value.item() if isinstance(value, Tensor) else value


def _moment(moments: Moments, name: str, parameter: Tensor) -> Tensor:
    moment: Tensor | None = moments.get(name)
    return torch.zeros_like(parameter) if moment is None else moment


def _with_decay(parameter: Tensor, gradient: Tensor, weight_decay: float, maximize: bool) -> Tensor:
    gradient = -gradient if maximize else gradient
    return gradient + weight_decay * parameter if weight_decay else gradient

"""SGD, Adam and RMSProp as pure functions that continue from the state of a live torch optimiser.

One functional step equals one step of `torch.optim` up to rounding. It is differentiable even where torch's
is not: the derivative of √v is defined as 0 at v = 0 (a unit that never fired has v = 0).
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.dynamics.adam import Settings, step_of
from agon.errors import SettingError
from agon.networks.layers import root

OptimiserMoments = Mapping[str, Any]  # name in torch's state -> a tensor; "step" -> the number of steps taken
Rule = Callable[..., "Updated"]
UpdateRule = Callable[[Tensor, Tensor, OptimiserMoments], "Updated"]


RATE = "lr"  # name of a scheduled learning rate among the moments
NUMBERS = ("step", RATE)  # moments that are single numbers, and never differentiated through


class Updated(NamedTuple):
    """The result of one step.

    Attributes:
        parameter: its value after the step.
        moments: their values after the step, by their names in torch's state.
    """

    parameter: Tensor
    moments: OptimiserMoments


def sgd(
    parameter: Float[Tensor, "*shape"],
    gradient: Float[Tensor, "*shape"],
    moments: OptimiserMoments,
    *,
    lr: float | Tensor,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> Updated:
    """Make one step of SGD: b' = momentum·b + (1 - dampening)·g, θ' = θ - lr·b'; the first b' is g itself.

    As torch.optim.SGD: Nesterov's θ' = θ - lr·(g + momentum·b'); g includes weight_decay·θ.

    >>> sgd(torch.tensor(1.0), torch.tensor(2.0), {}, lr=0.1).parameter
    tensor(0.8000)
    """
    gradient = _with_decay(parameter, gradient, weight_decay, maximize)
    if not momentum:
        return Updated(parameter - lr * gradient, {})
    previous = moments.get("momentum_buffer")
    buffer = gradient if previous is None else momentum * previous + (1 - dampening) * gradient
    direction = gradient + momentum * buffer if nesterov else buffer
    return Updated(parameter - lr * direction, {"momentum_buffer": buffer})


def adam(
    parameter: Float[Tensor, "*shape"],
    gradient: Float[Tensor, "*shape"],
    moments: OptimiserMoments,
    *,
    lr: float | Tensor,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> Updated:
    """Make one step of Adam: m' = β1 m + (1 - β1) g, v' = β2 v + (1 - β2) g², θ' = θ - lr · m̂ / (√v̂ + ε).

    m̂ = m' / (1 - β1ᵗ), v̂ = v' / (1 - β2ᵗ), where t counts steps from 1. As torch.optim.Adam and AdamW;
    with amsgrad, v̂ is the largest so far.

    Source: Kingma and Ba 2015, Algorithm 1; Loshchilov and Hutter 2019 for decoupled decay.
    """
    first, second = betas
    step = moments.get("step", 0) + 1
    if decoupled_weight_decay:
        parameter, weight_decay = parameter * (1 - lr * weight_decay), 0.0
    gradient = _with_decay(parameter, gradient, weight_decay, maximize)
    mean, square = _moment(moments, "exp_avg", parameter), _moment(moments, "exp_avg_sq", parameter)
    traced = any(isinstance(number, Tensor) for number in (step, lr))  # a compiled program is given tensors
    if not amsgrad and not traced:
        by = Settings(lr / (1 - first**step), (1 - second**step) ** 0.5, betas, eps)
        parameter, mean, square = step_of(parameter, gradient, mean, square, by)
        return Updated(parameter, {"step": step, "exp_avg": mean, "exp_avg_sq": square})
    mean = torch.lerp(mean, gradient, 1 - first)
    square = second * square + (1 - second) * gradient.square()
    after = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
    if amsgrad:
        after["max_exp_avg_sq"] = torch.maximum(_moment(moments, "max_exp_avg_sq", parameter), square)
    largest = after["max_exp_avg_sq"] if amsgrad else square
    denominator = root(largest) * (1 - second**step) ** -0.5 + eps
    return Updated(parameter - mean / denominator * (lr / (1 - first**step)), after)


def rmsprop(
    parameter: Float[Tensor, "*shape"],
    gradient: Float[Tensor, "*shape"],
    moments: OptimiserMoments,
    *,
    lr: float | Tensor,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> Updated:
    """Make one step of RMSProp: v' = α v + (1 - α) g², θ' = θ - lr · g / (√v' + ε).

    As torch.optim.RMSprop: if centered, the variance v' - ḡ'² replaces v'; with momentum,
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
    return Updated(parameter - lr * direction, after)


class FunctionalOptimiser(NamedTuple):
    """The functional version of a torch optimiser.

    Attributes:
        rule: the function that makes one step.
        moments: the names in torch's state that the function reads and updates.
    """

    rule: Rule
    moments: tuple[str, ...]


_ADAM = FunctionalOptimiser(adam, ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"))

FUNCTIONAL: dict[type[torch.optim.Optimizer], FunctionalOptimiser] = {
    torch.optim.SGD: FunctionalOptimiser(sgd, ("momentum_buffer",)),
    torch.optim.Adam: _ADAM,
    torch.optim.AdamW: _ADAM,
    torch.optim.RMSprop: FunctionalOptimiser(rmsprop, ("square_avg", "momentum_buffer", "grad_avg")),
}

IMPLEMENTATION = ("foreach", "fused", "capturable", "differentiable")  # options that change speed, not values


def functional_of(optimiser: torch.optim.Optimizer) -> FunctionalOptimiser:
    """The functional version of a live optimiser.

    Raises:
        SettingError: there is none, or it does not support an option that is set.
    """
    optimiser_class = type(optimiser)
    if optimiser_class not in FUNCTIONAL:
        known = ", ".join(sorted({supported.__name__ for supported in FUNCTIONAL}))
        raise SettingError(f"look-ahead: expected an optimiser out of {known}, got {optimiser_class.__name__}")
    functional = FUNCTIONAL[optimiser_class]
    known_options = {*_names(functional.rule), *IMPLEMENTATION}
    for option in optimiser.defaults:
        if option not in known_options and any(group.get(option) for group in optimiser.param_groups):
            raise SettingError(
                f"look-ahead: the option {option} of {optimiser_class.__name__} is not supported; "
                "leave it at its default"
            )
    return functional


def rule_of(optimiser: torch.optim.Optimizer, group: Mapping[str, Any]) -> UpdateRule:
    """The functional step with the current settings of one parameter group.

    A scheduled learning rate, which changes at every step, is no setting: the step takes it from the moments.
    """
    rule = functional_of(optimiser).rule
    settings = {name: _plain(value) for name, value in group.items() if name in _names(rule)}
    if rate_of(group):
        return partial(scheduled, rule=rule, **{name: value for name, value in settings.items() if name != RATE})
    return partial(rule, **settings)


def rate_of(group: Mapping[str, Any]) -> dict[str, Any]:
    """The learning rate of a group, by its name among the moments; empty if it is constant."""
    return {RATE: _plain(group["lr"])} if "initial_lr" in group else {}  # which torch's schedulers add


def scheduled(
    parameter: Float[Tensor, "*shape"],
    gradient: Float[Tensor, "*shape"],
    moments: OptimiserMoments,
    *,
    rule: Rule,
    **settings: Any,
) -> Updated:
    """Make one step of a rule with the learning rate among the moments, where a compiled program can be given it."""
    before = {name: moment for name, moment in moments.items() if name != RATE}
    after = rule(parameter, gradient, before, lr=moments[RATE], **settings)
    return Updated(after.parameter, {**after.moments, RATE: moments[RATE]})


def moments_of(optimiser: torch.optim.Optimizer, parameter: Float[Tensor, "..."]) -> dict[str, Any]:
    """An optimiser's moments of a parameter, as the functional step takes them; empty before the first step."""
    state = optimiser.state.get(parameter, {})
    moments = {name: state.get(name) for name in FUNCTIONAL[type(optimiser)].moments}
    return {name: _plain(value) if name == "step" else value for name, value in moments.items() if value is not None}


@cache
def _names(rule: Rule) -> frozenset[str]:
    return frozenset(inspect.signature(rule).parameters)


def _plain(value: Any) -> Any:
    """Convert numbers that torch keeps in tensors to plain numbers."""
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    return value.item() if isinstance(value, Tensor) else value


def _moment(moments: OptimiserMoments, name: str, parameter: Tensor) -> Tensor:
    moment: Tensor | None = moments.get(name)
    return torch.zeros_like(parameter) if moment is None else moment


def _with_decay(parameter: Tensor, gradient: Tensor, weight_decay: float, maximize: bool) -> Tensor:
    gradient = -gradient if maximize else gradient
    return gradient + weight_decay * parameter if weight_decay else gradient

"""A pure step is a step of torch.optim, carried on from any state, and differentiable everywhere."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from agon.dynamics.functional import (
    FUNCTIONAL,
    IMPLEMENTATION,
    Updated,
    adam,
    functional_of,
    moments_of,
    rmsprop,
    rule_of,
    sgd,
)
from agon.errors import SettingError
from agon.networks.layers import root

SETTINGS: list[tuple[type[torch.optim.Optimizer], dict[str, Any]]] = [
    (torch.optim.SGD, {"lr": 0.1}),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True}),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (torch.optim.Adam, {"lr": 0.01}),
    (torch.optim.Adam, {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    (torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "maximize": True}),
    (torch.optim.Adam, {"lr": 0.01, "fused": True}),
    (torch.optim.Adam, {"lr": torch.tensor(0.01, dtype=torch.float64), "foreach": False}),
    (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    (torch.optim.RMSprop, {"lr": 0.01}),
    (torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "weight_decay": 0.1, "momentum": 0.5}),
    (torch.optim.RMSprop, {"lr": 0.01, "centered": True, "maximize": True}),
]


def gradient(step: int, size: int, dtype: torch.dtype) -> Tensor:
    """Of many magnitudes, and exactly 0 in the first place: a unit that never fires."""
    drawn = torch.randn(size, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
    return (drawn * torch.logspace(-6, 2, size, dtype=torch.float64) * (torch.arange(size) > 0)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("kind", "settings"), SETTINGS, ids=lambda v: getattr(v, "__name__", str(v)))
@pytest.mark.parametrize("begun", [0, 1, 4])
def test_a_pure_step_is_torchs_own(
    kind: type[torch.optim.Optimizer], settings: dict[str, Any], begun: int, dtype: torch.dtype
) -> None:
    """From `begun` live steps on, three pure ones beside three live ones."""
    parameter = torch.nn.Parameter(torch.linspace(-1, 1, 9, dtype=dtype))
    optimiser = kind([parameter], **settings)
    for step in range(begun):
        parameter.grad = gradient(step, 9, dtype)
        optimiser.step()
    rule = rule_of(optimiser, optimiser.param_groups[0])
    pure = Updated(parameter.detach().clone(), {n: copied(v) for n, v in moments_of(optimiser, parameter).items()})
    for step in range(begun, begun + 3):
        parameter.grad = gradient(step, 9, dtype)
        optimiser.step()
        pure = rule(pure.parameter, gradient(step, 9, dtype), pure.moments)
        tolerance = 4 * torch.finfo(dtype).eps
        torch.testing.assert_close(pure.parameter, parameter.detach(), rtol=tolerance, atol=tolerance)
        live = moments_of(optimiser, parameter)
        assert live.keys() == pure.moments.keys()
        for name, value in live.items():
            torch.testing.assert_close(torch.as_tensor(pure.moments[name]), torch.as_tensor(value), check_dtype=False)


def copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def test_a_step_changes_nothing_it_is_given() -> None:
    given = torch.ones(3), torch.full((3,), 2.0), {"step": 1, "exp_avg": torch.ones(3), "exp_avg_sq": torch.ones(3)}
    adam(*given, lr=0.1)
    assert all(bool((t == 1).all()) for t in (given[0], given[2]["exp_avg"], given[2]["exp_avg_sq"]))
    assert bool((given[1] == 2).all())


def test_the_root_is_exact_with_derivative_0_at_0() -> None:
    square = torch.tensor([0.0, 1e-38, 4.0, 1e30], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(root(square).sum(), square, create_graph=True)
    assert torch.equal(root(square), square.sqrt())
    torch.testing.assert_close(slope[1:], 0.5 / square[1:].sqrt())
    assert slope[0] == 0
    (curvature,) = torch.autograd.grad(slope.sum(), square)
    assert bool(torch.isfinite(curvature[[0, 2, 3]]).all())


def test_torchs_own_root_is_the_trap() -> None:
    """The negative control: with a plain root one dead unit makes the whole derivative NaN."""
    slope = differentiated(lambda square: square.sqrt())
    assert bool(slope.isnan().any())
    assert bool(torch.isfinite(differentiated(root)).all())


def differentiated(rooting: Callable[[Tensor], Tensor]) -> Tensor:
    gradient = torch.tensor([0.0, 1.0], requires_grad=True)
    return torch.autograd.grad((gradient / (rooting(gradient.square()) + 1e-8)).sum(), gradient)[0]


def test_a_root_of_v_plus_epsilon_is_another_optimiser() -> None:
    """1e-8 within the root, the usual patch, is no rounding error: Adam's first step of a small gradient is halved."""
    small = torch.tensor([1e-4], dtype=torch.float64)
    exact = -adam(torch.zeros(1, dtype=torch.float64), small, {}, lr=1.0, betas=(0.0, 0.0)).parameter
    patched = small / (small.square() + 1e-8).sqrt()
    assert float(exact) == pytest.approx(1, rel=1e-3)
    assert float(patched) == pytest.approx(math.sqrt(0.5))


PURE: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "sgd": lambda p, g, m, v: sgd(p, g, {"momentum_buffer": m}, lr=0.1, momentum=0.9, nesterov=True).parameter,
    "adam": lambda p, g, m, v: adam(p, g, {"step": 3, "exp_avg": m, "exp_avg_sq": v.square()}, lr=0.1).parameter,
    "rmsprop": lambda p, g, m, v: (
        rmsprop(p, g, {"square_avg": v.square() + m.square(), "grad_avg": m}, lr=0.1, centered=True).parameter
    ),
}


@pytest.mark.parametrize("name", sorted(PURE))
def test_first_and_second_derivatives_are_those_of_finite_differences(name: str) -> None:
    drawn = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inputs = tuple(each.clone().requires_grad_() for each in drawn)
    assert torch.autograd.gradcheck(PURE[name], inputs)
    assert torch.autograd.gradgradcheck(PURE[name], inputs)


def test_an_unsupported_optimiser_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match="expected an optimiser out of Adam, AdamW, RMSprop, SGD, got NAdam"):
        functional_of(torch.optim.NAdam([torch.nn.Parameter(torch.ones(1))]))


def test_an_unsupported_option_is_refused_by_name() -> None:
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])
    optimiser.defaults["lookahead"] = 0.0
    functional_of(optimiser)
    optimiser.param_groups[0]["lookahead"] = 0.5
    with pytest.raises(SettingError, match="the option lookahead of Adam is not supported"):
        functional_of(optimiser)


def test_every_option_of_torchs_optimisers_is_known() -> None:
    """A new release's option shows here, and not as a wrong gradient."""
    for optimiser_class, functional in FUNCTIONAL.items():
        defaults = optimiser_class([torch.nn.Parameter(torch.ones(1))], lr=0.1).defaults
        known = {*inspect.signature(functional.rule).parameters, *IMPLEMENTATION}
        assert set(defaults) <= known, optimiser_class

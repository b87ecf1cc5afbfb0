"""The short way of a fused step is torch's step to the last bit; others, and steps with hooks, go torch's way."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import stepping
from agon.dynamics.stepping import take_step

FUSED: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {"betas": (0.5, 0.9)}),
    "decay": (torch.optim.Adam, {"weight_decay": 0.1, "maximize": True, "eps": 1e-3}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.1}),
}
TORCHS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "amsgrad": (torch.optim.Adam, {"amsgrad": True}),
    "of many operations": (torch.optim.Adam, {"fused": False}),
    "rate in a tensor": (torch.optim.Adam, {"lr": torch.tensor(0.01)}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9}),
}


def weights() -> list[nn.Parameter]:
    rng = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=rng)) for shape in ((3, 2), (4,), (2, 2), (1,))]


def steps(
    kind: type[torch.optim.Optimizer], settings: dict[str, Any], direct: bool, hook: bool = False
) -> list[Tensor]:
    """Weights and moments after four steps, one weight without a gradient in every other one, and a group always."""
    parameters, rng = weights(), torch.Generator().manual_seed(1)
    options: dict[str, Any] = {"lr": 0.01, "fused": True, **settings}
    groups = [{"params": parameters[:1], "lr": options["lr"]}, {"params": parameters[1:3]}, {"params": parameters[3:]}]
    optimiser = kind(groups, **options)
    calls: list[object] = []
    if hook:
        optimiser.register_step_post_hook(lambda *_: calls.append(1))
    for step in range(4):
        for place, parameter in enumerate(parameters):
            some = place != 2 or step in (0, 2)
            parameter.grad = torch.randn(parameter.shape, generator=rng) if some and place != 3 else None
        take_step(optimiser) if direct else optimiser.step()
    assert len(calls) == (4 if hook else 0)
    return [*parameters, *(t for state in optimiser.state.values() for t in state.values() if isinstance(t, Tensor))]


@pytest.mark.parametrize("name", [*FUSED, *TORCHS])
@pytest.mark.parametrize("hook", [False, True])
def test_a_step_is_torchs_step_to_the_last_bit(name: str, hook: bool) -> None:
    kind, settings = {**FUSED, **TORCHS}[name]
    pairs = zip(steps(kind, settings, True, hook), steps(kind, settings, False, hook), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("name", [*FUSED, *TORCHS])
def test_only_fused_adam_goes_the_short_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: without its kernel a fused step is another one, and others do not use it."""
    kind, settings = {**FUSED, **TORCHS}[name]
    before = steps(kind, settings, False)
    monkeypatch.setattr(stepping, "_move", lambda *_: None)
    same = all(torch.equal(one, other) for one, other in zip(steps(kind, settings, True), before, strict=True))
    assert same == (name in TORCHS)


def test_schedulers_and_subclasses_go_torchs_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(torch.optim.Adam):
        pass

    monkeypatch.setattr(stepping, "_move", lambda *_: pytest.fail("the short way"))
    for kind in (Mine, torch.optim.Adam):
        parameter = nn.Parameter(torch.ones(2))
        optimiser = kind([parameter], fused=True)
        torch.optim.lr_scheduler.StepLR(optimiser, 1)
        for _ in range(2):
            parameter.grad = torch.ones(2)
            take_step(optimiser)
        assert int(optimiser.state[parameter]["step"]) == 2

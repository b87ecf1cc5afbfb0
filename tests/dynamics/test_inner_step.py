"""One inner step is the player's own optimiser step, and its vector-Jacobian product is autograd's."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Turns
from agon.dynamics.unrolled.compiled.step_context import SAMPLES, Inputs
from agon.dynamics.unrolled.compiled.vjp import Cotangents, StepFunctions, vjp
from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.dynamics.unrolled.inner_step import InnerState, inner_step
from agon.games import Adversarial

from .test_moves import assert_identical, batch, state
from .test_unrolled_exact import CRITICS, RULES, game_of, optimisers_of


def inputs_of(game: Adversarial, optimisers: Any) -> Inputs:
    """Of a generator that looks ahead at its critic."""
    return Inputs.of(game, optimisers, "generator", ("critic",), batch(0), game.generate(batch(0).latent))


def step_of(game: Adversarial, inputs: Inputs, at: InnerState, fake: Tensor) -> InnerState:
    """θ^{k+1}, as a function of everything, with its history."""
    after, _ = inner_step(
        inputs.groups, at, FunctionalModule(game), lambda module: module(inputs.batch, fake, of=("critic",))
    )
    return after


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("critic", sorted(CRITICS))
def test_it_is_the_live_players_next_step(critic: str, rule: str) -> None:
    """Parameters, moments and buffers after it; nothing live has changed before that."""
    game = game_of(critic)
    optimisers = optimisers_of(game, rule)
    inputs = inputs_of(game, optimisers)
    fake, before = inputs.fake.detach(), state(game, "critic", optimisers)
    at = inputs.state._replace(parameters=tuple(p.requires_grad_() for p in inputs.state.parameters))
    after = step_of(game, inputs, at, fake)
    assert_identical(state(game, "critic", optimisers), before)

    Turns((("critic",),)).step(game, optimisers, lambda: batch(0))
    live = Inputs.of(game, optimisers, "generator", ("critic",), batch(0), fake).state
    for one, other in zip(after.parameters, live.parameters, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    for one, other in zip(after.moments, live.moments, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            torch.testing.assert_close(one[name], other[name], rtol=1e-12, atol=1e-14)
    for name, buffer in game.named_buffers():
        if name.startswith("critic."):
            torch.testing.assert_close(after.buffers[name], buffer, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("critic", sorted(CRITICS))
def test_its_vjp_is_what_autograd_makes_of_it(critic: str, rule: str) -> None:
    """For random cotangents of parameters and moments: in the parameters, the moments and the samples before."""
    game = game_of(critic)
    inputs = inputs_of(game, optimisers_of(game, rule))
    context, at = inputs.context(()), inputs.state
    fake = context.sources[SAMPLES].requires_grad_()
    parameters = tuple(p.requires_grad_() for p in at.parameters)
    moments = tuple({n: m if n == "step" else m.clone().requires_grad_() for n, m in own.items()} for own in at.moments)
    at = InnerState(parameters, moments, at.buffers)
    remembered = [m for own in moments for n, m in own.items() if n != "step"]

    after = step_of(game, inputs, at, fake)
    rng = torch.Generator().manual_seed(0)
    bars = [torch.randn(p.shape, generator=rng, dtype=p.dtype) for p in parameters]
    of_moments = [
        {n: torch.randn(m.shape, generator=rng, dtype=m.dtype) for n, m in own.items() if n != "step"}
        for own in after.moments
    ]
    outputs = [*after.parameters, *(own[n] for own, bar in zip(after.moments, of_moments, strict=True) for n in bar)]
    cotangents = [*bars, *(c for bar in of_moments for c in bar.values())]
    expected = vjp(outputs, [*parameters, *remembered, fake], cotangents)

    functions = StepFunctions(game, "generator", ("critic",), inputs.groups)
    gradients = functions.step(at, context).gradients
    given = Cotangents(tuple(bars), tuple(of_moments), {SAMPLES: torch.zeros_like(fake)})
    found = functions.step_vjp(at, gradients, given, context)
    flat = [*found.parameters, *(m for own in found.moments for m in own.values()), found.sources[SAMPLES]]
    for one, other in zip(flat, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


class Mine(nn.Linear):
    """A layer that may do in the backward pass what it likes."""


def test_only_known_layers_are_given_the_tensors_of_the_next_step() -> None:
    """Others get a functional module for each step, because they may recompute, or keep tensors elsewhere."""

    def reused(module: nn.Module, keeps: bool = False) -> bool:
        def tensors() -> dict[str, Tensor]:
            return {name: torch.randn_like(tensor) for name, tensor in module.named_parameters()}

        second = FunctionalModule(module, tensors(), keeps=keeps).at(tensors())
        last = tensors()
        third = second.at(last)
        assert all(third.tensors(last)[name] is tensor for name, tensor in last.items())
        return third is second

    assert reused(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3)))
    assert not reused(nn.Linear(2, 3), keeps=True)
    assert not reused(nn.Sequential(nn.Linear(2, 3), nn.LSTM(3, 2)))  # which has its weights in a list too
    assert not reused(nn.Sequential(Mine(2, 3)))
    hooked = nn.Linear(2, 3)
    hooked.register_forward_hook(lambda *_: None)
    assert not reused(hooked)

"""Fused optimisers pair gradients with parameters by memory, so both must have one memory format."""

import torch
from torch import nn

from agon import part
from agon.dynamics.moves import _laid_out_as
from agon.training.optimisers import build_optimiser, moments, restore_moments


def parameter() -> nn.Parameter:
    drawn = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    return nn.Parameter(drawn.contiguous(memory_format=torch.channels_last))


def stepped(laid_out: bool, fused: bool, lr: float = 0.01) -> torch.Tensor:
    """A weight in channels-last after three steps along contiguous gradients."""
    weight = parameter()
    optimiser = torch.optim.Adam([weight], lr=lr, fused=fused)
    for seed in range(3):
        gradient = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(seed))
        weight.grad = _laid_out_as(weight, gradient) if laid_out else gradient
        optimiser.step()
    return weight.detach()


def test_a_fused_step_is_an_ordinary_step() -> None:
    torch.testing.assert_close(stepped(laid_out=True, fused=True), stepped(laid_out=False, fused=False))


def test_a_gradient_in_another_format_would_be_silently_wrong() -> None:
    """The negative control, which is torch's own behaviour on a CPU: no error, another step."""
    wrong = stepped(laid_out=False, fused=True) - stepped(laid_out=False, fused=False)
    assert float(wrong.abs().max()) > 1e-3


def test_moments_come_back_in_their_parameters_format() -> None:
    adam = part(torch.optim.Adam, lr=0.01)
    one, other = parameter(), parameter()
    before = build_optimiser(adam, [one])
    one.grad = torch.randn_like(one)
    before.step()
    tensors, groups = moments(before)
    after = build_optimiser(adam, [other])
    restore_moments(after, {name: t.contiguous() for name, t in tensors.items()}, groups)
    with torch.no_grad():
        other.copy_(one)
    for weight, optimiser in ((one, before), (other, after)):
        weight.grad = torch.full_like(weight, 0.5)
        optimiser.step()
        assert optimiser.state[weight]["exp_avg"].stride() == weight.stride()
    assert torch.equal(one, other)

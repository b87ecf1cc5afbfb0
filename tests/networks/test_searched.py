"""Generators as they are fastest for a search of latents: the same samples and derivatives, within the block alone."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from agon.networks import dcgan, searched


def generator(shape: tuple[int, int, int], kernel: int = 4) -> dcgan.Generator:
    torch.manual_seed(0)
    made = dcgan.Generator(shape=shape, latent=6, width=4, kernel=kernel, gain=0.3).double().eval()
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
    return made.requires_grad_(False)


def passed(made: nn.Module) -> tuple[Tensor, Tensor]:
    z = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    samples = made(z)
    (gradient,) = torch.autograd.grad((samples**3).sum(), z)
    return samples.detach(), gradient


@pytest.mark.parametrize("few", [0, 64, 10**6])
@pytest.mark.parametrize(("shape", "kernel"), [((1, 28, 28), 4), ((3, 25, 18), 4), ((2, 13, 12), 5)])
def test_samples_and_derivatives_are_the_same(
    shape: tuple[int, int, int], kernel: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By convolutions, by products where there are few channels, and by products everywhere; odd sides are cut."""
    monkeypatch.setattr(searched, "FEW", few)
    monkeypatch.setattr(searched.Frozen, "fits", lambda _: False)
    made = generator(shape, kernel)
    for memory in (torch.contiguous_format, torch.channels_last):
        made = made.to(memory_format=memory)
        expected = passed(made)
        with searched.searched(made):
            for ours, theirs in zip(passed(made), expected, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


def test_a_dcgan_is_frozen() -> None:
    """Within a game too; the samples and derivatives are the same."""
    made = generator((1, 28, 28))
    expected, game = passed(made), nn.ModuleDict({"generator": made})
    with searched.searched(game):
        assert isinstance(vars(made)["forward"], searched.Frozen)
        for ours, theirs in zip(passed(made), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_nothing_is_left_behind() -> None:
    made = generator((1, 28, 28))
    expected = passed(made)
    with pytest.raises(ZeroDivisionError), searched.searched(made):
        _ = 1 / 0
    assert not any("forward" in vars(layer) for layer in made.modules())
    for again, before in zip(passed(made), expected, strict=True):
        assert torch.equal(again, before)


@pytest.mark.parametrize("whole", [False, True])
def test_a_block_within_a_block(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inner one leaves the outer one's forwards behind, and the outer one none."""
    if not whole:
        monkeypatch.setattr(searched.Frozen, "fits", lambda _: False)
    made = generator((1, 28, 28))
    expected = passed(made)
    with searched.searched(nn.ModuleDict({"generator": made})):
        outer = forwards(made)
        with searched.searched(made):
            for ours, theirs in zip(passed(made), expected, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
        assert forwards(made) == outer
        assert any(outer.values())
    assert not any(forwards(made).values())


def forwards(made: nn.Module) -> dict[str, object]:
    """What takes the place of each module's own forward."""
    return {name: vars(layer).get("forward") for name, layer in made.named_modules()}


def orders(within: bool) -> list[bool]:
    """Whether each ReLU's output and its gradient are in one memory order, channels-last."""
    found: list[bool] = []
    made = generator((1, 28, 28)).to(memory_format=torch.channels_last)
    for layer in made.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
            layer.register_full_backward_hook(lambda _, __, of: found.append(last(of[0])))
            layer.register_forward_hook(lambda _, __, out: found.append(last(out)))
    with searched.searched(made) if within else nullcontext():
        passed(made)
    return found


def last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


def test_a_gradient_comes_in_the_memory_order_of_its_activation() -> None:
    """ReLU's backward pass is slow without it; the negative control is the generator outside of the block."""
    assert all(orders(within=True))
    assert not all(orders(within=False))

"""A frozen generator makes the samples of the generator, and their derivatives."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from agon.networks import dcgan, frozen
from agon.networks.frozen import Frozen
from agon.networks.synchronised import synchronise


def generator(shape: tuple[int, int, int] = (1, 28, 28), **settings: Any) -> dcgan.Generator:
    torch.manual_seed(0)
    made = dcgan.Generator(shape=shape, latent=6, width=4, gain=0.3, **settings).double().eval()
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(layer.bias)
        elif getattr(layer, "bias", None) is not None:
            nn.init.normal_(layer.bias)
    return made


def passed(generate: Any, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    z = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype).requires_grad_()
    samples = generate(z)
    (gradient,) = torch.autograd.grad((samples**3).sum(), z)
    return samples.detach(), gradient


@pytest.mark.parametrize("range_", [(-1.0, 1.0), (0.0, 1.0), None])
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 25, 18), (2, 8, 5), (1, 60, 29)])
def test_samples_and_derivatives_are_the_same(
    shape: tuple[int, int, int], normalise: bool, range_: tuple[float, float] | None
) -> None:
    """One, one, no and three hidden convolutions; odd sides; with and without normalisation, so with biases."""
    made = generator(shape, normalise=normalise, range=range_)
    assert Frozen.fits(made)
    for ours, theirs in zip(passed(Frozen(made)), passed(made), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_float32_keeps_more_than_four_digits() -> None:
    made = generator()
    expected, _ = passed(made)
    samples, _ = passed(Frozen(made.float()), torch.float32)
    torch.testing.assert_close(samples.double(), expected, rtol=0, atol=1e-4)


def test_parameters_get_no_gradients_and_changes_come_too_late() -> None:
    made = generator()
    fixed = Frozen(made)
    before, _ = passed(fixed)
    fixed(torch.randn(2, 6, dtype=torch.float64, requires_grad=True)).sum().backward()
    assert all(parameter.grad is None for parameter in made.parameters())
    with torch.no_grad():
        made.project.weight.zero_()
    assert torch.equal(passed(fixed)[0], before)
    assert not torch.equal(passed(made)[0], before)


def test_other_normalisations_of_the_same_statistics_fit() -> None:
    made = generator()
    expected = passed(made)
    synchronise(made)
    for ours, theirs in zip(passed(Frozen(made)), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(dcgan.Generator):
        """Whose forward could be another."""

    hooked = generator()
    hooked.start.register_forward_hook(lambda _, __, out: 2 * out)
    assert not any(
        map(
            Frozen.fits,
            (
                *(hooked, generator().train(), generator(kernel=5), generator().bfloat16(), nn.Linear(2, 2)),
                Own(shape=(1, 8, 8)).eval(),
            ),
        )
    )
    monkeypatch.setattr(frozen, "LARGEST", 64 * 8 * 8 * 4)
    assert Frozen.fits(generator())
    monkeypatch.setattr(frozen, "LARGEST", 64 * 8 * 8 * 4 - 1)
    assert not Frozen.fits(generator())

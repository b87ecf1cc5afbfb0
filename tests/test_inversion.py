"""Backpropagation to the input: equation 18 by hand; what an encoder sees is painted, and the rest stays grey."""

import pytest
import torch
from torch import Tensor

from agon.samples.inversion import LARGEST, invert_features


def images(n: int = 3, side: int = 4) -> Tensor:
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1


def test_one_step_is_equation_18_by_hand() -> None:
    """For f = 2x: J = 4 |σ(C) - x|², ∂J/∂C = 8 (σ(C) - x) σ'(C), and η = J / |∂J/∂C|²; σ(0) = 1/2, σ'(0) = 1/4."""
    x = images()
    (first,) = invert_features(lambda canvas: 2 * canvas, x, steps=1)
    error = 0.5 - x
    gradient = 2 * error
    rate = 4 * error.square().sum((1, 2, 3)) / gradient.square().sum((1, 2, 3))
    torch.testing.assert_close(first, (-rate[:, None, None, None] * gradient).sigmoid())


def test_what_the_encoder_sees_is_painted_and_the_rest_stays_grey() -> None:
    x = images()
    *_, last = invert_features(lambda canvas: canvas[..., :2], x, steps=60)
    torch.testing.assert_close(last[..., :2], x[..., :2], atol=1e-3, rtol=0)
    assert torch.equal(last[..., 2:], torch.full_like(last[..., 2:], 0.5))


def test_images_do_not_depend_on_their_neighbours() -> None:
    torch.manual_seed(0)
    encode = torch.nn.Sequential(torch.nn.Conv2d(1, 5, 3), torch.nn.LeakyReLU(0.2, inplace=True))
    together = list(invert_features(encode, images(), steps=4))
    alone = list(invert_features(encode, images()[:1], steps=4))
    for several, single in zip(together, alone, strict=True):
        torch.testing.assert_close(several[:1], single)


def test_no_step_is_long_and_none_is_made_without_a_gradient() -> None:
    """An encoder that hardly sees anything has a huge rate; one that sees nothing moves nothing."""
    x = images()
    (first,) = invert_features(lambda canvas: 1e-3 * canvas[..., :1, :1], x, steps=1)
    moved = first.logit().square().mean((1, 2, 3)).sqrt()
    assert float(moved.max()) <= LARGEST * (1 + 1e-5)
    (still,) = invert_features(lambda canvas: 0 * canvas, x, steps=1)
    assert torch.equal(still, torch.full_like(x, 0.5))


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_trained(training: bool) -> None:
    """Whether or not gradients are on around it."""
    layer = torch.nn.Conv2d(1, 2, 3)
    before = layer.weight.clone()
    with torch.set_grad_enabled(training):
        list(invert_features(layer, images(), steps=3))
    assert torch.equal(layer.weight, before)
    assert layer.weight.grad is None

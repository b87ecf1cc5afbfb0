"""Classifiers: any size of image, features before the last layer, and sizes that are refused."""

import pytest
import torch
from torch import nn

from agon.errors import SettingError
from agon.networks.classifier import Classifier, ResidualClassifier
from agon.networks.resnet import Residual

SHAPES = [(3, 32, 32), (3, 64, 64), (1, 28, 28), (3, 5, 9), (3, 1, 1), (3, 2, 33)]


@pytest.mark.parametrize("make", [Classifier, ResidualClassifier])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_image_has_logits_by_its_features(make: type[nn.Module], shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    network = make(shape=shape, classes=7, widths=(4, 6, 8)).eval()
    x = torch.randn(3, *shape)
    features = network.features(x)  # type: ignore[operator]
    assert features.ndim == 2
    torch.testing.assert_close(network.classes(features), network(x))  # type: ignore[operator]
    assert network(x).shape == (3, 7)


def test_every_weight_and_pixel_of_the_residual_one_matters() -> None:
    torch.manual_seed(0)
    network = ResidualClassifier(shape=(3, 9, 12), widths=(4, 6), blocks=2)
    x = torch.randn(8, 3, 9, 12, requires_grad=True)
    network(x).square().sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().amax((0, 1)) > 0).all()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in network.parameters())


def test_the_residual_one_is_small_and_its_blocks_begin_with_activations() -> None:
    """Two convolutions a block, three blocks, a stem and two projecting shortcuts; sides 16, 8, 4 on the way."""
    network = ResidualClassifier(shape=(3, 32, 32))
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 1 + 2 * 3 + 2
    assert sum(p.numel() for p in network.parameters()) == 691_258
    assert isinstance(network.layers[1], Residual)
    assert isinstance(network.layers[1].get_submodule("layers.0"), nn.BatchNorm2d)
    sides = []
    x = torch.zeros(2, 3, 32, 32)
    for layer in network.layers[:4]:
        x = layer(x)
        sides.append(x.shape[2])
    assert sides == [16, 16, 8, 4]


@pytest.mark.parametrize("wrong", [{"classes": 1}, {"widths": ()}, {"widths": (4, 0)}, {"blocks": 0}, {"stride": 0}])
def test_sizes_that_make_no_network_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        ResidualClassifier(shape=(3, 8, 8), **wrong)  # type: ignore[arg-type]

"""An autoregressor predicts every feature once, from earlier groups alone; the networks have Appendix A's sizes."""

from typing import Any

import pytest
import torch
from torch import Tensor

from agon.data import Images
from agon.errors import SettingError
from agon.games import Game
from agon.networks.argan import Autoregressor, Patch, assemble, factorise
from agon.networks.layers import parameters_without_biases
from agon.recipes import RECIPES

SHAPE = (6, 2, 4)
WAYS = [("space", 1), ("space", 2), ("channels", 1), ("channels", 3)]
EVERY_WAY = pytest.mark.parametrize(("by", "group"), WAYS)


def numbered(n: int = 3) -> Tensor:
    return torch.arange(n * 48, dtype=torch.float32).view(n, *SHAPE)


@EVERY_WAY
def test_a_factorisation_is_a_permutation(by: Any, group: int) -> None:
    """Each number of a sample stands in exactly one group, and goes back to where it came from."""
    features = numbered()
    groups = factorise(features, by, group)
    count = {"space": 8, "channels": 6}[by] // group
    assert groups.shape == (3, count, 48 // count)
    for whole, cut in zip(features, groups, strict=True):
        assert torch.equal(cut.flatten().sort().values, whole.flatten())
    assert torch.equal(assemble(groups, by, SHAPE), features)


def test_space_is_scanned_row_by_row_and_channels_in_their_order() -> None:
    """argan2018, figure 3: 1 x 1 x c and h x w x 1."""
    features = numbered()
    for i, group in enumerate(factorise(features, "space").unbind(1)):
        assert torch.equal(group, features[:, :, i // 4, i % 4])
    for i, group in enumerate(factorise(features, "channels").unbind(1)):
        assert torch.equal(group, features[:, i].flatten(1))
    pairs = factorise(features, "channels", 2)
    assert torch.equal(pairs[:, 1], features[:, 2:4].flatten(1))


def influence(by: Any, group: int, order: Any = None) -> Tensor:
    """How much each group of features (columns) moves the prediction of each group (rows); larger than 0 or 0."""
    torch.manual_seed(0)
    module = Autoregressor(features=SHAPE, by=by, group=group, hidden=5, layers=2).double()
    features = torch.randn(2, *SHAPE, dtype=torch.float64, requires_grad=True)
    rows = []
    for prediction in factorise(module(features), by, group).unbind(1):
        (gradient,) = torch.autograd.grad(prediction.square().sum(), features, retain_graph=True, allow_unused=True)
        rows.append(factorise(gradient, by, group).abs().sum((0, 2)))
    found = torch.stack(rows)
    return found if order is None else found[order][:, order]


@EVERY_WAY
def test_predictions_are_causal(by: Any, group: int) -> None:
    """The i-th depends on every group before the i-th and on no other; the first on none at all."""
    found = influence(by, group)
    assert torch.equal(found > 0, torch.ones_like(found).tril(-1).bool())


@EVERY_WAY
def test_another_order_is_not(by: Any, group: int) -> None:
    """The negative control: the same predictions, looked at in a shuffled order."""
    count = len(influence(by, group))
    found = influence(by, group, torch.randperm(count, generator=torch.Generator().manual_seed(1)))
    assert found.triu().any()


def test_the_first_group_is_predicted_by_a_constant() -> None:
    torch.manual_seed(0)
    module = Autoregressor(features=SHAPE, hidden=5)
    one, other = (factorise(module(torch.randn(1, *SHAPE)), "space")[0] for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert not torch.equal(one[1], other[1])


def test_features_of_another_encoder_are_refused() -> None:
    """Also where the network could read them: its sequence has no fixed length."""
    for module in (Autoregressor(features=SHAPE, hidden=5), Patch(features=SHAPE)):
        with pytest.raises(SettingError, match=r"expected features of shape \(6, 2, 4\), got \(6, 4, 4\)"):
            module(torch.zeros(1, 6, 4, 4))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"by": "channels", "group": 4}, "expected a divisor of 6, got 4"),
        ({"group": 3}, "expected a divisor of 8, got 3"),
        ({"hidden": 0}, "hidden: expected a number over 0, got 0"),
        ({"features": (0, 2, 2)}, "channels: expected a number over 0, got 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        Autoregressor(**{"features": SHAPE, **settings})


def test_a_patch_critic_judges_each_position_by_itself() -> None:
    torch.manual_seed(0)
    module, features = Patch(features=SHAPE, initialisation="torch"), torch.randn(2, *SHAPE)
    weight, bias = module.judge.weight.flatten(), module.judge.bias
    torch.testing.assert_close(module(features), torch.einsum("nchw,c->nhw", features, weight) + bias)


LSTM_512 = 4 * 512 * (512 + 512) + 512 * 512
ENCODER = 3 * 64 * 16 + 64 * 128 * 16 + 128 * 256 * 16 + 256 * 512 * 16
NARROW_ENCODER = ENCODER - 256 * 256 * 16  # 256 channels at its end
CIFAR_GENERATOR = 100 * 512 * 16 + 512 * 256 * 16 + 256 * 128 * 16 + 128 * 3 * 16
STL_GENERATOR = 100 * 512 * 9 + 512 * 256 * 16 + 256 * 256 * 16 + 256 * 128 * 16 + 128 * 3 * 16


def narrow_lstm(size: int) -> int:
    return 4 * 128 * (size + 128) + 4 * 128 * (128 + 128) + 128 * size


TABLES = {
    "cifar10-s-argan": ((512, 2, 2), (CIFAR_GENERATOR, ENCODER, LSTM_512)),
    "cifar10-c-argan": ((256, 2, 2), (CIFAR_GENERATOR, NARROW_ENCODER, narrow_lstm(4))),
    "cifar10-pargan": ((512, 2, 2), (CIFAR_GENERATOR, ENCODER, LSTM_512, 512)),
    "stl10-48-s-argan": ((512, 3, 3), (STL_GENERATOR, ENCODER, LSTM_512)),
    "stl10-48-c-argan": ((256, 3, 3), (STL_GENERATOR, NARROW_ENCODER, narrow_lstm(9))),
    "stl10-48-pargan": ((512, 3, 3), (STL_GENERATOR, ENCODER, LSTM_512, 512)),
}


def built(name: str, size: int) -> Game:
    torch.manual_seed(0)
    return RECIPES[f"argan2018/{name}"].experiment(Images(path="digits", size=size, channels=3), "paper").build()


@pytest.mark.parametrize("name", TABLES)
def test_the_networks_have_the_sizes_of_appendix_a(name: str) -> None:
    """Weights without biases, by hand; a generator's and an encoder's layers each hold what the tables print."""
    features, weights = TABLES[name]
    game = built(name, 48 if "48" in name else 32)
    assert game.encoder.features == game.autoregressor.features == features
    assert tuple(parameters_without_biases(game.get_submodule(player)) for player in game.players) == weights
    assert ENCODER == 2_755_584
    kinds = [type(layer).__name__ for layer in game.encoder.modules()]
    assert kinds.count("BatchNorm2d") == 4  # on the first layer too


@pytest.mark.parametrize("name", ["cifar10-dcgan", "cifar10-wgan-gp"])
def test_the_baselines_critics_are_the_encoder_and_a_linear_judge(name: str) -> None:
    game = built(name, 32)
    assert parameters_without_biases(game.generator) == CIFAR_GENERATOR
    assert parameters_without_biases(game.critic) == ENCODER + 512 * 2 * 2
    normal = [type(layer).__name__ for layer in game.critic.modules()].count("BatchNorm2d")
    assert normal == (4 if name == "cifar10-dcgan" else 0)

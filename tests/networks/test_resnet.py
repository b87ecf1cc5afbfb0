"""Residual networks: the sizes of the paper's tables, shortcuts, and what batch normalisation couples."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from agon import Adversarial, Turns, Unrolled, check_unrolling, part
from agon.errors import SettingError
from agon.games import Batch, parameters_of
from agon.networks import mlp, residual_mlp, resnet
from agon.networks.classifier import Classifier
from agon.networks.layers import parameters_without_biases
from agon.recipes import find

LAYERS = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
NORMS = nn.BatchNorm1d | nn.BatchNorm2d
EVERY = [f"{name}-{pair}{bn}" for name in ("ring", "swiss-roll") for pair in ("m0", "m1", "g0d1", "g1d0")
         for bn in ("", "-nobn")]  # fmt: skip
IMAGES = [f"{name}{blocks}{bn}" for name, most in (("mnist-m", 6), ("cifar10-m", 4)) for blocks in range(most)
          for bn in ("", "-nobn")]  # fmt: skip

# weights by hand: kernel² · inputs · outputs of each layer; the shortcut past a stride is a 1x1 convolution
MNIST_G = 49 * 100 * 128 + 16 * 128 * 64 + 16 * 64 * 1
MNIST_D = 16 * 1 * 64 + 16 * 64 * 128 + 7 * 7 * 128
CIFAR_G = 16 * 100 * 256 + 16 * 256 * 128 + 16 * 128 * 64 + 16 * 64 * 3
CIFAR_D = 16 * 3 * 64 + 16 * 64 * 128 + 16 * 128 * 256 + 4 * 4 * 256


def game_of(recipe: str, scale: str = "paper") -> Adversarial:
    """The game of a recipe on images of its own size, without weights."""
    found = find(f"yamazaki2017/{recipe}")
    with torch.device("meta"):
        built = found.make(found.data("smoke"), scale).game.build()  # type: ignore[arg-type]
    assert isinstance(built, Adversarial)
    return built


def layers_of(network: nn.Module) -> list[nn.Module]:
    """The layers that hold weights, but for those of shortcuts."""
    short = {id(layer) for m in network.modules() if isinstance(m, resnet.Residual) for layer in m.shortcut.modules()}
    return [m for m in network.modules() if isinstance(m, LAYERS) and id(m) not in short]


def block_weights(blocks: int, inputs: int, outputs: int) -> int:
    """What a stage's blocks add to its plain layer of stride 2: 3x3 layers and the 1x1 shortcut."""
    return (2 * blocks - 1) * 9 * outputs**2 + inputs * outputs if blocks else 0


@pytest.mark.parametrize("blocks", range(6))
def test_mnist_networks_have_the_weights_of_table_a2(blocks: int) -> None:
    game = game_of(f"mnist-m{blocks}")
    assert parameters_without_biases(game.generator) == MNIST_G + block_weights(blocks, 128, 64)
    assert parameters_without_biases(game.critic) == MNIST_D + block_weights(blocks, 64, 128)
    assert len(layers_of(game.generator)) == len(layers_of(game.critic)) == 3 + max(2 * blocks - 1, 0)


@pytest.mark.parametrize("blocks", range(4))
def test_cifar_networks_have_the_weights_of_table_a2(blocks: int) -> None:
    game = game_of(f"cifar10-m{blocks}")
    up = block_weights(blocks, 256, 128) + block_weights(blocks, 128, 64)
    down = block_weights(blocks, 64, 128) + block_weights(blocks, 128, 256)
    assert parameters_without_biases(game.generator) == CIFAR_G + up
    assert parameters_without_biases(game.critic) == CIFAR_D + down
    assert len(layers_of(game.generator)) == len(layers_of(game.critic)) == 4 + 2 * max(2 * blocks - 1, 0)


def test_the_cifar_baseline_has_the_papers_number_of_weights() -> None:
    assert parameters_without_biases(game_of("cifar10-m0").generator) == CIFAR_G == 1_068_032


@pytest.mark.parametrize("name", ["ring-m0", "swiss-roll-m1", "ring-g0d1", "swiss-roll-g1d0"])
def test_networks_of_points_have_the_layers_of_table_a1(name: str) -> None:
    """3 layers or 16, of 32 units."""
    deep = {"m0": (0, 0), "m1": (1, 1), "g0d1": (0, 1), "g1d0": (1, 0)}[name.rpartition("-")[2]]
    game = game_of(name)
    for network, is_deep, ends in zip((game.generator, game.critic), deep, (32 * 34, 3 * 32), strict=True):
        inner = 14 if is_deep else 1
        assert len(layers_of(network)) == 2 + inner
        assert parameters_without_biases(network) == ends + inner * 32**2
    assert game.latent_shape == (32,)


def test_the_classifier_is_that_of_table_b1() -> None:
    classifier = Classifier(shape=(1, 28, 28))
    assert parameters_without_biases(classifier) == 25 * 32 + 25 * 32 * 64 + 7 * 7 * 64 * 1024 + 1024 * 10
    sizes: list[tuple[int, ...]] = []
    for layer in classifier.layers:
        layer.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))
    assert classifier(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert [s for s in dict.fromkeys(sizes) if len(s) == 3] == [(32, 28, 28), (32, 14, 14), (64, 14, 14), (64, 7, 7)]
    assert [m.p for m in classifier.modules() if isinstance(m, nn.Dropout)] == [0.5]


@pytest.mark.parametrize("settings", [{"classes": 1}, {"dropout": 1.0}, {"widths": (8, 0)}, {"shape": (4,)}], ids=str)
def test_an_impossible_classifier_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="expected"):
        part(Classifier, **{"shape": (1, 8, 8), **settings}).build()


@pytest.mark.parametrize("name", EVERY + IMAGES)
def test_batch_normalisation_is_where_the_recipe_has_it(name: str) -> None:
    """Never after the critic's first layer nor the generator's last one; nowhere in the critic of `-nobn`."""
    game = game_of(name)
    of_critic = [m for m in game.critic.modules() if isinstance(m, NORMS)]
    of_generator = [m for m in game.generator.modules() if isinstance(m, NORMS)]
    assert len(of_generator) == len(layers_of(game.generator)) - 1
    assert len(of_critic) == (0 if name.endswith("-nobn") else len(layers_of(game.critic)) - 2)
    kept = [m for m in game.critic.modules() if isinstance(m, LAYERS | NORMS)]
    assert isinstance(kept[0], LAYERS)
    assert isinstance(kept[1], LAYERS)


@pytest.mark.parametrize("name", ["ring-m0", "ring-m1", "mnist-m2", "cifar10-m1"])
def test_without_it_a_logit_depends_on_its_own_sample_alone(name: str) -> None:
    """The negative control: with it, the other samples move every logit."""
    torch.manual_seed(0)
    shape = find(f"yamazaki2017/{name}").data("smoke").shape
    x, moved = torch.randn(6, *shape), 0.0
    for suffix in ("-nobn", ""):
        critic = built(name + suffix).critic.double()
        other = torch.cat([x[:1], x[1:] * 3]).double()
        moved = (critic(x.double())[0] - critic(other)[0]).abs().item()
        assert moved > 1e-9 or suffix
        assert moved < 1e-12 or not suffix


def built(name: str) -> Adversarial:
    """The game of a recipe at its smallest scale, with weights."""
    recipe = find(f"yamazaki2017/{name}")
    game = recipe.experiment(scale="smoke").build()
    assert isinstance(game, Adversarial)
    return game


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 25, 37), (1, 5, 8)], ids=str)
@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_any_size_has_its_networks(shape: tuple[int, int, int], blocks: int) -> None:
    """Every pixel depends on z and moves the logit; every parameter gets a finite gradient."""
    torch.manual_seed(0)
    sizes = {"shape": shape, "blocks": blocks, "initialisation": "xavier", "gain": 1.0}
    generator = resnet.Generator(latent=5, first=8, widths=(6, 4), **sizes)
    critic = resnet.Critic(widths=(4, 6, 8), normalise=False, **sizes)
    fake = generator(torch.randn(8, 5))
    assert fake.shape == (8, *shape)
    assert (fake.std(0) > 0).all()
    x = fake.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    assert (gradient.abs().amax(0) > 0).all()
    critic(fake).sum().backward()
    for name, parameter in [*generator.named_parameters(), *critic.named_parameters()]:
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("name", ["ring-m1", "swiss-roll-m1-nobn", "mnist-m5", "cifar10-m3-nobn"])
def test_every_parameter_of_the_deepest_gets_a_finite_gradient(name: str) -> None:
    torch.manual_seed(0)
    game = built(name)
    losses = game(batch_of(name, game), of=("generator", "critic")).players
    for player, loss in losses.items():
        for gradient in torch.autograd.grad(loss, parameters_of(game, player), retain_graph=True):
            assert torch.isfinite(gradient).all()


def batch_of(name: str, game: Adversarial, dtype: torch.dtype = torch.float32) -> Batch:
    real = find(f"yamazaki2017/{name}").data("smoke").take(6).real.to(dtype)
    return Batch(real, torch.rand(6, *game.latent_shape, dtype=dtype) * 2 - 1, {})


@pytest.mark.parametrize("networks", [residual_mlp, resnet])
def test_a_block_whose_last_layer_is_zero_is_its_shortcut(networks: object) -> None:
    """So that to learn the identity is to learn nothing; a block as it begins is another function."""
    torch.manual_seed(0)
    shape = (2,) if networks is residual_mlp else (1, 9, 12)
    sizes = {"width": 8} if networks is residual_mlp else {"widths": (8, 8)}
    critic = networks.Critic(shape=shape, blocks=2, gain=0.5, initialisation="gaussian", **sizes)  # type: ignore[attr-defined]
    seen = 0
    for block in (m for m in critic.modules() if isinstance(m, resnet.Residual)):
        x = torch.randn(5, *([8] if len(shape) == 1 else [8, 9, 12]))
        assert not torch.allclose(block(x), block.shortcut(x))
        nn.init.zeros_([m for m in block.layers.modules() if isinstance(m, LAYERS)][-1].weight)
        assert torch.equal(block(x), block.shortcut(x))
        same = isinstance(block.shortcut, nn.Identity)
        assert torch.equal(block.shortcut(x), x) == same
        seen += same
    assert seen == len([m for m in critic.modules() if isinstance(m, nn.Identity)]) > 0


def test_shortcuts_past_a_stride_are_nearest_pixels_and_means() -> None:
    """With weights of 1: a pixel becomes its four, and four pixels their mean; odd sides are cut and filled."""
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    up, down = resnet.Enlarging(1, 1, (4, 5)), resnet.Shrinking(1, 1)
    for shortcut in (up, down):
        nn.init.ones_(shortcut.project.weight)
    assert up(x)[0, 0].tolist() == [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5], [3, 3, 4, 4, 5]]
    assert down(x)[0, 0].tolist() == [[2.0, 3.5]]


@pytest.mark.parametrize(("name", "std"), [("ring-m1", 0.1), ("ring-m0", 0.1), ("mnist-m2", 0.02)])
def test_weights_begin_with_the_deviation_of_table_a4(name: str, std: float) -> None:
    """All weights together within 5 standard errors, zero biases, and scales of 1."""
    torch.manual_seed(0)
    recipe = find(f"yamazaki2017/{name}")
    game = recipe.make(recipe.data("smoke"), "quick").game.build()  # type: ignore[union-attr]
    weights = torch.cat([p.detach().flatten() for p in game.parameters() if p.ndim > 1])
    assert abs(weights.mean()) < 5 * std / math.sqrt(len(weights))
    assert abs(weights.std() / std - 1) < 5 / math.sqrt(2 * len(weights))
    for module in game.modules():
        assert getattr(module, "bias", None) is None or not module.bias.any()
        assert not isinstance(module, NORMS) or bool((module.weight == 1).all())


@pytest.mark.parametrize("normalise", [False, True])
def test_a_look_ahead_through_residual_blocks_is_exact(normalise: bool) -> None:
    """The unrolled gradient is that of finite differences of torch's own steps, of networks that are smooth."""
    torch.manual_seed(0)
    sizes = {"shape": (2,), "width": 8, "blocks": 3, "nonlinearity": "tanh", "normalise": normalise}
    generator, critic = residual_mlp.Generator(latent=4, **sizes), residual_mlp.Critic(**sizes)
    game = Adversarial(generator=generator, critic=critic).double()
    batch = batch_of("ring-m1", game, torch.float64)
    optimiser = torch.optim.SGD(game.critic.parameters(), lr=0.1)
    still = torch.optim.SGD(game.generator.parameters(), lr=0.0)  # leaves its gradient, at the same point
    Unrolled(Turns((("generator",),)), steps=2).step(game, {"generator": still, "critic": optimiser}, lambda: batch)

    def loss(player: str, critic: nn.Module) -> Tensor:
        twin = copy.copy(game)
        twin._modules = {**game._modules, "critic": critic}
        return twin.losses(batch, of=(player,)).players[player]

    verdict = check_unrolling(
        game.critic,
        optimiser,
        inner=lambda critic: loss("critic", critic),
        outer=lambda critic: loss("generator", critic),
        steps=2,
        parameters=parameters_of(game, "generator"),
    )
    assert verdict.kind == "unrolled", str(verdict)


def test_residual_networks_move_by_unrolled_dynamics() -> None:
    """And the critic's own state is afterwards as its own move has left it."""
    torch.manual_seed(0)
    game = built("mnist-m1")
    optimisers = {player: torch.optim.Adam(parameters_of(game, player)) for player in game.players}
    batch = batch_of("mnist-m1", game)
    before = {name: value.clone() for name, value in game.critic.state_dict().items()}
    moving = Unrolled(Turns((("generator",),)), steps=2)
    first = {name: value.clone() for name, value in game.generator.state_dict().items()}
    losses = moving.step(game, optimisers, lambda: batch)
    assert torch.isfinite(losses.players["generator"])
    assert all(torch.equal(before[name], value) for name, value in game.critic.state_dict().items())
    assert any(not torch.equal(first[name], value) for name, value in game.generator.state_dict().items())


@pytest.mark.parametrize("make", [resnet.Generator, resnet.Critic, residual_mlp.Generator, residual_mlp.Critic])
def test_under_no_blocks_is_refused(make: type[nn.Module]) -> None:
    with pytest.raises(SettingError, match="blocks from 0"):
        make(shape=(1, 8, 8), blocks=-1)


def test_the_perceptrons_first_layer_can_go_without_normalisation() -> None:
    """By default it has it, as it always had."""
    for first, norms in ((True, 2), (False, 1)):
        critic = mlp.Critic(shape=(2,), widths=(8, 8), normalise=True, normalise_first=first)
        assert len([m for m in critic.modules() if isinstance(m, nn.BatchNorm1d)]) == norms
    assert (critic.layers[2].bias is None, mlp.Critic(shape=(2,)).layers[2].bias is None) == (False, False)

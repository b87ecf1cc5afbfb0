"""Networks as tables of layers: exact sides, the papers' sizes, and every pixel in use at any resolution."""

import copy
import math
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agon.errors import SettingError
from agon.networks import cnn
from agon.networks.convolutions import Down, Flat, Up, normalise_spectrally, rows, shrunk
from agon.networks.layers import parameters_without_biases
from agon.recipes import find

TABLES = {
    "halves": (((4, 2, 4), (4, 2, 3)), (4, 2)),
    "odd kernels, and a last layer of stride 1": (((3, 2, 4), (5, 2, 3)), (3, 1)),
    "a layer that keeps its size": (((3, 1, 4), (2, 2, 3)), (4, 2)),
    "thirds": (((5, 3, 4),), (3, 3)),
}
SHAPES = [(1, 28, 28), (3, 32, 32), (3, 48, 48), (1, 25, 37), (3, 4, 31), (2, 9, 5), (1, 1, 1)]
EVERY_TABLE = pytest.mark.parametrize(("layers", "last"), TABLES.values(), ids=TABLES)
SIDES = range(1, 9)
KERNELS = [(k, s) for k in range(1, 7) for s in range(1, k + 1) if s > 1 or k % 2]


def images(n: int, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@EVERY_TABLE
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_table_fits_any_resolution(
    shape: tuple[int, int, int], layers: cnn.ConvolutionTable, last: tuple[int, int]
) -> None:
    """From latents to logits, with a finite gradient for every parameter; in float64, and of a copy."""
    torch.manual_seed(0)
    generator = copy.deepcopy(cnn.Generator(shape=shape, latent=5, first=4, layers=layers, last=last).double())
    critic = copy.deepcopy(cnn.Critic(shape=shape, layers=layers).double())
    fake = generator(images(3, generator.latent_shape))
    assert fake.shape == (3, *shape)
    assert (fake.abs() <= 1).all()
    logits = critic(fake)
    assert logits.shape == (3,)
    logits.sum().backward()
    for name, parameter in [*generator.named_parameters(), *critic.named_parameters()]:
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@EVERY_TABLE
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 25, 37)], ids=str)
def test_every_pixel_depends_on_the_latent_and_moves_the_logit(
    shape: tuple[int, int, int], layers: cnn.ConvolutionTable, last: tuple[int, int]
) -> None:
    """A cut or padded stage leaves no row or column out."""
    torch.manual_seed(0)
    weights = {"initialisation": "xavier", "gain": 1.0}
    generator = cnn.Generator(shape=shape, latent=5, first=4, layers=layers, last=last, slope=0.1, **weights).double()
    critic = cnn.Critic(shape=shape, layers=layers, **weights).double()
    fake = generator(images(8, (5,)))
    assert (fake.std(0) > 0).all()
    x = fake.detach().requires_grad_()
    (gradient,) = torch.autograd.grad((critic(x) * torch.arange(8)).sum(), x)  # a plain sum is 0 after normalisation
    assert (gradient.abs().amax(0) > 0).all()


@pytest.mark.parametrize(("kernel", "stride"), KERNELS)
def test_sides_are_divided_rounding_up_and_multiplied_exactly(kernel: int, stride: int) -> None:
    for height, width in product(SIDES, (1, 11)):
        small = (-(-height // stride), -(-width // stride))
        assert list(shrunk((height, width), (stride,)))[1] == small
        assert Down(1, 1, kernel, True, stride)(torch.zeros(1, 1, height, width)).shape[2:] == small
        assert Up(1, 1, (height, width), kernel, True, stride)(torch.zeros(1, 1, *small)).shape[2:] == (height, width)


@pytest.mark.parametrize(("kernel", "stride"), KERNELS)
def test_going_up_is_the_transpose_of_going_down(kernel: int, stride: int) -> None:
    """<down(x), y> = <x, up(y)> with the same kernel at every side: what is padded here is cut there."""
    torch.manual_seed(0)
    for height, width in ((12, 7), (13, 6), (5, 1)):
        down = Down(2, 3, kernel, False, stride).double()
        up = Up(3, 2, (height, width), kernel, False, stride).double()
        with torch.no_grad():
            up.weight.copy_(down.weight)
        x = images(1, (2, height, width))
        y = images(1, tuple(down(x).shape[1:]), seed=1)
        torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum(), rtol=1e-12, atol=1e-12)


def test_a_critic_is_its_equations() -> None:
    """Convolution, leaky relu of the slope that was asked for, and one linear map of all features."""
    torch.manual_seed(0)
    critic = cnn.Critic(shape=(2, 6, 5), layers=((3, 1, 4),), normalise=False, slope=0.3, gain=1.0).double()
    (down, _), (flat, judge, _) = critic.encoder.layers, critic.judge
    x = images(3, (2, 6, 5))
    features = F.leaky_relu(F.conv2d(x, down.weight, down.bias, padding=1), 0.3)
    assert isinstance(flat, Flat)
    expected = features.permute(0, 2, 3, 1).reshape(3, -1) @ judge.weight[0] + judge.bias
    torch.testing.assert_close(critic(x), expected)
    torch.testing.assert_close(critic.encoder(x), features)


def test_an_encoder_says_how_large_its_features_are() -> None:
    for shape in SHAPES:
        encoder = cnn.Encoder(shape=shape)
        assert encoder(torch.zeros(2, *shape)).shape == (2, *encoder.features)


def widths(network: nn.Module) -> list[int]:
    return [m.num_features for m in network.modules() if isinstance(m, nn.BatchNorm2d)]


def test_batch_normalisation_is_where_it_is_asked_for() -> None:
    shape = (3, 32, 32)
    assert widths(cnn.Generator(shape=shape)) == [512, 256, 128]
    assert widths(cnn.Critic(shape=shape)) == [128, 256]
    assert widths(cnn.Critic(shape=shape, normalise_first=True)) == [64, 128, 256]
    assert widths(cnn.Generator(shape=shape, normalise=False)) == []
    assert widths(cnn.Critic(shape=shape, normalise=False, normalise_first=True)) == []


def test_a_bias_stands_where_no_normalisation_removes_it() -> None:
    for network in (cnn.Generator(shape=(1, 8, 8)), cnn.Critic(shape=(1, 8, 8), normalise_first=True)):
        layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        assert [layer.bias is not None for layer in layers] == [False] * (len(layers) - 1) + [True]
    bare = cnn.Generator(shape=(1, 8, 8), normalise=False), cnn.Critic(shape=(1, 8, 8), normalise=False)
    assert all(m.bias is not None for n in bare for m in n.modules() if isinstance(m, nn.Linear | nn.Conv2d | Up))


@pytest.mark.parametrize(("range_", "low", "high"), [((-1.0, 1.0), -1, 1), ((0.0, 1.0), 0, 1)])
def test_samples_lie_in_the_sources_range(range_: tuple[float, float], low: int, high: int) -> None:
    torch.manual_seed(0)
    settings = {"shape": (1, 8, 8), "latent": 4, "first": 4, "layers": ((4, 2, 4),), "normalise": False, "gain": 1.0}
    x = cnn.Generator(**settings, range=range_)(torch.randn(64, 4) * 100)
    assert low <= x.min() < low + 0.1
    assert high - 0.1 < x.max() <= high
    assert cnn.Generator(**settings, range=None)(torch.randn(64, 4) * 100).abs().max() > 1


def matrices(network: nn.Module) -> list[Tensor]:
    """The kernels as matrices of `outputs` rows."""
    layers = (m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d))
    return [layer.weight.detach().flatten(1) for layer in layers]


def largest(matrix: Tensor) -> float:
    return float(torch.linalg.svdvals(matrix)[0])


def spectral(kernel: int = 4, asked: bool = True) -> cnn.Critic:
    """A critic that has seen enough passes for its power iterations to have converged."""
    torch.manual_seed(0)
    layers = ((kernel, 2, 6), (kernel, 2, 5))
    critic = cnn.Critic(shape=(2, 8, 8), layers=layers, normalise=False, spectral=asked, gain=1.0).double()
    for _ in range(150 if asked else 0):
        critic(images(1, (2, 8, 8)))
    return critic.eval()


def test_spectral_normalisation_makes_the_largest_singular_value_1() -> None:
    for matrix in matrices(spectral()):
        assert largest(matrix) == pytest.approx(1, abs=1e-6)
    assert max(largest(matrix) for matrix in matrices(spectral(asked=False))) > 2
    torch.manual_seed(0)
    encoder = cnn.Encoder(shape=(2, 8, 8), layers=((3, 2, 6),), spectral=True).double()
    for _ in range(150):
        encoder(images(1, (2, 8, 8)))
    assert [largest(matrix) for matrix in matrices(encoder.eval())] == pytest.approx([1], abs=1e-6)


def slope(layer: nn.Module, x: Tensor) -> float:
    """The operator norm of a layer's linear part, by its whole Jacobian."""
    jacobian = torch.autograd.functional.jacobian(lambda x: layer(x).flatten(), x)
    return largest(jacobian.flatten(1))


@pytest.mark.parametrize(("kernel", "overlap"), [(2, 1), (3, 2), (4, 2)])
def test_a_normalised_critics_layers_have_a_slope_of_at_most_their_kernels_overlap(kernel: int, overlap: int) -> None:
    """1 where patches do not overlap; a pixel seen by patches of k/s in each direction can count that often."""
    critic, x = spectral(kernel), images(1, (2, 8, 8))
    for down in (m for m in critic.modules() if isinstance(m, Down)):
        assert slope(down, x) <= overlap + 1e-6
        x = down(x).detach()
    x, y = images(500, (2, 8, 8)), images(500, (2, 8, 8), seed=1)
    rises = (critic(x) - critic(y)).abs() / (x - y).flatten(1).norm(dim=1)
    assert rises.max() <= overlap**2
    wild = spectral(kernel, asked=False)
    assert ((wild(x) - wild(y)).abs() / (x - y).flatten(1).norm(dim=1)).max() > rises.max()


def test_spectral_normalisation_reaches_transposed_convolutions() -> None:
    torch.manual_seed(0)
    up = Up(3, 2, (8, 8), 4, True).double()
    normalise_spectrally(up)
    for _ in range(150):
        up(images(1, (3, 4, 4)))
    weight = up.eval().weight.detach().transpose(0, 1).flatten(1)  # outputs first
    assert largest(weight) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "row", [(4, 1, 8), (2, 3, 8), (0, 1, 8), (3, 0, 8), (3, 2, 0), (-3, 2, 8)], ids=["even at stride 1", *"abcde"]
)
def test_a_wrong_table_is_a_sentence(row: tuple[int, int, int]) -> None:
    with pytest.raises(SettingError, match=rf"an odd kernel at stride 1, got \({row[0]}, {row[1]}, {row[2]}\)"):
        rows([(3, 1, 8), row])
    with pytest.raises(SettingError, match="layers: expected"):
        cnn.Critic(shape=(1, 8, 8), layers=(row,))
    with pytest.raises(SettingError, match="layers: expected"):
        cnn.Generator(shape=(1, 8, 8), layers=(row,))


@pytest.mark.parametrize("shape", [(2,), (8, 8), (0, 8, 8), (1, 0, 8), (1, 8, 8, 8)], ids=str)
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match=r"expected \(channels, height, width\), got .* use networks\.mlp"):
        cnn.channels_of(shape)


@pytest.mark.parametrize("network", [cnn.Generator, cnn.Encoder, cnn.Critic])
def test_no_network_is_made_for_what_is_no_image(network: type[nn.Module]) -> None:
    for shape in ((0, 8, 8), (1, 0, 8)):
        with pytest.raises(SettingError, match=r"use networks\.mlp"):
            network(shape=shape)


@pytest.mark.parametrize("settings", [{"latent": 0}, {"first": -1}, {"gain": math.inf}])
def test_sizes_that_are_none_are_sentences(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="expected a number over 0"):
        cnn.Generator(shape=(1, 8, 8), **settings)


def sizes(name: str) -> tuple[nn.Module, nn.Module, list[int]]:
    game = find(name).experiment(scale="paper").build()
    return game.generator, game.critic, [parameters_without_biases(n) for n in (game.generator, game.critic)]


@pytest.mark.parametrize(("name", "channels"), [("metz2017/cifar10-k0", 3), ("metz2017/mnist-k0", 1)])
def test_appendix_c_has_its_tables_weights(name: str, channels: int) -> None:
    """metz2017, Appendix C: 512 at 4x4, 256, 128, 64, the sample; and 64, 128, 256 at 4x4, the logit."""
    generator, critic, counts = sizes(name)
    up = 9 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * channels)
    down = 9 * (channels * 64 + 64 * 128 + 128 * 256)
    assert counts == [256 * 4 * 4 * 512 + up, down + 4 * 4 * 256]
    assert generator.first == (512, 4, 4)
    assert critic.encoder.features == (256, 4, 4)
    assert widths(generator) == [512, 256, 128, 64]
    assert widths(critic) == [64, 128, 256]
    assert {m.negative_slope for n in (generator, critic) for m in n.modules() if isinstance(m, nn.LeakyReLU)} == {0.3}


def test_appendix_b_has_its_critics_weights() -> None:
    """metz2017, Appendix B: 16, 32, 32 at 4x4, the logit; kernel 3 is ours."""
    _, critic, counts = sizes("metz2017/rnn-mnist-k20")
    assert counts[1] == 9 * (16 + 16 * 32 + 32 * 32) + 4 * 4 * 32 == 14_480
    assert widths(critic) == [16, 32, 32]

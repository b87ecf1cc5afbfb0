"""Networks: shapes for every resolution, the papers' initialisations and sizes, and modes that are restored."""

import pytest
import torch
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks import dcgan, mlp
from agon.networks.layers import activation, evaluation_mode, initialise, parameters_without_biases, squash

SHAPES = [(c, s, s) for c in (1, 3) for s in (8, 28, 32, 48, 64, 96)] + [(1, 25, 37), (3, 4, 31), (3, 33, 5)]


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_dcgan_fits_any_resolution(shape: tuple[int, int, int], kernel: int) -> None:
    torch.manual_seed(0)
    generator = dcgan.Generator(shape=shape, latent=5, width=2, kernel=kernel)
    critic = dcgan.Critic(shape=shape, width=2, kernel=kernel)
    fake = generator(torch.randn(3, *generator.latent_shape))
    assert fake.shape == (3, *shape)
    assert (fake.abs() <= 1).all()
    logits = critic(fake)
    assert logits.shape == (3,)
    logits.sum().backward()
    for name, parameter in [*generator.named_parameters(), *critic.named_parameters()]:
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 25, 37)], ids=str)
def test_every_pixel_depends_on_the_latent_and_moves_the_logit(shape: tuple[int, int, int]) -> None:
    """A cut or padded stage leaves no row or column out."""
    torch.manual_seed(0)
    generator = dcgan.Generator(shape=shape, latent=5, width=4, initialisation="xavier", gain=1.0)
    critic = dcgan.Critic(shape=shape, width=4, initialisation="xavier", gain=1.0)
    fake = generator(torch.randn(8, 5))
    assert (fake.std(0) > 0).all()
    x = fake.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    assert (gradient.abs().amax(0) > 0).all()


def test_stages_halve_and_round_up_until_seven() -> None:
    assert list(dcgan.stages((3, 96, 96))) == [(96, 96), (48, 48), (24, 24), (12, 12), (6, 6)]
    assert list(dcgan.stages((1, 25, 37))) == [(25, 37), (13, 19), (7, 10), (4, 5)]
    assert list(dcgan.stages((1, 5, 5))) == [(5, 5), (3, 3)]  # at least once


@pytest.mark.parametrize("shape", [(1, 3, 32), (1, 32, 3), (0, 32, 32), (32, 32), (2,)], ids=str)
def test_a_dcgan_refuses_what_is_no_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="sides from 4"):
        list(dcgan.stages(shape))


@pytest.mark.parametrize(("range_", "low", "high"), [((-1.0, 1.0), -1, 1), ((0.0, 1.0), 0, 1)])
def test_samples_lie_in_the_sources_range(range_: tuple[float, float], low: int, high: int) -> None:
    torch.manual_seed(0)
    z = torch.randn(64, 4) * 100
    for network in (
        dcgan.Generator(shape=(1, 8, 8), latent=4, width=2, range=range_, gain=1.0),
        mlp.Generator(shape=(3, 2), latent=4, range=range_),
    ):
        x = network(z)
        assert low <= x.min() < low + 0.1
        assert high - 0.1 < x.max() <= high


def test_an_unknown_range_is_refused() -> None:
    with pytest.raises(SettingError, match="range of a generator"):
        squash((0.0, 255.0))


def test_batch_normalisation_is_where_the_paper_has_it() -> None:
    """Everywhere but the generator's output and the critic's input (radford2015, section 3)."""
    generator, critic = dcgan.Generator(shape=(3, 32, 32)), dcgan.Critic(shape=(3, 32, 32))
    widths = [[m.num_features for m in n.modules() if isinstance(m, nn.BatchNorm2d)] for n in (generator, critic)]
    assert widths == [[256, 128, 64], [128, 256]]
    bare = dcgan.Generator(shape=(3, 32, 32), normalise=False), dcgan.Critic(shape=(3, 32, 32), normalise=False)
    assert not any(isinstance(m, nn.BatchNorm2d) for n in bare for m in n.modules())


def test_the_ring_generator_has_the_papers_number_of_weights() -> None:
    """metz2017, Appendix A."""
    generator = mlp.Generator(shape=(2,), latent=256, widths=(128, 128), initialisation="orthogonal", gain=0.8)
    assert parameters_without_biases(generator) == 49_408 == 256 * 128 + 128 * 128 + 128 * 2


@pytest.mark.parametrize("shape", [(2,), (1, 4, 4)], ids=str)
def test_an_mlp_maps_latents_to_samples_to_logits(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    generator = mlp.Generator(shape=shape, latent=3, widths=(8,), normalise=True)
    critic = mlp.Critic(shape=shape, widths=(8, 8))
    fake = generator(torch.randn(5, 3))
    assert fake.shape == (5, *shape)
    assert critic(fake).shape == (5,)


def test_an_mlp_critic_scales_its_input() -> None:
    torch.manual_seed(0)
    critic = mlp.Critic(shape=(2,), widths=(), scale=0.25)
    weight, bias = critic.layers[-2].weight, critic.layers[-2].bias
    x = torch.randn(5, 2)
    torch.testing.assert_close(critic(x), (x * 0.25 @ weight.T + bias).flatten())


@pytest.mark.parametrize("widths", [(0,), (8, -1)])
def test_an_mlp_without_width_is_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="widths: expected numbers over 0"):
        mlp.Critic(shape=(2,), widths=widths)


def layers_of(*networks: nn.Module) -> list[nn.Linear | nn.Conv2d | nn.ConvTranspose2d]:
    kinds = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
    return [m for n in networks for m in n.modules() if isinstance(m, kinds)]


def test_the_dcgan_initialisation_has_its_moments() -> None:
    """N(0, 0.02) for weights, N(1, 0.02) for batch normalisation's scale, zero for every bias."""
    torch.manual_seed(0)
    networks = dcgan.Generator(shape=(3, 32, 32)), dcgan.Critic(shape=(3, 32, 32))
    for layer in layers_of(*networks):
        w, n = layer.weight, layer.weight.numel()
        assert abs(w.mean()) < 4 * 0.02 / n**0.5
        assert abs(w.std() / 0.02 - 1) < 4 / (2 * n) ** 0.5
        assert layer.bias is None or not layer.bias.any()
    for norm in (m for n in networks for m in n.modules() if isinstance(m, nn.BatchNorm2d)):
        n = norm.num_features
        assert abs(norm.weight.mean() - 1) < 4 * 0.02 / n**0.5
        assert abs(norm.weight.std() / 0.02 - 1) < 4 / (2 * n) ** 0.5
        assert not norm.bias.any()


@pytest.mark.parametrize("gain", [0.8, 1.0])
def test_the_orthogonal_initialisation_is_orthogonal(gain: float) -> None:
    torch.manual_seed(0)
    for layer in layers_of(mlp.Generator(shape=(2,), latent=256, initialisation="orthogonal", gain=gain)):
        w = layer.weight if layer.weight.shape[0] <= layer.weight.shape[1] else layer.weight.T
        torch.testing.assert_close(w @ w.T, gain**2 * torch.eye(len(w)), rtol=0, atol=1e-5)
        assert not layer.bias.any()


def test_the_xavier_initialisation_is_uniform_within_its_bound() -> None:
    layer = nn.Linear(200, 100)
    torch.manual_seed(0)
    initialise(layer, "xavier", 2.0)
    bound = 2.0 * (6 / 300) ** 0.5
    assert 0.999 * bound < layer.weight.abs().max() <= bound
    assert abs(layer.weight.std() / (bound / 3**0.5) - 1) < 0.02
    assert not layer.bias.any()


def test_torchs_own_initialisation_is_left_alone() -> None:
    layer = nn.Linear(3, 3)
    before = layer.weight.clone()
    initialise(layer, "torch", 5.0)
    assert torch.equal(layer.weight, before)


def test_unknown_names_get_the_nearest_known_one() -> None:
    with pytest.raises(SettingError, match="did you mean 'leaky-relu'"):
        activation("leaky_relu")
    torch.testing.assert_close(activation("leaky-relu")(torch.tensor([-1.0, 2.0])), torch.tensor([-0.2, 2.0]))


def test_evaluation_mode_restores_every_flag_even_after_an_error() -> None:
    network = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.Dropout(), nn.Linear(2, 2)))
    network[1][0].eval()
    flags = [m.training for m in network.modules()]
    assert flags == [True, True, True, False, True]

    def fail(x: Tensor) -> None:
        with evaluation_mode(network):
            assert not any(m.training for m in network.modules())
            raise KeyError

    with pytest.raises(KeyError):
        fail(torch.zeros(1))
    assert [m.training for m in network.modules()] == flags

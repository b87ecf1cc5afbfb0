"""GRAN: the paper's equations step by step, statistics of each time step, sizes of figure 29, and memory for time."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agon.averaging import restate
from agon.errors import SettingError
from agon.networks import dcgan, gran, stepped
from agon.networks.convolutions import Down, Up
from agon.networks.layers import parameters_without_biases
from agon.recipes import RECIPES

SMALL: dict[str, Any] = {"shape": (2, 8, 8), "latent": 3, "hidden": 5, "kernels": (6, 4)}
STEPS = pytest.mark.parametrize("steps", [1, 3, 5])
TIED = pytest.mark.parametrize("tied", [False, True], ids=["free", "tied"])


def generator(seed: int = 0, **settings: Any) -> gran.Generator:
    torch.manual_seed(seed)
    return gran.Generator(**{**SMALL, **settings}).double()


def latents(network: gran.Generator, n: int = 6, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, *network.latent_shape, generator=rng, dtype=torch.float64)


def transcribed(network: gran.Generator, z: Tensor, tied: bool) -> list[Tensor]:
    """Equations 5 to 9 for T = 3, each line one of the paper's, in training mode; the canvas after each step."""
    w = dict(network.state_dict())
    norm = network.encoder is not None and len(network.decoder.norms[0].norms) > 0
    bias: Callable[[str], Tensor | None] = lambda name: w.get(f"{name}.bias")  # noqa: E731

    def normalised(x: Tensor, name: str) -> Tensor:
        own = f"{name}.norms.0"
        return F.batch_norm(x, None, None, w[f"{own}.weight"], w[f"{own}.bias"], training=True) if norm else x

    def f(h_z: Tensor, h_c: Tensor) -> Tensor:
        weight = torch.cat([w["decoder.of_code.weight"], w["decoder.of_memory.weight"]], 1)
        x = F.linear(torch.cat([h_z, h_c], 1), weight, bias("decoder.of_code")).view(-1, 6, 2, 2)
        for i in range(2):
            x = F.relu(normalised(x, f"decoder.norms.{i}"))
            x = F.conv_transpose2d(x, w[f"decoder.ups.{i}.weight"], bias(f"decoder.ups.{i}"), 2, 2, 1)
        return x

    def g(x: Tensor) -> Tensor:
        for i in range(2):
            weight = w[f"decoder.ups.{1 - i}.weight" if tied else f"encoder.downs.{i}.weight"]
            x = F.conv2d(x, weight, bias(f"encoder.downs.{i}"), 2, 2)
            x = F.relu(normalised(x, f"encoder.norms.{i}"))
        weight = w["decoder.of_memory.weight"].T if tied else w["encoder.top.weight"]
        x = F.linear(x.flatten(1), weight, bias("encoder.top"))
        return torch.tanh(normalised(x, "encoder.norm"))

    total, h_c, canvases = torch.zeros(len(z), 2, 8, 8).double(), torch.zeros(len(z), 5).double(), []
    for t in range(3):
        z_t = z if z.ndim == 2 else z[:, t]
        h_z = torch.tanh(z_t @ w["code.weight"].T + w["code.bias"])
        drawn = f(h_z, h_c)
        total = total + drawn
        canvases.append(1 / (1 + torch.exp(-total)))
        h_c = g(drawn)
    return canvases


@TIED
@pytest.mark.parametrize("normalise", [True, False], ids=["normalised", "plain"])
@pytest.mark.parametrize("noise", ["once", "every"])
def test_it_is_the_papers_equations(noise: str, normalise: bool, tied: bool) -> None:
    network = generator(noise=noise, normalise=normalise, tied=tied, initialisation="torch")
    z = latents(network)
    expected = transcribed(network, z, tied)
    torch.testing.assert_close(network(z), expected[-1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(network.canvases(z), torch.stack(expected, 1), rtol=1e-12, atol=1e-12)
    running_sum = (expected[1] - expected[0]).abs().max()
    assert running_sum > 1e-3  # each step paints
    if not tied:
        with pytest.raises((AssertionError, RuntimeError)):  # the other reading of g's weights is another network
            torch.testing.assert_close(network(z), transcribed(network, z, True)[-1])


def test_one_step_is_a_dcgan_after_one_more_layer() -> None:
    """Section 3.1's claim, at MNIST's sizes."""
    torch.manual_seed(0)
    one = gran.Generator(shape=(1, 28, 28), steps=1, hidden=60).double()
    ordinary = dcgan.Generator(shape=(1, 28, 28), latent=60, width=40, kernel=5, range=(0.0, 1.0)).double()
    mine = list(one.decoder.parameters())
    theirs = dict(ordinary.named_parameters())
    order = ("project.weight", "start.0.weight", "start.0.bias", "layers.1.weight", "layers.1.bias",
             "layers.0.weight", "layers.3.weight", "layers.3.bias")  # fmt: skip
    assert sorted(order) == sorted(theirs)
    with torch.no_grad():
        for own, name in zip(mine, order, strict=True):
            theirs[name].copy_(own)
    z = latents(one)
    torch.testing.assert_close(one(z), ordinary(torch.tanh(one.code(z))), rtol=1e-12, atol=1e-12)
    extra = 60 * 60 + 60
    assert sum(p.numel() for p in one.parameters()) == sum(p.numel() for p in ordinary.parameters()) + extra
    assert one.encoder is None
    assert one.decoder.of_memory is None


def test_its_last_canvas_is_its_sample_and_its_range_is_the_sources() -> None:
    for range_, low in (((0.0, 1.0), 0), ((-1.0, 1.0), -1)):
        network = generator(range=range_, gain=5.0).eval()
        z = latents(network, 50)
        canvases = network.canvases(z)
        assert canvases.shape == (50, 3, 2, 8, 8)
        assert torch.equal(canvases[:, -1], network(z))
        assert low <= canvases.min() < low + 0.1
        assert 0.9 < canvases.max() <= 1


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 25, 37), (3, 5, 9)], ids=str)
@TIED
def test_it_fits_any_resolution(shape: tuple[int, int, int], tied: bool) -> None:
    for kernel in (4, 5):
        network = generator(shape=shape, kernels=(4, 3, 2), kernel=kernel, tied=tied)
        x = network(latents(network))
        assert x.shape == (6, *shape)
        assert (x.std(0) > 0).all()


@STEPS
@TIED
@pytest.mark.parametrize("normalise", [True, False])
def test_every_parameter_has_a_gradient_and_every_statistic_moves(steps: int, tied: bool, normalise: bool) -> None:
    network = generator(steps=steps, tied=tied, normalise=normalise)
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    network(latents(network, 16)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    for name, buffer in network.named_buffers():
        assert not torch.equal(buffer, before[name]), name
    sets = [len(m.norms) for m in network.modules() if isinstance(m, stepped.StepNorm)]
    assert sets == ([steps] * 2 + [steps - 1] * 3 * (steps > 1) if normalise else [0] * len(sets))


def test_noise_at_every_step_acts_from_its_step_on() -> None:
    network = generator(noise="every").eval()
    assert network.latent_shape == (3, 3)
    assert generator().latent_shape == (3,)
    z = latents(network)
    before = network.canvases(z)
    for t in range(3):
        other = z.clone()
        other[:, t] += 1
        changed = (network.canvases(other) - before).abs().amax((0, 2, 3, 4))
        assert not changed[:t].any()
        assert (changed[t:] > 1e-4).all()
    same = z[:, :1].expand(-1, 3, -1)
    torch.testing.assert_close(generator().eval()(z[:, 0]), network(same))  # one z for all is noise once


def evaluated(network: gran.Generator) -> float:
    """How far evaluation mode is from training mode on the same latents, relative to the samples' own spread."""
    z = latents(network, 200)
    with torch.no_grad():
        restate([network], lambda: network(z), batches=2)
        painted = network.train()(z)
        difference = network.eval()(z) - painted
    return float(difference.std() / painted.std())


def test_evaluation_mode_paints_as_training_mode_did() -> None:
    """Each step by its own statistics; with one set for all of them, another picture."""
    for steps in (1, 3, 5):
        assert evaluated(generator(steps=steps)) < 0.01
    one_set = generator(steps=3)
    for layer in (m for m in one_set.modules() if isinstance(m, stepped.StepNorm)):
        layer.norms = nn.ModuleList([layer.norms[0]] * len(layer.norms))
    assert evaluated(one_set) > 0.1


def test_statistics_are_those_of_their_own_step() -> None:
    network = generator(normalise=True)
    seen: dict[int, list[Tensor]] = {}
    for layer in network.modules():
        if isinstance(layer, stepped.StepNorm):
            for step, norm in enumerate(layer.norms):
                norm.momentum = 1.0
                norm.register_forward_pre_hook(lambda m, x, step=step: seen.setdefault(id(m), [x[0], step]) and None)
    with torch.no_grad():
        network(latents(network))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert len(seen) == len(norms) == 2 * 3 + 3 * 2
    for norm in norms:
        x = seen[id(norm)][0].transpose(0, 1).flatten(1)
        torch.testing.assert_close(norm.running_mean, x.mean(1))
        torch.testing.assert_close(norm.running_var, x.var(1))


FIGURE_29 = {  # set: sides of the layers, channels, weights of GRAN1, of a GRAN with tied ones, and with free ones
    "mnist": ((7, 14, 28), (80, 40, 1), 319_800, 555_000, 871_200),
    "cifar10": ((4, 8, 16, 32), (1024, 512, 216, 3), 17_536_600, 19_175_000, 36_701_600),
    "lsun-church": ((4, 8, 16, 32, 64), (1024, 512, 216, 128, 3), 18_221_200, 19_859_600, 38_070_800),
    "imagenet": ((4, 8, 16, 32, 64), (3072, 1536, 648, 384, 3), 154_022_800, 158_938_000, 312_950_800),
}


@pytest.mark.parametrize("name", FIGURE_29)
def test_sizes_are_those_of_figure_29(name: str) -> None:
    """Counted by hand: h·z + h·k₀·s₀² + 25 Σ kᵢkᵢ₊₁, then h·k₀·s₀² for h_c, then g's own."""
    sides, channels, *weights = FIGURE_29[name]
    for variant, expected in zip(("1", "5-tied", "5"), weights, strict=True):
        game = RECIPES[f"im2016/{name}-gran{variant}"].experiment(scale="paper").game
        with torch.device("meta"):
            network, critic = game.settings["generator"].build(), game.settings["critic"].build()  # type: ignore[union-attr]
            painted, judged = shapes(network, Up), shapes(critic, Down)
            critic.eval()(network.eval()(torch.empty(2, *network.latent_shape)))
        rising = [(c, s, s) for c, s in zip(channels, sides, strict=True)]
        assert [network.decoder.first, *painted] == [rising[0], *rising[1:] * int(variant[0])]
        assert judged == rising[-2::-1]
        assert parameters_without_biases(network) == expected


def test_every_set_has_every_recipe() -> None:
    for name, steps, variant in product((*FIGURE_29, "lsun-rooms"), (1, 3, 5), ("", "-noises", "-tied")):
        for scale in ("smoke", "quick", "paper"):
            experiment = RECIPES[f"im2016/{name}-gran{steps}{variant}"].experiment(scale=scale)
            settings = experiment.game.settings["generator"].settings  # type: ignore[union-attr]
            told = settings["steps"], settings.get("noise", "once"), settings.get("tied", False)
            assert told == (steps, "every" if variant == "-noises" else "once", variant == "-tied")
            assert experiment.data.range == settings["range"] == (0.0, 1.0)  # type: ignore[attr-defined]
            rates = {player: experiment.optimiser(player).settings["lr"] for player in ("generator", "critic")}
            assert rates["generator"] > rates["critic"]


def shapes(network: nn.Module, kind: type[nn.Module]) -> list[tuple[int, ...]]:
    """What comes out of its layers of a kind, noted as they play."""
    noted: list[tuple[int, ...]] = []
    for layer in (m for m in network.modules() if isinstance(m, kind)):
        layer.register_forward_hook(lambda m, x, y: noted.append(tuple(y.shape[1:])))
    return noted


@pytest.mark.parametrize(
    "wrong", [{"kernels": ()}, {"kernels": (4, 0)}, {"steps": 0}, {"hidden": -1}, {"shape": (0, 8, 8)}]
)
def test_what_it_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"kernels|steps|hidden|shape"):
        gran.Generator(**{**SMALL, **wrong})

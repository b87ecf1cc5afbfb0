"""An image written by an LSTM is its equations, gate by gate, from left to right; its critic knows nothing of that."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agon.dynamics import Turns, Unrolled
from agon.errors import SettingError
from agon.games import Adversarial, Batch, parameters_of
from agon.networks import cnn, columns
from agon.networks.layers import Gates, initialise, parameters_without_biases
from agon.objectives import NonSaturating

from ..dynamics.differences import by_differences, surrogate

SHAPES = [(1, 28, 28), (3, 5, 7), (2, 7, 1)]


def small(shape: tuple[int, int, int] = (2, 3, 4), **settings: object) -> columns.Generator:
    torch.manual_seed(0)
    return columns.Generator(shape=shape, **{"latent": 3, "hidden": 5, **settings}).double()


def latents(n: int = 6, k: int = 3, seed: int = 1) -> Tensor:
    return torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def transcribed(generator: columns.Generator, z: np.ndarray) -> np.ndarray:
    """One sample by loops over time steps, units and pixels, from the weights alone."""
    w = {name: p.detach().numpy() for name, p in generator.named_parameters()}
    units = len(w["start.0.bias"])
    h = [max(float(w["start.0.weight"][u] @ z + w["start.0.bias"][u]), 0.0) for u in range(units)]
    c = list(h)
    channels = len(w["project.bias"]) // generator.height
    image = np.zeros((channels, generator.height, generator.columns))
    for t in range(generator.columns):
        rows = [float(w["gates.weight"][r] @ np.array(h) + w["gates.bias"][r]) for r in range(4 * units)]
        i, f, g, o = (rows[k * units : (k + 1) * units] for k in range(4))
        for u in range(units):
            c[u] = sigmoid(f[u]) * c[u] + sigmoid(i[u]) * math.tanh(g[u])
            h[u] = sigmoid(o[u]) * math.tanh(c[u])
        for channel in range(channels):
            for y in range(generator.height):
                r = channel * generator.height + y
                image[channel, y, t] = math.tanh(w["project.weight"][r] @ np.array(h) + w["project.bias"][r])
    return image


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
def test_samples_are_the_equations_gate_by_gate(shape: tuple[int, int, int]) -> None:
    generator, z = small(shape), latents()
    for parameter in generator.parameters():  # biases too
        nn.init.normal_(parameter, 0, 0.7)
    expected = np.stack([transcribed(generator, each) for each in z.numpy()])
    torch.testing.assert_close(generator(z), torch.from_numpy(expected), rtol=1e-13, atol=1e-14)


def test_it_is_torchs_lstm_with_nothing_fed_in() -> None:
    """And that one's input weights then never have a gradient, which is why there are none here."""
    generator, z = small(), latents()
    peer = nn.LSTM(1, 5, batch_first=True).double()
    with torch.no_grad():
        peer.weight_hh_l0.copy_(generator.gates.weight)
        peer.bias_hh_l0.copy_(generator.gates.bias)
        peer.bias_ih_l0.zero_()
    start = generator.start(z).unsqueeze(0)
    states, _ = peer(torch.zeros(6, 4, 1, dtype=torch.float64), (start, start))
    expected = generator.project(states).tanh().reshape(6, 4, 2, 3).permute(0, 2, 3, 1)
    torch.testing.assert_close(generator(z), expected, rtol=1e-13, atol=1e-14)
    expected.square().sum().backward()
    assert not peer.weight_ih_l0.grad.any()


@contextmanager
def probed(generator: columns.Generator) -> Iterator[list[Tensor]]:
    """A zero that is added to the gates at each time step, to be differentiated in."""
    probes: list[Tensor] = []

    def add(module: nn.Module, given: tuple[Tensor, ...], rows: Tensor) -> Tensor:
        probes.append(torch.zeros_like(rows, requires_grad=True))
        return rows + probes[-1]

    hook = generator.gates.register_forward_hook(add)
    try:
        yield probes
    finally:
        hook.remove()


def depends(generator: columns.Generator, read: Callable[[Tensor], Tensor]) -> Tensor:
    """(column, time step) -> whether the column depends on what the gates are at that step."""
    with probed(generator) as probes:
        image = read(generator(latents()))
    found = []
    for column in image.unbind(3):
        slopes = torch.autograd.grad(column.sum(), probes, retain_graph=True, allow_unused=True)
        found.append(torch.tensor([slope is not None and bool(slope.any()) for slope in slopes]))
    return torch.stack(found)


def test_columns_are_written_from_left_to_right() -> None:
    """Column j depends on every step up to j and on none after it; written the other way round, it is caught."""
    generator = small((1, 3, 6))
    triangle = torch.ones(6, 6).tril().bool()
    assert torch.equal(depends(generator, lambda image: image), triangle)
    assert not torch.equal(depends(generator, lambda image: image.flip(3)), triangle)
    assert not torch.equal(depends(small((1, 6, 6)), lambda image: image.mT), triangle)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_fits_any_image_and_every_parameter_has_a_gradient(shape: tuple[int, int, int]) -> None:
    generator = small(shape, latent=9, hidden=8)
    fake = generator(latents(k=9))
    assert fake.shape == (6, *shape)
    assert (fake.std(0) > 0).all()
    fake.square().sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_gates_are_xaviers_each_by_itself_and_forget_nothing_at_first() -> None:
    """Drawn as one matrix of 4 gates, the bound would be √(2/5) of that."""
    torch.manual_seed(0)
    generator = columns.Generator(shape=(1, 28, 28))
    bound = math.sqrt(6 / (256 + 256))
    for gate in generator.gates.weight.chunk(4):
        assert 0.999 * bound < gate.abs().max() <= bound
        assert abs(gate.std() / (bound / math.sqrt(3)) - 1) < 0.02
    for layer in (generator.start[0], generator.project):
        assert layer.weight.abs().max() <= math.sqrt(6 / sum(layer.weight.shape))
        assert not layer.bias.any()
    assert generator.gates.bias.tolist() == [0.0] * 256 + [1.0] * 256 + [0.0] * 512


@pytest.mark.parametrize("how", ["xavier", "orthogonal", "normal"])
def test_torchs_own_recurrent_layers_are_drawn_likewise(how: str) -> None:
    """torch adds two biases: the forget gate's are 1 together; a GRU and a plain network forget nothing by a bias."""
    for layer in (nn.LSTM(7, 4, 2), nn.LSTMCell(7, 4), nn.LSTM(7, 4, proj_size=3, bidirectional=True)):
        initialise(layer, how, 1.0)
        biases = {n: p.detach() for n, p in layer.named_parameters() if n.startswith("bias")}
        for name in (n for n in biases if "_ih" in n):
            both = biases[name] + biases[name.replace("_ih", "_hh")]
            assert both.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    for layer in (nn.GRU(7, 4), nn.GRUCell(7, 4), nn.RNN(7, 4), nn.RNNCell(7, 4)):
        initialise(layer, how, 1.0)
        assert not any(p.any() for n, p in layer.named_parameters() if n.startswith("bias"))


def test_every_gate_of_an_orthogonal_lstm_is_orthogonal() -> None:
    gates, cell, plain = Gates(5, 5), nn.LSTMCell(5, 5), nn.GRUCell(5, 5)
    for layer, number, names in (
        (gates, 4, ["weight"]),
        (cell, 4, ["weight_hh", "weight_ih"]),
        (plain, 3, ["weight_hh"]),
    ):
        initialise(layer, "orthogonal", 0.8)
        for gate in (gate for name in names for gate in getattr(layer, name).chunk(number)):
            torch.testing.assert_close(gate @ gate.T, 0.64 * torch.eye(5), rtol=0, atol=1e-5)
    before = copy.deepcopy(cell.state_dict())
    initialise(cell, "torch", 0.8)
    assert all(torch.equal(value, before[name]) for name, value in cell.state_dict().items())


def test_it_has_the_appendixs_weights() -> None:
    """256 to 256, four gates of 256 x 256, 256 to the 28 pixels of a column: metz2017, Appendix B."""
    generator = columns.Generator(shape=(1, 28, 28))
    assert parameters_without_biases(generator) == 256 * 256 + 4 * 256 * 256 + 256 * 28 == 334_848


@pytest.mark.parametrize(("range_", "low", "high"), [((-1.0, 1.0), -1, 1), ((0.0, 1.0), 0, 1)])
def test_samples_lie_in_the_sources_range(range_: tuple[float, float], low: int, high: int) -> None:
    generator = small(range=range_, gain=5.0)
    x = generator(100 * latents(64))
    assert low <= x.min() < low + 0.1
    assert high - 0.1 < x.max() <= high
    assert small(range=None, gain=5.0)(100 * latents(64)).abs().max() > 1


@pytest.mark.parametrize("settings", [{"latent": 0}, {"hidden": -1}, {"gain": 0.0}, {"gain": math.nan}])
def test_sizes_that_are_none_are_sentences(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="expected a number over 0"):
        columns.Generator(shape=(1, 4, 4), **settings)


@pytest.mark.parametrize("shape", [(0, 4, 4), (1, 0, 4), (1, 4, 0)], ids=str)
def test_it_refuses_what_is_no_image(shape: tuple[int, int, int]) -> None:
    with pytest.raises(SettingError, match=r"expected \(channels, height, width\)"):
        columns.Generator(shape=shape)


def game_and_optimisers() -> tuple[Adversarial, dict[str, torch.optim.Optimizer]]:
    """Appendix B in small, in float64, with moments of two steps made."""
    critic = cnn.Critic(shape=(1, 3, 2), layers=((3, 2, 2), (3, 2, 2)), slope=0.3, normalise_first=True, gain=0.5)
    game = Adversarial(
        generator=small((1, 3, 2), latent=2, hidden=2), critic=critic, objective=NonSaturating()
    ).double()
    optimisers = {p: torch.optim.Adam(parameters_of(game, p), lr=0.01, betas=(0.5, 0.999)) for p in game.players}
    for k in range(2):
        Turns().step(game, optimisers, lambda k=k: batch(k))
    return game, optimisers


def batch(seed: int) -> Batch:
    real = torch.randn(5, 1, 3, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Batch(real, latents(5, 2, seed + 100), {})


def ahead(steps: int, game: Adversarial, optimisers: dict[str, torch.optim.Optimizer], **more: bool) -> Tensor:
    """The gradient along which the generator moves, on copies."""
    game, optimisers = copy.deepcopy((game, optimisers))
    rule = Unrolled(Turns((("generator",),)), looks_ahead={"generator": ("critic",)}, steps=steps, **more)
    rule.step(game, optimisers, lambda: batch(7))
    return torch.cat([p.grad.flatten() for p in parameters_of(game, "generator")])


def test_it_looks_ahead_at_a_convolutional_critic_exactly() -> None:
    """The whole derivative over two of the critic's steps, by finite differences; that of no steps is another one."""
    game, optimisers = game_and_optimisers()

    def value() -> float:
        return surrogate(game, optimisers, "generator", ("critic",), [batch(7)] * 2, batch(7))

    expected = torch.cat([each.flatten() for each in by_differences(game, "generator", value)])

    def error(found: Tensor) -> float:
        return float((found - expected).norm() / expected.norm())

    assert error(ahead(2, game, optimisers)) < 1e-6
    assert error(ahead(2, game, optimisers, checkpoint=True)) < 1e-6
    assert error(ahead(0, game, optimisers)) > 1e-2

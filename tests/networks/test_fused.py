"""Fused layers: the values and the gradients, of first and second order, of the layers that they stand in for."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from agon.networks import columns, gran
from agon.networks.attention import AttentiveReader, AttentiveWriter
from agon.networks.convolutions import Down, Up
from agon.networks.draw import Cell
from agon.networks.fused import FUSED, deep, fuse
from agon.networks.fused.activations import linearise
from agon.networks.fused.convolutions import FusedDown, FusedUp
from agon.networks.fused.deep import DeepDown, DeepUp
from agon.networks.fused.transposed import FEW, HALF, TIMES

N = 3
DEEP, FOLDED = 5 * 5 * 9, 5 * 6 * 9 + 1  # weights of deep layers in these tests; real ones have half a million


@pytest.fixture(autouse=True)
def folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deep layers fold from a few weights on, at all sizes that ever pay."""
    monkeypatch.setattr(deep, "FOLDED", FOLDED)
    monkeypatch.setattr(deep, "MANY", 0)


class Stepped(nn.Module):
    """A cell that makes two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = Cell(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        memory = self.cell(x, self.cell(x, self.cell.first(x)))
        return memory.output + memory.cell


class Looked(nn.Module):
    """A glimpse of an image, and a stroke on one."""

    def __init__(self) -> None:
        super().__init__()
        self.reader, self.writer = AttentiveReader(6, (1, 8, 8), 3), AttentiveWriter(6, (1, 8, 8), 3)
        self.image = nn.Parameter(torch.randn(N, 1, 8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.reader(self.image, -self.image, x), self.writer(x).flatten(1)), dim=1)


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "up": (lambda: Up(6, 1, (10, 9), 5, bias=True), (N, 6, 5, 5)),
    "up to colours, cropped": (lambda: Up(12, 2, (7, 8), 4, bias=False), (N, 12, 4, 4)),
    "down": (lambda: Down(1, 6, 5, bias=True), (N, 1, 9, 8)),
    "down from colours": (lambda: Down(2, 12, 4, bias=False), (N, 2, 7, 6)),
    "up to eight": (lambda: Up(16, 8, (7, 6), 4, bias=True), (N, 16, 4, 3)),
    "up to eight, inner": (lambda: nn.Sequential(Up(16, 8, (8, 6), 4, bias=False), nn.ReLU(True)), (N, 16, 4, 3)),
    "up to three, at stride 3": (lambda: Up(6, 3, (11, 12), 3, bias=True, stride=3), (N, 6, 4, 4)),
    "up to three, kernel 5": (lambda: Up(6, 3, (8, 7), 5, bias=False), (N, 6, 4, 4)),
    "down from eight": (lambda: Down(8, 16, 4, bias=True), (N, 8, 7, 6)),
    "down from three, at stride 3": (lambda: Down(3, 6, 3, bias=True, stride=3), (N, 3, 7, 8)),
    "at stride 1": (lambda: Down(6, 1, 3, bias=True, stride=1), (N, 6, 5, 4)),
    "deep down, few weights": (lambda: Down(5, 6, 3, bias=True), (N, 5, 8, 7)),
    "deep up, few weights": (lambda: Up(5, 6, (8, 7), 3, bias=True), (N, 5, 4, 4)),
    "deep down": (lambda: Down(7, 5, 4, bias=True), (N, 7, 8, 7)),
    "deep down, inner": (lambda: nn.Sequential(Down(5, 6, 5, bias=False), nn.LeakyReLU(0.2, True)), (N, 5, 5, 6)),
    "deep down at stride 1": (lambda: Down(5, 6, 5, bias=True, stride=1), (N, 5, 3, 4)),
    "deep up": (lambda: Up(6, 5, (8, 7), 4, bias=True), (N, 6, 4, 4)),
    "deep up, inner": (lambda: nn.Sequential(Up(6, 5, (5, 6), 5, bias=False), nn.ReLU(True)), (N, 6, 3, 3)),
    "pointwise": (lambda: nn.Conv2d(6, 5, 1), (N, 6, 4, 3)),
    "normalisation": (lambda: nn.BatchNorm2d(4), (N, 4, 3, 2)),
    "normalisation, plain": (lambda: nn.BatchNorm2d(4, affine=False, track_running_stats=False), (N, 4, 3, 2)),
    "normalisation, mean of all": (lambda: nn.BatchNorm2d(4, momentum=None), (N, 4, 3, 2)),
    "relu": (lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True)), (N, 4)),
    "leaky relu": (lambda: nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(0.2)), (N, 4)),
    "columns": (lambda: columns.Generator(shape=(1, 4, 3), latent=5, hidden=6), (N, 5)),
    "cell": (Stepped, (N, 4)),
    "painter": (
        lambda: gran.Generator(shape=(1, 8, 8), latent=3, steps=2, kernels=(6, 4), kernel=3, hidden=5, range=None),
        (N, 3),
    ),
    "attention": (Looked, (N, 6)),
}


def pair(name: str) -> tuple[nn.Module, nn.Module, Tensor]:
    """A layer, the same one fused, and an input, all in float64."""
    torch.manual_seed(0)
    make, shape = LAYERS[name]
    plain = make().double()
    exchange = linearise if "relu" in name else fuse
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deep, "WEIGHTS", DEEP)
        fused = exchange(copy.deepcopy(plain))
    return plain, fused, torch.randn(shape, dtype=torch.float64, requires_grad=True)


def kinds(module: nn.Module) -> set[type]:
    return {type(layer) for layer in module.modules()}


def gradients(module: nn.Module, x: Tensor) -> list[Tensor]:
    """The output, its gradients, and the gradients of their squares."""
    inputs = [x, *module.parameters()]
    y = module(x)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    first = torch.autograd.grad((y.sin() * weights).sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs)  # type: ignore[arg-type]
    once = torch.autograd.grad((module(x).sin() * weights).sum(), inputs)
    return [y, *once, *first, *second]


def test_every_fused_layer_is_tried() -> None:
    assert set(FUSED) == {kind for name in LAYERS for kind in kinds(pair(name)[1])} & set(FUSED)


@pytest.mark.parametrize("name", LAYERS)
def test_values_and_gradients_are_those_of_the_layer(name: str) -> None:
    plain, fused, x = pair(name)
    assert kinds(fused) - kinds(plain)
    for expected, found in zip(gradients(plain, x), gradients(fused, x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-9)
    assert plain.state_dict().keys() == fused.state_dict().keys()
    for name_, buffer in plain.named_buffers():
        torch.testing.assert_close(fused.get_buffer(name_), buffer)


def test_one_number_of_a_channel_is_refused_as_by_torch() -> None:
    for norm in (nn.BatchNorm2d(4), fuse(nn.BatchNorm2d(4))):
        with pytest.raises(ValueError, match="more than 1 value"):
            norm(torch.ones(1, 4, 1, 1))


@pytest.mark.parametrize("name", LAYERS)
def test_in_evaluation_mode_nothing_has_changed(name: str) -> None:
    plain, fused, x = pair(name)
    assert torch.equal(plain.eval()(x), fused.eval()(x))


@pytest.mark.parametrize("name", [name for name in LAYERS if name.startswith("deep")])
def test_frozen_weights_get_no_gradient_and_samples_the_same(name: str) -> None:
    plain, fused, x = pair(name)
    found = [torch.autograd.grad(each.requires_grad_(False)(x).sin().sum(), x)[0] for each in (plain, fused)]
    torch.testing.assert_close(found[1], found[0], rtol=1e-8, atol=1e-9)


def test_a_wrong_derivative_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a fold that is a pixel off."""
    plain, fused, x = pair("down")
    rolled = torch.nn.functional.fold
    monkeypatch.setattr("agon.networks.fused.transposed.fold", lambda *a, **k: rolled(*a, **k).roll(1, 3))
    assert not torch.allclose(gradients(plain, x)[1], gradients(fused, x)[1])


@pytest.mark.parametrize("intel", [True, False])
def test_where_products_pay(intel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 4x4 pixels an EPYC's convolutions keep up with products until the weights leave its caches."""
    monkeypatch.undo()
    monkeypatch.setattr(deep, "by_intel", lambda: intel)
    assert [deep.pays(pixels, 2**21) for pixels in (4, 9, 16, 25)] == [True, True, intel, False]
    assert [deep.pays(pixels, 2**22) for pixels in (9, 16, 25)] == [True, True, False]


def test_many_channels_and_other_classes_stay() -> None:
    class Mine(Up):
        pass

    many = 2 * HALF
    layers = (Up(many, HALF + 1, (8, 8), 4, True), Up(many - 1, HALF, (8, 8), 4, True), Down(HALF, many - 1, 4, True))
    grey = (Up(TIMES - 1, 1, (8, 8), 4, True), Down(TIMES - 1, 1, 3, True, stride=1))
    stay = fuse(nn.Sequential(*layers, *grey, Mine(many, 1, (8, 8), 4, True)))
    assert kinds(stay) == {nn.Sequential, Up, Down, Mine}
    few = (Down(FEW, FEW * TIMES, 3, True, stride=1), Down(FEW * TIMES, FEW, 3, True, stride=1))
    fitting = nn.Sequential(Up(many, HALF, (8, 8), 4, True), Down(HALF, many, 4, True), Up(TIMES, 1, (8, 8), 4, True))
    assert kinds(fuse(nn.Sequential(*few, *fitting))) == {nn.Sequential, FusedUp, FusedDown}
    large = nn.Sequential(Up(256, 128, (8, 8), 4, False), Down(128, 256, 4, False), Down(128, 255, 4, False))
    assert kinds(fuse(large)) == {nn.Sequential, DeepUp, DeepDown, Down}

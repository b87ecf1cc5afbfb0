"""Layers that several networks share: normalisation by name, activations by name, initialisations."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError, unknown

Activation = Literal["relu", "leaky-relu", "tanh", "sigmoid", "elu", "linear"]
Initialisation = Literal["normal", "gaussian", "xavier", "orthogonal", "torch"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky-relu": lambda: nn.LeakyReLU(0.2, inplace=True),  # radford2015, section 3
    "tanh": lambda: nn.Tanh(),
    "sigmoid": lambda: nn.Sigmoid(),
    "elu": lambda: nn.ELU(inplace=True),
    "linear": lambda: nn.Identity(),
}


def activation(name: str) -> nn.Module:
    """Make an activation by its name; leaky ReLU has the slope 0.2 of radford2015."""
    if name not in ACTIVATIONS:
        raise SettingError(unknown("activation", name, ACTIVATIONS))
    return ACTIVATIONS[name]()


def squash(range: tuple[float, float] | None) -> nn.Module:  # noqa: A002 - the sources' word
    """Make the activation whose values fill a source's range: tanh, sigmoid, or none."""
    layers: dict[tuple[float, float] | None, Callable[[], nn.Module]] = {
        (-1.0, 1.0): nn.Tanh,
        (0.0, 1.0): nn.Sigmoid,
        None: nn.Identity,
    }
    if range not in layers:
        raise SettingError(f"range of a generator: expected (-1, 1), (0, 1) or null, got {range}")
    return layers[range]()


class Gates(nn.Linear):
    """The linear layer of an LSTM's four gates, before their activations; rows are ordered i, f, g, o, as in torch.

    Args:
        inputs: inputs of every gate.
        units: units of the LSTM, which are the rows of each gate.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, 4 * units)


def initialise(module: nn.Module, how: Initialisation, gain: float) -> None:
    """Draw the weights of all linear, convolutional and recurrent layers, from torch's current stream.

    `how` and `gain` mean: "normal" N(0, gain²) with zero biases, and N(1, gain²) for batch
    normalisation's scale (radford2015: gain 0.02); "gaussian" N(0, gain²) with zero biases, scales
    left at 1 (yamazaki2017 Table A.4); "xavier" uniform, times gain, zero biases
    (metz2017 Appendix B); "orthogonal" times gain, zero biases (metz2017 Appendix A: 0.8);
    "torch" keeps torch's initialisation. In a recurrent layer, each gate's matrix is drawn separately; an
    LSTM's forget gate gets a bias of 1 (metz2017 Appendix B), and all other biases are zero.
    """
    draws: dict[str, Callable[[Tensor], object]] = {
        "normal": lambda w: nn.init.normal_(w, 0.0, gain),
        "gaussian": lambda w: nn.init.normal_(w, 0.0, gain),
        "xavier": lambda w: nn.init.xavier_uniform_(w, gain),
        "orthogonal": lambda w: nn.init.orthogonal_(w, gain),
    }
    if how == "torch":
        return
    if how not in draws:
        raise SettingError(unknown("initialisation", how, [*draws, "torch"]))
    for layer in module.modules():
        if isinstance(layer, Gates | nn.RNNBase | nn.RNNCellBase):
            _initialise_gates(layer, draws[how])
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            draws[how](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and how == "normal":
            nn.init.normal_(layer.weight, 1.0, gain)


@torch.no_grad()
def _initialise_gates(layer: nn.Module, draw: Callable[[Tensor], object]) -> None:
    """Draw each gate's rows separately; torch adds two biases, and only the first holds the forget gate's 1."""
    number = {nn.GRU: 3, nn.GRUCell: 3, nn.RNN: 1, nn.RNNCell: 1}.get(type(layer), 4)
    for name, parameter in layer.named_parameters(recurse=False):
        if parameter.ndim > 1:
            for rows in parameter.chunk(1 if name.startswith("weight_hr") else number):  # a projection has no gates
                draw(rows)
        else:
            nn.init.zeros_(parameter)
            if number == 4 and not name.startswith("bias_hh"):
                nn.init.ones_(parameter.chunk(number)[1])


def positive(**values: float) -> None:
    """Refuse sizes and factors that are not over 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise SettingError(f"{name}: expected a number over 0, got {value}")


class InputScale(nn.Module):
    """x -> factor · x: a critic's fixed input scaling (metz2017 Appendix A: 1/4)."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return x if self.factor == 1 else x * self.factor


def parameters_without_biases(module: nn.Module) -> int:
    """The number of weights as papers count them, without biases and normalisation's parameters."""
    return sum(p.numel() for p in module.parameters() if p.ndim > 1)


class Contents(NamedTuple):
    """What a module and its submodules hold, each once, in the order of `nn.Module.parameters`.

    Attributes:
        parameters, buffers: the tensors.
        layers: the modules that have buffers of their own.
    """

    parameters: list[Tensor]
    buffers: list[Tensor]
    layers: list[nn.Module]


def contents(module: nn.Module) -> Contents:
    """As `module.parameters()` and `module.buffers()`, without the names that these build, most of their time."""
    parameters: dict[int, Tensor] = {}
    buffers: dict[int, Tensor] = {}
    layers: dict[int, nn.Module] = {}
    seen: set[int] = set()
    waiting = [module]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if each._buffers:
            layers[id(each)] = each
        for holder, found in ((each._parameters, parameters), (each._buffers, buffers)):
            for tensor in holder.values():
                if tensor is not None:
                    found.setdefault(id(tensor), tensor)
        waiting += [child for child in reversed(each._modules.values()) if child is not None]
    return Contents(list(parameters.values()), list(buffers.values()), list(layers.values()))


@contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """A context in which `module` is in evaluation mode; afterwards each submodule's flag is restored."""
    flags = [(submodule, submodule.training) for submodule in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for submodule, training in flags:
            submodule.training = training


def seed_global_streams(seed: int) -> None:
    """Seed the global streams from which layers draw, as `torch.manual_seed` does.

    That one formats a stack trace for devices that are not there, and takes a hundred times as long.
    """
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def flat(shape: tuple[int, ...]) -> int:
    """The number of elements in one sample of `shape`."""
    return int(torch.Size(shape).numel())


def root(square: Tensor) -> Tensor:
    """√v, exactly, with derivatives of 0 at v = 0 instead of infinity or NaN.

    v is 0 for the second moment of a unit that never fired, the input gradient of units that are all off, or
    the distance of a perfect reconstruction.

    >>> v = torch.tensor([0.0, 4.0], requires_grad=True)
    >>> torch.autograd.grad(root(v).sum(), v)[0]
    tensor([0.0000, 0.2500])
    """
    above = square > 0  # `where` twice: one alone would still multiply an infinite derivative by 0
    return torch.where(above, torch.where(above, square, 1.0).sqrt(), 0.0)


class LinearHead(nn.Module):
    """A critic whose `layers` end in a linear layer to one number and a `Flatten(0)`.

    Attributes:
        layers: all layers, in their order.
    """

    layers: nn.Sequential

    @property
    def feature_count(self) -> int:
        """Numbers in `features`."""
        return int(self.layers[-2].in_features)  # type: ignore[arg-type]

    def features(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n d"]:
        """The input of the last linear layer."""
        return self.layers[:-2](x)  # type: ignore[no-any-return]

    def logits(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """The logits of features."""
        return self.layers[-2:](features)  # type: ignore[no-any-return]

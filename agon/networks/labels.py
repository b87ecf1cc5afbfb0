"""Networks that take labels: how a network says so, how it is called, and layers with parameters for each class.

A network that takes labels has an attribute `classes`, the number of classes, and a second argument `label`, "n" class
numbers from 0: a generator is called as G(z, label), and a critic as D(x, label).
"""

import inspect

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from agon.errors import SettingError


def classes_of(network: nn.Module) -> int:
    """The number of classes whose labels a network takes; 0 if it takes no labels."""
    classes = getattr(network, "classes", 0)
    return classes if type(classes) is int else 0  # a classifier has a method of this name


def call(network: nn.Module, x: Float[Tensor, "n ..."], label: Int[Tensor, " n"] | None) -> Tensor:
    """Call a network with the labels if it takes any, and without them if not.

    Raises:
        SettingError: it takes labels, and there are none.
    """
    if not classes_of(network):
        return network(x)  # type: ignore[no-any-return]
    if label is None:
        raise SettingError(
            f"{type(network).__name__}: expected a label for each of {len(x)} inputs, got none; give class numbers "
            f"from 0 to {classes_of(network) - 1}"
        )
    return network(x, label)  # type: ignore[no-any-return]


def check_protocol(network: nn.Module) -> None:
    """Raise a SettingError if a network's `classes` and the arguments of its `forward` contradict each other."""
    name, classes = type(network).__name__, getattr(network, "classes", 0)
    parameters = list(inspect.signature(network.forward).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes = len(positional) > 1 or any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if type(classes) is int and classes < 0:
        raise SettingError(f"{name}.classes: expected a number from 1, or 0 for no labels, got {classes}")
    if classes_of(network) and not takes:
        raise SettingError(
            f"{name} has classes = {classes}, so it is called with labels: expected forward(self, x, label), got "
            f"{len(positional)} argument; give it the second, or leave `classes` out"
        )
    if not classes_of(network) and len([p for p in positional if p.default is p.empty]) == 2:
        raise SettingError(
            f"{name}: its forward takes '{positional[1].name}', but it does not state how many classes there are; set "
            "self.classes = 10 in its constructor"
        )


class ClassTable(nn.Embedding):
    """A row of parameters for each class: label "n" -> rows "n d".

    It reads rows by an index, which, unlike torch's lookup, works for many seeds in one batched game.
    """

    def forward(self, label: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
        return self.weight[label]


class ClassNorm(nn.Module):
    """Class-conditional batch normalisation: y = (x - μ) / sqrt(σ² + ε) · γ_label + β_label.

    The statistics μ and σ are those of the whole batch; only scale and shift belong to a class. They begin around those
    of the layer that it replaces, γ_label ~ N(γ, spread²) and β_label ~ N(β, spread²). Labels do not pass through the
    layers in between: `label` is set for the time of one forward pass, see `conditional.given`.

    Args:
        layer: the batch normalisation that it replaces.
        classes: number of classes.
        spread: standard deviation of the classes' first scales and shifts; with 0, all classes begin equal.

    Source: de Vries et al. 2017, "Modulating early visual processing by language", equation 5; Miyato and Koyama 2018.
    """

    label: Tensor | None

    def __init__(
        self, layer: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d, classes: int, spread: float = 0.0
    ) -> None:
        super().__init__()
        width = layer.num_features
        self.normal = type(layer)(width, layer.eps, layer.momentum, affine=False)
        self.scale, self.shift = ClassTable(classes, width), ClassTable(classes, width)
        with torch.no_grad():
            self.scale.weight.mul_(spread).add_(1.0 if layer.weight is None else layer.weight)
            self.shift.weight.mul_(spread).add_(0.0 if layer.bias is None else layer.bias)
        self.register_buffer("label", None, persistent=False)  # a buffer, which a recomputation puts back

    def forward(self, x: Float[Tensor, "n c ..."]) -> Float[Tensor, "n c ..."]:
        assert self.label is not None  # set by the network that contains this layer
        scale, shift = self.scale(self.label), self.shift(self.label)  # n c
        axes = (*scale.shape, *[1] * (x.ndim - 2))
        return self.normal(x) * scale.view(axes) + shift.view(axes)  # type: ignore[no-any-return]

"""Layers that compute what others of `agon.networks` compute, with fewer operations and passes over memory, on a CPU.

The other layers are written as the papers and torch's documentation write them. `fuse` exchanges those in a module for
which there is a faster equal: parameters, buffers and names stay, gradients of any order too, and results agree up to
rounding. Only the training mode is exchanged; samples are made, and networks exported, by the layers as they were.
"""

from torch import nn

from agon.networks.fused.apart import mark
from agon.networks.fused.attention import FusedAttention, FusedCell
from agon.networks.fused.columns import FusedColumns
from agon.networks.fused.convolutions import ChannelsLastNorm, FusedDown, FusedPointwise, FusedUp
from agon.networks.fused.deep import DeepDown, DeepUp
from agon.networks.fused.painters import FusedEncoder

FUSED: tuple[type[nn.Module], ...] = (
    ChannelsLastNorm,
    FusedUp,
    FusedDown,
    DeepUp,
    DeepDown,
    FusedPointwise,
    FusedColumns,
    FusedAttention,
    FusedCell,
    FusedEncoder,
)  # each is a subclass of the layer that it stands in for, and adds no state


def fuse(module: nn.Module) -> nn.Module:
    """Exchange the layers of a module in place, in channels-last memory, mark its perceptrons, and return it.

    Subclasses that are not agon's own stay as they are.
    """
    for layer in module.modules():
        for kind in FUSED:
            if kind.__bases__[0] is type(layer) and getattr(kind, "fits", lambda layer: True)(layer):
                layer.__class__ = kind
    mark(module)
    return module

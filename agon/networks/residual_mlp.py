"""Perceptrons with residual blocks, for points: any number of linear layers with the same width."""

from jaxtyping import Float
from torch import Tensor, nn

from agon.networks.layers import Activation, Initialisation, flat, initialise, positive, squash
from agon.networks.mlp import hidden_layers
from agon.networks.resnet import Residual, check


class Generator(nn.Module):
    """z -> x: a linear layer, residual blocks of two linear layers each, a linear layer: 2 · blocks + 2 in all.

    Args:
        shape: shape of one sample, e.g. (2,) or (1, 28, 28).
        latent: number of coordinates of z.
        width: units of each hidden layer.
        blocks: number of residual blocks, from 0.
        nonlinearity: activation after each hidden layer.
        normalise: batch normalisation before each hidden activation.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid, None in no activation.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, or `blocks` below 0.

    Source: yamazaki2017, Table A.1.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent: int = 64,
        width: int = 128,
        blocks: int = 2,
        nonlinearity: Activation = "relu",
        normalise: bool = True,
        range: tuple[float, float] | None = None,  # noqa: A002 - the sources' word
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        check(blocks, (latent, width))
        positive(gain=gain)
        self.latent_shape = (latent,)
        self.shape = tuple(shape)
        first = hidden_layers(latent, (width,), nonlinearity, normalise)
        hidden = residual_blocks(width, blocks, nonlinearity, normalise)
        self.layers = nn.Sequential(*first, *hidden, nn.Linear(width, flat(self.shape)), squash(range))
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n ..."]:
        x: Tensor = self.layers(latent)
        return x.reshape(-1, *self.shape)


class Critic(nn.Module):
    """x -> logit: a linear layer, residual blocks of two linear layers each, a linear layer: 2 · blocks + 2 in all.

    Args:
        shape: shape of one sample.
        width: units of each hidden layer.
        blocks: number of residual blocks, from 0.
        nonlinearity: activation after each hidden layer.
        normalise: batch normalisation before each hidden activation but the first.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, or `blocks` below 0.

    Source: yamazaki2017, Table A.1.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        width: int = 128,
        blocks: int = 2,
        nonlinearity: Activation = "leaky-relu",
        normalise: bool = True,
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        check(blocks, (width,))
        positive(gain=gain)
        first = hidden_layers(flat(tuple(shape)), (width,), nonlinearity, normalise=False)
        hidden = residual_blocks(width, blocks, nonlinearity, normalise)
        self.layers = nn.Sequential(nn.Flatten(), *first, *hidden, nn.Linear(width, 1), nn.Flatten(0))
        initialise(self, initialisation, gain)

    def forward(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        logits: Tensor = self.layers(x)
        return logits


def residual_blocks(width: int, blocks: int, nonlinearity: str, normalise: bool) -> list[nn.Module]:
    """`blocks` residual blocks H(x) = x + F(x), where F is two linear layers with their activations."""
    return [
        Residual(nn.Sequential(*hidden_layers(width, (width, width), nonlinearity, normalise)), nn.Identity())
        for _ in range(blocks)
    ]

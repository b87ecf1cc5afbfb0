"""Multilayer perceptrons: for points, and for images as vectors."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.layers import (
    Activation,
    Initialisation,
    InputScale,
    LinearHead,
    activation,
    flat,
    initialise,
    positive,
    squash,
)


class Generator(nn.Module):
    """z -> x by fully connected layers.

    Args:
        shape: shape of one sample, e.g. (2,) or (1, 28, 28).
        latent: number of coordinates of z.
        widths: units of each hidden layer.
        nonlinearity: activation after each hidden layer.
        normalise: batch normalisation before each hidden activation.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid, None in no activation.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Source: metz2017 Appendix A is Generator(shape=(2,), latent=256, widths=(128, 128),
    initialisation="orthogonal", gain=0.8), 49,408 weights.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent: int = 64,
        widths: Sequence[int] = (128, 128),
        nonlinearity: Activation = "relu",
        normalise: bool = False,
        range: tuple[float, float] | None = None,  # noqa: A002 - the sources' word
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(latent=latent, gain=gain)
        self.latent_shape = (latent,)
        self.shape = tuple(shape)
        hidden = hidden_layers(latent, widths, nonlinearity, normalise)
        self.layers = nn.Sequential(*hidden, nn.Linear((latent, *widths)[-1], flat(self.shape)), squash(range))
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n ..."]:
        x: Tensor = self.layers(latent)
        return x.reshape(-1, *self.shape)


class Critic(LinearHead):
    """x -> logit by fully connected layers.

    Args:
        shape: shape of one sample.
        widths: units of each hidden layer.
        nonlinearity: activation after each hidden layer.
        normalise: batch normalisation before each hidden activation.
        normalise_first: whether `normalise` includes the first hidden activation.
        scale: fixed factor on the input (metz2017 Appendix A: 0.25).
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        widths: Sequence[int] = (128,),
        nonlinearity: Activation = "relu",
        normalise: bool = False,
        normalise_first: bool = True,
        scale: float = 1.0,
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(scale=scale, gain=gain)
        inputs = flat(tuple(shape))
        hidden = hidden_layers(inputs, widths, nonlinearity, normalise, normalise_first)
        self.layers = nn.Sequential(
            nn.Flatten(), InputScale(scale), *hidden, nn.Linear((inputs, *widths)[-1], 1), nn.Flatten(0)
        )
        initialise(self, initialisation, gain)

    def forward(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        return self.layers(x)  # type: ignore[no-any-return]


def hidden_layers(
    inputs: int, widths: Sequence[int], nonlinearity: str, normalise: bool, normalise_first: bool = True
) -> list[nn.Module]:
    """A linear layer, optional batch normalisation and an activation for each of `widths`."""
    if any(width < 1 for width in (inputs, *widths)):
        raise SettingError(f"widths: expected numbers over 0, got inputs {inputs} and widths {tuple(widths)}")
    layers: list[nn.Module] = []
    for i, width in enumerate(widths):
        normal = normalise and (i > 0 or normalise_first)
        layers.append(nn.Linear(inputs, width, bias=not normal))  # normalisation removes any bias
        if normal:
            layers.append(nn.BatchNorm1d(width))
        layers.append(activation(nonlinearity))
        inputs = width
    return layers

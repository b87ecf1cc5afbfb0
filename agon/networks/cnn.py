"""Plain convolutional networks given by a table of layers, as papers print it in their appendices.

A table has a row (kernel, stride, outputs) for each layer. A stride of 2 halves (a generator's doubles) height and
width, rounding up. Upsampled images are cropped where needed, so any size works: with three strides of 2, 28 goes 28,
14, 7, 4. Every convolution is followed by optional batch normalisation and a (leaky) ReLU.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.convolutions import Down, Flat, Up, after, normalise_spectrally, rows, shrunk
from agon.networks.layers import Initialisation, flat, initialise, positive, squash

ConvolutionTable = Sequence[tuple[int, int, int]]


class Generator(nn.Module):
    """z -> image: a linear projection to a small image, then the table's transposed convolutions.

    Layers of stride 1 are convolutions. `last` has no outputs, because they are the sample's channels.

    Args:
        shape: (channels, height, width) of one sample.
        latent: number of coordinates of z.
        first: channels of the small image.
        layers: (kernel, stride, outputs) of each hidden layer.
        last: (kernel, stride) of the output layer, which has no batch normalisation.
        normalise: batch normalisation before every hidden activation, the projection's included.
        slope: slope of the ReLUs for negative numbers; 0 gives the plain ReLU.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Source: the tables of metz2017 Appendix C, argan2018 Appendix A, miyato2018 table 3.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 100,
        first: int = 512,
        layers: ConvolutionTable = ((4, 2, 256), (4, 2, 128)),
        last: tuple[int, int] = (4, 2),
        normalise: bool = True,
        slope: float = 0.0,
        range: tuple[float, float] | None = (-1.0, 1.0),  # noqa: A002 - the sources' word
        initialisation: Initialisation = "normal",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        positive(latent=latent, first=first, gain=gain)
        table = rows([*layers, (*last, channels_of(shape))])
        sides = list(shrunk(shape[1:], [row.stride for row in table[::-1]]))[::-1]  # smallest first
        (height, width), *larger = sides
        self.latent_shape = (latent,)
        self.first = (first, height, width)
        self.project = nn.Linear(latent, first * height * width, bias=not normalise)
        self.start = after(first, normalise, nn.LeakyReLU(slope, inplace=True))
        modules: list[nn.Module] = []
        for inputs, row, to in zip([first, *(row.outputs for row in table)], table, larger, strict=False):
            end = row is table[-1]
            bias = end or not normalise
            if row.stride > 1:
                modules.append(Up(inputs, row.outputs, to, row.kernel, bias, row.stride))
            else:
                modules.append(Down(inputs, row.outputs, row.kernel, bias, stride=1))
            modules.append(squash(range) if end else after(row.outputs, normalise, nn.LeakyReLU(slope, inplace=True)))
        self.layers = nn.Sequential(*modules)
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        x: Tensor = self.project(latent).reshape(-1, *self.first)  # n c h₀ w₀
        return self.layers(self.start(x))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Image -> features "n c h w": the table's convolutions.

    Args:
        shape: (channels, height, width) of one sample.
        layers: (kernel, stride, outputs) of each layer.
        normalise: batch normalisation before every activation but the first.
        normalise_first: before the first as well.
        slope: slope of the leaky ReLUs for negative numbers.
        spectral: whether to normalise every layer's largest singular value to 1 (miyato2018).
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Attributes:
        features: (channels, height, width) of the output.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        layers: ConvolutionTable = ((4, 2, 64), (4, 2, 128), (4, 2, 256)),
        normalise: bool = True,
        normalise_first: bool = False,
        slope: float = 0.2,
        spectral: bool = False,
        initialisation: Initialisation = "normal",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        positive(gain=gain)
        table, inputs = rows(layers), channels_of(shape)
        modules: list[nn.Module] = []
        for i, row in enumerate(table):
            normal = normalise and (i > 0 or normalise_first)
            modules.append(Down(inputs, row.outputs, row.kernel, not normal, row.stride))
            modules.append(after(row.outputs, normal, nn.LeakyReLU(slope, inplace=True)))
            inputs = row.outputs
        self.layers = nn.Sequential(*modules)
        *_, (height, width) = shrunk(shape[1:], [row.stride for row in table])
        self.features = (inputs, height, width)
        initialise(self, initialisation, gain)
        if spectral:
            normalise_spectrally(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k a b"]:
        return self.layers(x)  # type: ignore[no-any-return]


class Critic(nn.Module):
    """Image -> logit: an `Encoder`, then one linear layer on all its features. Takes the same arguments."""

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        layers: ConvolutionTable = ((4, 2, 64), (4, 2, 128), (4, 2, 256)),
        normalise: bool = True,
        normalise_first: bool = False,
        slope: float = 0.2,
        spectral: bool = False,
        initialisation: Initialisation = "normal",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(
            shape=shape,
            layers=layers,
            normalise=normalise,
            normalise_first=normalise_first,
            slope=slope,
            initialisation=initialisation,
            gain=gain,
        )
        self.judge = nn.Sequential(Flat(), nn.Linear(flat(self.encoder.features), 1), nn.Flatten(0))
        initialise(self.judge, initialisation, gain)
        if spectral:
            normalise_spectrally(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        return self.judge(self.encoder(x))  # type: ignore[no-any-return]

    @property
    def feature_count(self) -> int:
        """Numbers in `features`."""
        return flat(self.encoder.features)

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The input of the last linear layer."""
        return self.judge[:1](self.encoder(x))  # type: ignore[no-any-return]

    def logits(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """The logits of features."""
        return self.judge[1:](features)  # type: ignore[no-any-return]


def channels_of(shape: tuple[int, ...]) -> int:
    """The number of channels of an image of `shape`.

    Raises:
        SettingError: `shape` is not that of an image.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise SettingError(
            f"shape of a convolutional network: expected (channels, height, width), got {tuple(shape)}; "
            "use networks.mlp for points and vectors"
        )
    return shape[0]

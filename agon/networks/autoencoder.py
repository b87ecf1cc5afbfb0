"""Critics whose logit is minus the reconstruction error of an autoencoder.

A critic combines any two modules: `cnn.Encoder` with its `Mirror`, or the `Encoder` and `Decoder` of this module, with
a vector between them. That `Decoder` is also a generator.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError, unknown
from agon.networks.cnn import ConvolutionTable, channels_of
from agon.networks.convolutions import Down, Flat, Up, after, rows, shrunk
from agon.networks.dcgan import stages
from agon.networks.layers import Initialisation, activation, flat, initialise, positive, root, squash

ReconstructionError = Literal["squared", "absolute", "euclidean"]

ERRORS: dict[str, Callable[[Tensor], Tensor]] = {  # of differences "n d"
    "squared": lambda difference: difference.square().mean(1),
    "absolute": lambda difference: difference.abs().mean(1),
    "euclidean": lambda difference: root(difference.square().sum(1)),
}


class Critic(nn.Module):
    """a(x) = -|Dec(Enc(x)) - x|: well reconstructed samples count as real; logits are at most 0.

    Args:
        encoder: maps "n *shape" to codes "n ...".
        decoder: maps codes to "n *shape".
        error: "squared" and "absolute" are means over all numbers of a sample; "euclidean" is the norm, which grows
            with their number.

    Raises:
        SettingError: the error is unknown; or, when called, reconstructions and samples differ in shape.

    Source: Zhao et al. 2016, section 2.3; Berthelot et al. 2017, equation 1 (absolute).
    """

    def __init__(self, *, encoder: nn.Module, decoder: nn.Module, error: ReconstructionError = "squared") -> None:
        super().__init__()
        if error not in ERRORS:
            raise SettingError(unknown("reconstruction error", error, ERRORS))
        self.encoder, self.decoder, self.error = encoder, decoder, error

    def encode(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Encode samples "n *shape"."""
        return self.encoder(x)  # type: ignore[no-any-return]

    def reconstruct(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Encode and decode samples "n *shape"."""
        return self.decoder(self.encode(x))  # type: ignore[no-any-return]

    def forward(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        reconstructed = self.reconstruct(x)
        if reconstructed.shape != x.shape:  # they could be broadcast silently
            raise SettingError(
                f"an autoencoder: expected reconstructions of the samples' shape {tuple(x.shape[1:])}, got "
                f"{tuple(reconstructed.shape[1:])}; give encoder and decoder the data's shape, and the same layers"
            )
        return -ERRORS[self.error]((reconstructed - x).flatten(1))


class Mirror(nn.Module):
    """Features -> image: the layers of a `cnn.Encoder` in reverse, with transposed convolutions for its strides.

    Args:
        shape: (channels, height, width) of one sample.
        layers: the encoder's own table, (kernel, stride, outputs) of each of its layers.
        normalise: batch normalisation before every activation but the last.
        slope: slope of the ReLUs for negative numbers; 0 gives the plain ReLU.
        range: range of the reconstructions; (-1, 1) ends in tanh, (0, 1) in a sigmoid, None in no activation.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Source: the decoders of Zhao et al. 2016, appendix D.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        layers: ConvolutionTable = ((4, 2, 64), (4, 2, 128), (4, 2, 256)),
        normalise: bool = True,
        slope: float = 0.0,
        range: tuple[float, float] | None = (-1.0, 1.0),  # noqa: A002 - the sources' word
        initialisation: Initialisation = "normal",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        positive(gain=gain)
        table = rows(layers)
        widths = [channels_of(shape), *(row.outputs for row in table)]
        sides = list(shrunk(shape[1:], [row.stride for row in table]))
        modules: list[nn.Module] = []
        for row, (outputs, inputs), to in list(zip(table, pairwise(widths), sides, strict=False))[::-1]:
            end = row is table[0]
            bias = end or not normalise
            if row.stride > 1:
                modules.append(Up(inputs, outputs, to, row.kernel, bias, row.stride))
            else:
                modules.append(Down(inputs, outputs, row.kernel, bias, stride=1))
            modules.append(squash(range) if end else after(outputs, normalise, nn.LeakyReLU(slope, inplace=True)))
        self.layers = nn.Sequential(*modules)
        initialise(self, initialisation, gain)

    def forward(self, features: Float[Tensor, "n k a b"]) -> Float[Tensor, "n c h w"]:
        return self.layers(features)  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Image -> vector: 3x3 convolutions and ELUs, i·width channels at the i-th size, strides of 2 between sizes.

    Args:
        shape: (channels, height, width) of one sample; sides from 4.
        code: length of the vector, the output of a linear layer.
        width: channels at the full size.
        depth: convolutions at each size.
        smallest: sides are halved until the longer one is at most this.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Source: Berthelot et al. 2017, figure 1 and section 3.5.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        code: int = 64,
        width: int = 64,
        depth: int = 2,
        smallest: int = 8,
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(code=code, width=width, depth=depth, smallest=smallest, gain=gain)
        sides = list(stages(shape, smallest))
        widths = [width * (1 + i) for i, _ in enumerate(sides)]
        modules = _convolutions(channels_of(shape), width, 1 + depth)
        for inputs, outputs in pairwise(widths):
            modules += [Down(inputs, outputs, 3, bias=True), activation("elu"), *_convolutions(outputs, outputs, depth)]
        features = (widths[-1], *sides[-1])
        self.layers = nn.Sequential(*modules, Flat(), nn.Linear(flat(features), code))
        initialise(self, initialisation, gain)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        return self.layers(x)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Vector -> image: a linear layer, then 3x3 convolutions and ELUs, with nearest-neighbour upsampling between sizes.

    It is also a generator: in the source, the generator has the architecture of the critic's decoder.

    Args:
        shape: (channels, height, width) of one sample; sides from 4.
        latent: length of the vector.
        width: channels at every size.
        depth: convolutions at each size.
        smallest: most that the longer side of the first size may be.
        range: range of the samples; None, as in the source, ends in no activation.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Source: Berthelot et al. 2017, figure 1 and section 3.5.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 64,
        width: int = 64,
        depth: int = 2,
        smallest: int = 8,
        range: tuple[float, float] | None = None,  # noqa: A002 - the sources' word
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(latent=latent, width=width, depth=depth, smallest=smallest, gain=gain)
        first, *larger = list(stages(shape, smallest))[::-1]
        self.latent_shape = (latent,)
        self.first = (width, *first)
        self.project = nn.Linear(latent, flat(self.first))
        modules = _convolutions(width, width, depth)
        for sides in larger:
            modules += [nn.Upsample(size=sides, mode="nearest"), *_convolutions(width, width, depth)]
        self.layers = nn.Sequential(*modules, Down(width, channels_of(shape), 3, bias=True, stride=1), squash(range))
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        return self.layers(self.project(latent).reshape(-1, *self.first))  # type: ignore[no-any-return]


def _convolutions(inputs: int, outputs: int, count: int) -> list[nn.Module]:
    """3x3 convolutions that keep the size, each with its ELU."""
    modules: list[nn.Module] = []
    for _ in range(count):
        modules += [Down(inputs, outputs, 3, bias=True, stride=1), activation("elu")]
        inputs = outputs
    return modules

"""DCGAN for any resolution: each stage halves (critic) or doubles (generator) height and width.

| the paper (radford2015, section 3 and figure 1) | here |
|---|---|
| 64x64, four stages of stride 2 from 4x4 on | as many as reach a side of at most 7; odd sides round up |
| kernel 5, cropped to an exact factor of 2 | kernel 4, padding 1, as the released code; 5 by choice |
| widths 1024, 512, 256, 128 | width·2^(stages-1), ..., width |
| batch normalisation everywhere but G's output and D's input | the same; can be switched off |
| N(0, 0.02); leaky ReLU 0.2 in D, ReLU in G; tanh | the same; the initialisation can be chosen |

A side of 28 goes 28, 14, 7; 96 goes 96, 48, 24, 12, 6; 25 goes 25, 13, 7: a transposed
convolution doubles 7 to 14 and is cut to 13, so that any size has its generator.
"""

from collections.abc import Iterator
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.convolutions import Down, Flat, Up, after, normalise_spectrally
from agon.networks.layers import Initialisation, LinearHead, initialise, positive, squash

SMALLEST = 7  # a side up to this is not halved any more: 28 -> 7, 32 -> 4, 48 -> 6, 64 -> 4, 96 -> 6


class Generator(nn.Module):
    """z -> image: a linear projection, then transposed convolutions of stride 2.

    Args:
        shape: (channels, height, width) of one sample; sides from 4.
        latent: number of coordinates of z.
        width: channels of the last hidden stage; doubled at each stage towards the projection.
        normalise: batch normalisation before every hidden activation.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid.
        kernel: 4, or the paper's 5.
        smallest: sides are halved until the longer one is at most this.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 100,
        width: int = 64,
        normalise: bool = True,
        range: tuple[float, float] | None = (-1.0, 1.0),  # noqa: A002 - the sources' word
        kernel: int = 4,
        smallest: int = SMALLEST,
        initialisation: Initialisation = "normal",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        positive(latent=latent, width=width, kernel=kernel, smallest=smallest, gain=gain)
        self.latent_shape = (latent,)
        channels, sides = shape[0], list(stages(shape, smallest))
        widths = [width * 2**i for i, _ in enumerate(sides[1:])][::-1]  # deepest first
        self.first = (widths[0], *sides[-1])
        height, breadth = sides[-1]
        self.project = nn.Linear(latent, widths[0] * height * breadth, bias=not normalise)
        self.start = after(widths[0], normalise, nn.ReLU(inplace=True))
        up = [
            Up(i, o, to, kernel, bias=not normalise)
            for (i, o), to in zip(pairwise(widths), sides[-2:0:-1], strict=True)
        ]
        hidden = [layer for u in up for layer in (u, *after(u.outputs, normalise, nn.ReLU(inplace=True)))]
        self.layers = nn.Sequential(*hidden, Up(widths[-1], channels, sides[0], kernel, True), squash(range))
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        x: Tensor = self.project(latent).reshape(-1, *self.first)  # n c h₀ w₀
        return self.layers(self.start(x))  # type: ignore[no-any-return]


class Critic(LinearHead):
    """Image -> logit: convolutions of stride 2, then one linear layer.

    Args:
        shape: (channels, height, width) of one sample; sides from 4.
        width: channels of the first stage; doubled at each stage.
        normalise: batch normalisation before every activation but the first.
        kernel: 4, or the paper's 5.
        smallest: sides are halved until the longer one is at most this.
        spectral: whether to normalise every layer's largest singular value to 1 (miyato2018); not with `normalise`.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        width: int = 64,
        normalise: bool = True,
        kernel: int = 4,
        smallest: int = SMALLEST,
        spectral: bool = False,
        initialisation: Initialisation = "normal",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        positive(width=width, kernel=kernel, smallest=smallest, gain=gain)
        sides = list(stages(shape, smallest))
        widths = [shape[0], *(width * 2**i for i, _ in enumerate(sides[1:]))]
        layers: list[nn.Module] = []
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            bare = i == 0 or not normalise
            layers += [
                Down(inputs, outputs, kernel, bias=bare),
                *after(outputs, not bare, nn.LeakyReLU(0.2, inplace=True)),
            ]
        height, breadth = sides[-1]
        self.layers = nn.Sequential(*layers, Flat(), nn.Linear(widths[-1] * height * breadth, 1), nn.Flatten(0))
        initialise(self, initialisation, gain)
        if spectral:
            normalise_spectrally(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        return self.layers(x)  # type: ignore[no-any-return]


def stages(shape: tuple[int, ...], smallest: int = SMALLEST) -> Iterator[tuple[int, int]]:
    """(height, width) after 0, 1, ... halvings, rounded up, until the longer side is at most `smallest`.

    >>> list(stages((1, 28, 20)))
    [(28, 20), (14, 10), (7, 5)]
    """
    if len(shape) != 3 or min(shape[1:]) < 4 or shape[0] < 1:
        raise SettingError(
            f"shape of a DCGAN: expected (channels, height, width) with sides from 4, got {tuple(shape)}; "
            "use networks.mlp for points and vectors"
        )
    height, width = shape[1:]
    yield height, width
    halved = False
    while not halved or max(height, width) > max(smallest, 1):
        height, width, halved = (height + 1) // 2, (width + 1) // 2, True
        yield height, width

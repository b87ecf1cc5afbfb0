"""Generative recurrent adversarial networks: a generator that paints a canvas in several steps.

| the paper (im2016, section 3.1) | here |
|---|---|
| equations 5-9: f decodes noise and memory into an increment, g encodes the increment into memory | the same |
| equation 6 needs ΔC_0, which is not defined; Algorithm 1: h_{c,0} = 0 | h_{c,1} = 0, so that g starts at step 2 |
| f and g are symmetric copies; g's bounded domain is that of h_z | g ends in tanh |
| after the last step, nobody asks for g | it runs T - 1 times; GRAN1 has none, and no weights of h_c |
| batch normalisation: where is not said, and equation 7 has none | before every ReLU, and before g's tanh |
| running statistics over time steps: silent | a set for each step, one scale and shift for all |

Without normalisation before its tanh, what g says alike of all samples drowned their z within MNIST's first hundred
steps: all samples were one. With one set of statistics for all steps, evaluation mode paints other pictures than
training mode did: in a small network at its first weights by 16 % of the samples' spread, instead of 0.2 %.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from operator import add
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from agon.errors import SettingError, unknown
from agon.networks.cnn import channels_of
from agon.networks.convolutions import Down, Up, shrunk
from agon.networks.layers import Initialisation, flat, initialise, positive, squash
from agon.networks.stepped import Adjoint, StepNorm, recomputed

Noise = Literal["once", "every"]


class Generator(nn.Module):
    """z -> image in T steps; each adds an increment to the canvas, computed from the noise and the step before.

    h_{c,t} = g(ΔC_{t-1}), with h_{c,1} = 0
    h_{z,t} = tanh(W z_t + b)
    ΔC_t = f([h_{z,t}, h_{c,t}])
    C = squash(Σ_t ΔC_t), a logistic function for the range (0, 1).

    Gradients flow back through all steps. With T = 1 this is a DCGAN after one more fully connected layer. Not to be
    confused with DRAW (`networks.draw`), which remembers in a recurrent layer and is trained as an autoencoder.

    Args:
        shape: (channels, height, width) of one sample.
        latent: number of coordinates of z.
        steps: T, from 1.
        kernels: channels before each transposed convolution, deepest first, without the sample's own.
            Each convolution doubles height and width; g halves them as often.
        kernel: side of every convolution, in pixels.
        hidden: numbers in h_z, and in h_c.
        noise: "once" uses one z for all steps; "every" uses a z_t for each, with latents "n t k".
        tied: whether g shares the weights of f: each convolution those of the transposed one that undoes it, and the
            fully connected layer the transpose of f's columns that read h_c. Biases and normalisation are its own.
        normalise: batch normalisation before every ReLU and g's tanh; each step has its own running statistics.
        range: range of the samples; (0, 1) ends in a sigmoid, (-1, 1) in tanh.
        checkpoint: whether to recompute each step's intermediate results instead of keeping them, to save memory.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is not above 0, `noise` is unknown, or there are no kernels.

    Source: im2016, equations 5 to 9, Algorithm 1, section 3.1 and figure 29.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 60,
        steps: int = 3,
        kernels: Sequence[int] = (80, 40),
        kernel: int = 5,
        hidden: int = 100,
        noise: Noise = "once",
        tied: bool = False,
        normalise: bool = True,
        range: tuple[float, float] | None = (0.0, 1.0),  # noqa: A002 - the sources' word
        checkpoint: bool = False,
        initialisation: Initialisation = "xavier",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        channels_of(shape)
        positive(latent=latent, steps=steps, kernel=kernel, hidden=hidden, gain=gain)
        if noise not in ("once", "every"):
            raise SettingError(unknown("noise", noise, ("once", "every")))
        if not kernels or min(kernels) < 1:
            raise SettingError(f"kernels: expected one or more numbers over 0, got {tuple(kernels)}; use (80, 40)")
        self.latent_shape = (latent,) if noise == "once" else (steps, latent)
        self.steps, self.checkpoint = steps, checkpoint
        self.code = nn.Linear(latent, hidden)
        self.decoder = Decoder(shape, kernels, kernel, hidden, steps, normalise)
        self.encoder = Encoder(shape, kernels, kernel, hidden, steps - 1, normalise) if steps > 1 else None
        self.squash = squash(range)
        initialise(self, initialisation, gain)
        if tied and self.encoder is not None:
            self.encoder.tie(self.decoder)

    def forward(self, latent: Float[Tensor, "n *k"]) -> Float[Tensor, "n c h w"]:
        return self.squash(reduce(add, self.increments(latent)))  # type: ignore[no-any-return]

    def canvases(self, latent: Float[Tensor, "n *k"]) -> Float[Tensor, "n t c h w"]:
        """The canvas after each step, squash(ΔC_1 + ... + ΔC_t); the last one is the sample."""
        return torch.stack([self.squash(total) for total in accumulate(self.increments(latent))], dim=1)

    def increments(self, latent: Float[Tensor, "n *k"]) -> Iterator[Float[Tensor, "n c h w"]]:
        """ΔC_1, ..., ΔC_T, unbounded."""
        increment: Tensor | None = None
        for step, z in enumerate([latent] * self.steps if len(self.latent_shape) == 1 else latent.unbind(1)):
            if self.checkpoint and torch.is_grad_enabled():
                increment = recomputed(self, self._increment, z, increment, step)
            else:
                increment = self._increment(z, increment, step)
            yield increment

    def _increment(self, z: Tensor, before: Tensor | None, step: int) -> Tensor:
        """ΔC_t from z_t and ΔC_{t-1}: equations 6 to 8."""
        memory = None if before is None or self.encoder is None else self.encoder(before, step - 1)
        return self.decoder(torch.tanh(self.code(z)), memory, step)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """f: h_z and h_c -> ΔC: one fully connected layer on both, then transposed convolutions of stride 2.

    Args:
        shape: shape of one sample.
        kernels: channels before each transposed convolution.
        kernel: side of the kernels.
        hidden: numbers in h_z, and in h_c.
        steps: number of time steps; from 2 on it has weights for h_c.
        normalise: batch normalisation before every ReLU.
    """

    def __init__(
        self, shape: tuple[int, int, int], kernels: Sequence[int], kernel: int, hidden: int, steps: int, normalise: bool
    ) -> None:
        super().__init__()
        start, *larger = list(shrunk(shape[1:], [2] * len(kernels)))[::-1]
        self.first = (kernels[0], *start)
        self.of_code = nn.Linear(hidden, flat(self.first), bias=not normalise)
        self.of_memory = nn.Linear(hidden, flat(self.first), bias=False) if steps > 1 else None
        self.norms = nn.ModuleList(_norms(nn.BatchNorm2d, width, steps, normalise) for width in kernels)
        ups = [Up(i, o, to, kernel, bias=not normalise) for (i, o), to in zip(pairwise(kernels), larger, strict=False)]
        self.ups = nn.ModuleList([*ups, Up(kernels[-1], shape[0], larger[-1], kernel, bias=True)])

    def forward(
        self, code: Float[Tensor, "n m"], memory: Float[Tensor, "n m"] | None, step: int
    ) -> Float[Tensor, "n c h w"]:
        """Decode `code` and `memory` (None means zeros) at a step, counted from 0."""
        x: Tensor = self.of_code(code)
        if memory is not None and self.of_memory is not None:
            x = x + self.of_memory(memory)
        x = x.reshape(-1, *self.first)  # n c h₀ w₀
        for norm, up in zip(self.norms, self.ups, strict=True):
            x = up(relu(norm(x, step), inplace=True))
        return x


class Encoder(nn.Module):
    """g: ΔC -> h_c in (-1, 1): convolutions of stride 2, then one fully connected layer and tanh; f's mirror.

    Args:
        shape: shape of one sample.
        kernels: channels of each convolution, the last one's first.
        kernel: side of the kernels.
        hidden: numbers in h_c.
        steps: number of time steps.
        normalise: batch normalisation before every ReLU, and before tanh.
    """

    def __init__(
        self, shape: tuple[int, int, int], kernels: Sequence[int], kernel: int, hidden: int, steps: int, normalise: bool
    ) -> None:
        super().__init__()
        widths = (shape[0], *kernels[::-1])
        *_, (height, width) = shrunk(shape[1:], [2] * len(kernels))
        self.downs = nn.ModuleList(Down(i, o, kernel, bias=not normalise) for i, o in pairwise(widths))
        self.norms = nn.ModuleList(_norms(nn.BatchNorm2d, o, steps, normalise) for o in widths[1:])
        self.top: nn.Module = nn.Linear(widths[-1] * height * width, hidden, bias=not normalise)
        self.norm = _norms(nn.BatchNorm1d, hidden, steps, normalise)

    def forward(self, increment: Float[Tensor, "n c h w"], step: int) -> Float[Tensor, "n m"]:
        """Encode an increment at a step, counted from 0."""
        x = increment
        for down, norm in zip(self.downs, self.norms, strict=True):
            x = relu(norm(down(x), step), inplace=True)
        return torch.tanh(self.norm(self.top(x.flatten(1)), step))

    def tie(self, decoder: Decoder) -> None:
        """Share the decoder's weights: a convolution with a transposed one's weights is its adjoint, up to biases."""
        for down, up in zip(self.downs, reversed(decoder.ups), strict=True):
            down.weight = up.weight
        assert decoder.of_memory is not None  # a decoder with an encoder has a memory
        self.top = Adjoint(decoder.of_memory, bias=self.top.bias is not None)


def _norms(kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d], width: int, steps: int, normalise: bool) -> StepNorm:
    return StepNorm([kind(width) for _ in range(steps if normalise else 0)])

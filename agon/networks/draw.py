"""DRAW: an image painted on a canvas stroke by stroke, with or without attention.

Source: Gregor et al. 2015, "DRAW: a recurrent neural network for image generation", whose equation numbers are used.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.networks.attention import AttentiveReader, AttentiveWriter, ImageBatch, WholeReader, WholeWriter
from agon.networks.layers import Initialisation, initialise, positive
from agon.networks.posterior import Autoencoder, AutoencoderPass, Posterior


class Memory(NamedTuple):
    """The state of an LSTM.

    Attributes:
        output: h, "n k".
        cell: c, "n k".
    """

    output: Tensor
    cell: Tensor


class Cell(nn.Module):
    """One time step of an LSTM in plain operations, because torch's kernels have no second derivative on a GPU.

    Args:
        inputs: coordinates of x.
        hidden: coordinates of h and c.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gates = nn.Linear(inputs + hidden, 4 * hidden)
        self.start = nn.Parameter(torch.zeros(2, hidden))

    def first(self, x: Float[Tensor, "n ..."]) -> Memory:
        """The learned state before the first time step, for as many samples as x has."""
        output, cell = self.start.unsqueeze(1).expand(-1, x.shape[0], -1).unbind(0)
        return Memory(output, cell)

    def forward(self, x: Float[Tensor, "n j"], memory: Memory) -> Memory:
        admit, keep, tell, new = self.gates(torch.cat((x, memory.output), dim=1)).chunk(4, dim=1)
        cell = keep.sigmoid() * memory.cell + admit.sigmoid() * new.tanh()
        return Memory(tell.sigmoid() * cell.tanh(), cell)


class Draw(Autoencoder):
    """For t = 1..T: x̂ = x - σ(c), r = read(x, x̂, h_dec), h_enc = LSTM([r, h_dec]), z ~ q(z|h_enc),
    h_dec = LSTM(z), c = c + write(h_dec).

    p(x|z) has the mean σ(c_T), and the divergence is the sum over t. z has a vector for each time step, so
    latent_shape is (glimpses, latent). The canvas and both states start as learned biases.
    Source: Gregor et al. 2015, equations 1-18.

    Args:
        shape: (channels, height, width) of one sample.
        glimpses: T, the time steps.
        latent: coordinates of z at each time step.
        hidden: units of each LSTM.
        read: side of the window that the encoder reads through, from 2; None reads all pixels.
        write: side of the patch that the decoder writes, from 2; None writes all pixels.
        range: range of the samples; (0, 1) ends in a sigmoid, (-1, 1) in tanh, None in no activation.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        glimpses: int = 10,
        latent: int = 100,
        hidden: int = 256,
        read: int | None = 2,
        write: int | None = 5,
        range: tuple[float, float] | None = (0.0, 1.0),  # noqa: A002 - the sources' word
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        positive(glimpses=glimpses, latent=latent, hidden=hidden, gain=gain)
        super().__init__(shape, (glimpses, latent), range)
        self.reader = WholeReader(hidden, shape) if read is None else AttentiveReader(hidden, shape, read)
        self.writer = WholeWriter(hidden, shape) if write is None else AttentiveWriter(hidden, shape, write)
        self.encoder = Cell(self.reader.outputs + hidden, hidden)
        self.posterior = nn.Linear(hidden, 2 * latent)
        self.decoder = Cell(latent, hidden)
        self.canvas = nn.Parameter(torch.zeros(shape))
        initialise(self, initialisation, gain)

    def decode(self, latent: Float[Tensor, "n t k"]) -> ImageBatch:
        return list(self._paint(latent))[-1]

    def canvases(self, latent: Float[Tensor, "n t k"]) -> Float[Tensor, "t n c h w"]:
        """The canvases σ(c_t) after each time step, in the samples' range; the last ones are the samples."""
        return torch.stack([self.squash(canvas) for canvas in self._paint(latent)])

    def reconstruct(self, x: ImageBatch, noise: Float[Tensor, "n t k"]) -> AutoencoderPass:
        canvas, encoder, decoder = self.canvas.expand_as(x), self.encoder.first(x), self.decoder.first(x)
        divergence = x.new_zeros(x.shape[0])
        for epsilon in noise.unbind(1):
            error = x - self.squash(canvas)  # equation 3
            glimpse = self.reader(x, error, decoder.output)  # equation 4
            encoder = self.encoder(torch.cat((glimpse, decoder.output), dim=1), encoder)  # equation 5
            mean, log_std = self.posterior(encoder.output).chunk(2, dim=1)  # equations 1, 2
            posterior = Posterior(mean, log_std)
            decoder = self.decoder(posterior.at(epsilon), decoder)  # equations 6, 7
            canvas = canvas + self.writer(decoder.output)  # equation 8
            divergence = divergence + posterior.divergence()  # equation 10
        return AutoencoderPass(canvas, divergence)

    def _paint(self, latent: Tensor) -> Iterator[Tensor]:
        """Yield c_1, ..., c_T for latents from the prior. Source: equations 13-15."""
        canvas, decoder = self.canvas.expand(latent.shape[0], *self.shape), self.decoder.first(latent)
        for z in latent.unbind(1):
            decoder = self.decoder(z, decoder)
            canvas = canvas + self.writer(decoder.output)
            yield canvas

"""A generator that writes its image column by column, from left to right."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.networks.cnn import channels_of
from agon.networks.layers import Gates, Initialisation, initialise, positive, squash


class Generator(nn.Module):
    """z -> image by an LSTM that writes one column of the image at each step.

        h_0 = c_0 = relu(W z + b)
        i, f, o = σ(W_{i,f,o} h_{t-1} + b_{i,f,o}),   g = tanh(W_g h_{t-1} + b_g)
        c_t = f·c_{t-1} + i·g,   h_t = o·tanh(c_t),   column t = squash(V h_t + b)

    Not to be confused with a generator that adds to a canvas at every step: a written column stays, and later ones
    depend only on the state. The LSTM gets no input, and so has no weights for one; z sets its initial state.

    Args:
        shape: (channels, height, width) of one sample; the LSTM runs `width` steps.
        latent: number of coordinates of z.
        hidden: units of the first layer and of the LSTM.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid, None in no activation.
        initialisation: how weights are drawn, each gate's matrix separately; the forget gate's bias is 1 and all
            others are 0, except with "torch". See `layers.initialise`.
        gain: scale of the initialisation.

    Source: metz2017 Appendix B; the LSTM with a forget gate is Gers et al. 2000, without peepholes.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 256,
        hidden: int = 256,
        range: tuple[float, float] | None = (-1.0, 1.0),  # noqa: A002 - the sources' word
        initialisation: Initialisation = "xavier",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(latent=latent, hidden=hidden, gain=gain)
        channels, self.height, self.columns = channels_of(shape), *shape[1:]
        self.latent_shape = (latent,)
        self.start = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(inplace=True))
        self.gates = Gates(hidden, hidden)
        self.project = nn.Linear(hidden, channels * self.height)
        self.squash = squash(range)
        initialise(self, initialisation, gain)

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        states = self._states(self.start(latent))  # n w hidden
        columns: Tensor = self.squash(self.project(states))  # n w c·h
        return columns.reshape(-1, self.columns, columns.shape[2] // self.height, self.height).permute(0, 2, 3, 1)

    def _states(self, start: Float[Tensor, "n m"]) -> Float[Tensor, "n w m"]:
        """h_1, ..., h_w of the LSTM whose h_0 and c_0 are `start`."""
        return scan(start, self.gates, self.columns)


def scan(
    start: Float[Tensor, "n m"], gates: Callable[[Float[Tensor, "n m"]], Float[Tensor, "n g"]], steps: int
) -> Float[Tensor, "n w m"]:
    """h_1, ..., h_w of an LSTM without input whose h_0 and c_0 are `start`; `gates` makes four gates of h."""
    hidden = cell = start
    states = []
    for _ in range(steps):
        enter, forget, new, leave = gates(hidden).chunk(4, dim=1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        states.append(hidden)
    return torch.stack(states, dim=1)

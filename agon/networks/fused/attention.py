"""DRAW's attention and memory with fewer operations, and without numbers that a processor is slow at.

A filter's weights far from its centre are below 1e-38, where a product takes a hundred times as long. They are 0 here
from 1e-12 down: of weights that sum to 1, that is less than rounding takes away.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import threshold

from agon.networks.attention import Attention, Filters
from agon.networks.draw import Cell, Memory

LEAST = 1e-12


class FusedAttention(Attention):
    """Both filter banks, of rows and of columns, as one, on square images."""

    @staticmethod
    def fits(layer: Attention) -> bool:
        """Whether rows and columns are equally many."""
        return layer.sides[0] == layer.sides[1]

    def forward(self, hidden: Float[Tensor, "n k"]) -> Filters:
        if not self.training:
            return super().forward(hidden)
        side, aim = self.sides[0], self.aim(hidden)  # n (x, y, log σ², log δ̃, log γ)
        numbers = torch.arange(1, self.size + 1, device=aim.device, dtype=aim.dtype) - (self.size / 2 + 0.5)
        pixels = torch.arange(1, side + 1, device=aim.device, dtype=aim.dtype) - (side + 1) / 2
        spread, scale = (side - 1) / (self.size - 1) * aim[:, 3].exp(), -0.5 * (-aim[:, 2]).exp()
        centres = (side + 1) / 2 * aim[:, :2]  # of columns and rows, from the image's own centre
        means = torch.addcmul(centres.unsqueeze(2), numbers, spread.view(-1, 1, 1))  # n 2 size
        distances = (pixels - means.unsqueeze(3)).square()  # n 2 size side
        banks = threshold(torch.softmax(distances * scale.view(-1, 1, 1, 1), dim=3), LEAST, 0.0)
        columns, rows = banks.unbind(1)
        return Filters(rows, columns, aim[:, 4].exp())


class FusedCell(Cell):
    """One time step of an LSTM, with one sigmoid for three gates."""

    def forward(self, x: Float[Tensor, "n j"], memory: Memory) -> Memory:
        if not self.training:
            return super().forward(x, memory)
        gates = self.gates(torch.cat((x, memory.output), dim=1))
        share = gates.shape[1] // 4
        admit, keep, tell = gates[:, : 3 * share].sigmoid().chunk(3, dim=1)
        cell = torch.addcmul(keep * memory.cell, admit, gates[:, 3 * share :].tanh())
        return Memory(tell * cell.tanh(), cell)

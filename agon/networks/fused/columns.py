"""The scan of `networks.columns` as one operation with a backward pass of its own.

Autograd goes back through 28 steps of a dozen operations each, and adds 28 gradients of the recurrent weights. Here the
derivatives of all activations are computed at once, a step back is five operations, and the weights' gradient is one
product of matrices.
"""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

from agon.networks import columns


class FusedColumns(columns.Generator):
    """A generator that writes its image column by column."""

    def _states(self, start: Float[Tensor, "n m"]) -> Float[Tensor, "n w m"]:
        if not self.training or torch._C._are_functorch_transforms_active():
            return super()._states(start)
        states: Tensor = Scan.apply(start, self.gates.weight, self.gates.bias, self.columns)
        return states.transpose(0, 1)


class Scan(torch.autograd.Function):
    """h_1, ..., h_w, "w n m", of an LSTM without input whose h_0 and c_0 are `start`."""

    @staticmethod
    def forward(ctx: Any, start: Tensor, weight: Tensor, bias: Tensor, steps: int) -> Tensor:
        n, m = start.shape
        gates, hidden = start.new_empty(steps, n, 4 * m), start.new_empty(steps + 1, n, m)
        cells, squashed = torch.empty_like(hidden), start.new_empty(steps, n, m)
        hidden[0] = cells[0] = start
        of = weight.t()
        for t in range(steps):
            gate = torch.addmm(bias, hidden[t], of, out=gates[t])
            gate[:, : 2 * m].sigmoid_()
            gate[:, 2 * m : 3 * m].tanh_()
            gate[:, 3 * m :].sigmoid_()
            enter, forget, new, leave = gate.chunk(4, dim=1)
            cell = torch.mul(forget, cells[t], out=cells[t + 1]).addcmul_(enter, new)
            torch.mul(leave, torch.tanh(cell, out=squashed[t]), out=hidden[t + 1])
        ctx.save_for_backward(start, weight, bias, gates, hidden, cells, squashed)
        return hidden[1:]

    @staticmethod
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        start, weight, bias, gates, hidden, cells, squashed = ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated again: by autograd, step by step
            inputs = [tensor for tensor in (start, weight, bias) if tensor.requires_grad]
            states = columns.scan(start, partial(linear, weight=weight, bias=bias), len(gates)).transpose(0, 1)
            found = iter(torch.autograd.grad(states, inputs, cotangents, create_graph=True, allow_unused=True))
            return (*(next(found) if t.requires_grad else None for t in (start, weight, bias)), None)
        steps, n, m = squashed.shape
        enter, forget, new, leave = gates.chunk(4, dim=2)
        slopes, of_cell = torch.empty_like(gates), torch.ops.aten.tanh_backward(leave, squashed)  # ∂h/∂c
        # The derivatives in the gates' own inputs: those of c, and in the last gate's that of h.
        torch.ops.aten.sigmoid_backward.grad_input(new, enter, grad_input=slopes[..., :m])
        torch.ops.aten.sigmoid_backward.grad_input(cells[:-1], forget, grad_input=slopes[..., m : 2 * m])
        torch.ops.aten.tanh_backward.grad_input(enter, new, grad_input=slopes[..., 2 * m : 3 * m])
        torch.ops.aten.sigmoid_backward.grad_input(squashed, leave, grad_input=slopes[..., 3 * m :])
        in_hidden, in_cell = cotangents[-1], None
        for t in range(steps - 1, -1, -1):
            in_cell = in_hidden * of_cell[t] if in_cell is None else in_cell.addcmul_(in_hidden, of_cell[t])
            slopes[t, :, : 3 * m].view(n, 3, m).mul_(in_cell.unsqueeze(1))
            slopes[t, :, 3 * m :].mul_(in_hidden)
            in_cell.mul_(forget[t])
            before = slopes[t]
            in_hidden = torch.addmm(cotangents[t - 1], before, weight) if t else before @ weight
        flat = slopes.view(-1, 4 * m)
        in_start = in_hidden + in_cell if in_cell is not None else in_hidden
        return in_start, flat.t() @ hidden[:-1].reshape(-1, m), flat.sum(0), None

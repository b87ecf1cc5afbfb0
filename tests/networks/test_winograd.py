"""Winograd's transposed convolutions are the plain ones, and so are their derivatives."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv_transpose2d

from agon.networks.winograd import Doubling, minimal, products


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("side", [1, 2, 3, 6, 7, 8, 15])
def test_a_line_by_two_taps(side: int) -> None:
    """y_j = x_j w_0 + x_{j-1} w_1, by one product more than there are numbers, a tile."""
    evaluate, taps, interpolate = minimal(side)
    x, w = normal(side), normal(2, seed=1)
    ends = torch.zeros(1, dtype=torch.float64)
    expected = torch.cat([x * w[0], ends]) + torch.cat([ends, x * w[1]])
    torch.testing.assert_close(interpolate @ ((evaluate @ x) * (taps @ w)), expected, rtol=1e-11, atol=1e-11)
    assert len(evaluate) == len(taps) == side + -(-side // 7)


def test_fewer_products() -> None:
    """Of 7x7 pixels 64, where 4 taps of each make 196; in tiles of at most 7x7 never more than half."""
    assert products((7, 7)) == 64
    assert all(products((a, b)) <= 2 * a * b for a in range(3, 40) for b in range(3, 40))


@pytest.mark.parametrize(
    ("sides", "to"), [((7, 7), (14, 14)), ((4, 4), (8, 7)), ((8, 3), (15, 6)), ((1, 2), (2, 3)), ((15, 1), (29, 1))]
)
@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-11), (torch.float32, 1e-4)])
def test_values_and_derivatives_are_those_of_the_layer(
    sides: tuple[int, int], to: tuple[int, int], dtype: torch.dtype, near: float
) -> None:
    x, weight, shift = normal(5, 6, *sides, seed=2), normal(6, 3, 4, 4, seed=3), normal(3, seed=4)
    cotangent = normal(5, 3, *to, seed=5)
    y = conv_transpose2d(x.requires_grad_(), weight, shift, stride=2, padding=1)[:, :, : to[0], : to[1]]
    (slope,) = torch.autograd.grad((y * cotangent).sum(), x)
    fast = Doubling(weight.to(dtype), shift.to(dtype), sides, to)
    pixels, back = (2, 3, 0, 1), (2, 3, 0, 1)
    ours = fast.forward(x.detach().permute(pixels).to(dtype).contiguous())
    torch.testing.assert_close(ours.permute(back).double(), y.detach(), rtol=near, atol=near)
    ours = fast.backward(cotangent.permute(pixels).to(dtype).contiguous())
    torch.testing.assert_close(ours.permute(back).double(), slope, rtol=near, atol=near)

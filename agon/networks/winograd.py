"""Winograd's minimal filtering for transposed convolutions of kernel 4 and stride 2, whose weights are constants.

The even rows of such a layer's result are a convolution of the rows by two taps of the kernel, the odd rows by the two
others. s numbers convolved by 2 are the s + 1 coefficients of a product of polynomials, which their values at s + 1
points determine:

    y = R ((E x) * (K w)),

where E and K take the values, and R interpolates. In two dimensions, each sum over channels is one of (s + 1)²
products instead of 4 s²: of 7x7 pixels 64 instead of 196.

Tensors are "h w n c", pixels first: then E and R are products of matrices for all samples and channels at once.

Source: Winograd 1980, "Arithmetic Complexity of Computations"; Lavin and Gray 2016, section 4.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from agon.networks.convolutions import Sides

POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # and infinity; with more of them float32 loses too many digits
TAPS = ((1, 3), (0, 2))  # of the kernel: for even places of the result, and for odd


class Doubling:
    """y = conv_transpose2d(x, weight, stride=2, padding=1) + shift for a 4x4 kernel, and its derivative by x.

    In float32, y has errors of about 3e-6 of its scale, 20 times those of a plain convolution.

    Args:
        weight: the layer's weight.
        shift: what is added to each channel of the result.
        sides: (height, width) of x.
        to: (height, width) of y, at most twice those of x.
    """

    def __init__(self, weight: Float[Tensor, "c o 4 4"], shift: Float[Tensor, " o"], sides: Sides, to: Sides) -> None:
        (down, taps_down, rows), (across, taps_across, columns) = minimal(sides[0]), minimal(sides[1])
        self.shift, self.to, (self.inputs, self.outputs) = shift, to, weight.shape[:2]
        self.down, self.across = down.to(weight), across.to(weight)
        weights = [[_values(weight, taps_down, taps_across, i, j).to(weight) for j in TAPS] for i in TAPS]
        backs = [[each.transpose(1, 2).contiguous() for each in row] for row in weights]  # a view is a fifth slower
        self.kernels = [(i, j, weights[i][j], backs[i][j]) for i in (0, 1) for j in (0, 1)]
        self.rows = [part.to(weight) for part in _by_parity(rows, to[0])]
        both = columns.new_zeros(to[1], 2, len(across))
        for parity, part in enumerate(_by_parity(columns, to[1])):
            both[parity::2, parity] = part
        self.columns = both.flatten(1).to(weight)

    def forward(self, x: Float[Tensor, "h w n c"]) -> Float[Tensor, "a b n o"]:
        """Compute y."""
        p, q, n = len(self.down), len(self.across), x.shape[2]
        values = torch.bmm(self.across.expand(p, -1, -1), (self.down @ x.flatten(1)).view(p, x.shape[1], -1))
        points = values.view(p * q, n, -1)
        rows = x.new_empty(self.to[0], 2, q * n * self.outputs)
        for i, j, weight, _ in self.kernels:
            torch.mm(self.rows[i], torch.bmm(points, weight).view(p, -1), out=rows[i::2, j])
        y = torch.bmm(self.columns.expand(self.to[0], -1, -1), rows.view(self.to[0], 2 * q, -1))
        return y.view(*self.to, n, -1).add_(self.shift)

    def backward(self, cotangent: Float[Tensor, "a b n o"]) -> Float[Tensor, "h w n c"]:
        """Compute the derivative of (y * cotangent).sum() by x: every step transposed, in the opposite order."""
        p, q, n = len(self.down), len(self.across), cotangent.shape[2]
        rows = torch.bmm(self.columns.t().expand(self.to[0], -1, -1), cotangent.flatten(2))
        rows = rows.view(self.to[0], 2, -1)
        points = cotangent.new_zeros(p * q, n, self.inputs)
        for i, j, _, back in self.kernels:
            points.baddbmm_((self.rows[i].t() @ rows[i::2, j]).view(p * q, n, -1), back)
        lines = torch.bmm(self.across.t().expand(p, -1, -1), points.view(p, q, -1))
        return (self.down.t() @ lines.view(p, -1)).view(self.down.shape[1], self.across.shape[1], n, -1)


def products(sides: Sides) -> int:
    """The number of products of each pair of channels, for each of the four parities."""
    return math.prod(side + len(_tiles(side)) for side in sides)


def minimal(side: int) -> tuple[Float[Tensor, "p s"], Float[Tensor, "p 2"], Float[Tensor, "s+1 p"]]:
    """E, K and R for `side` numbers, in float64; more than 7 numbers are cut into tiles, whose results are added up.

    >>> evaluate, taps, interpolate = minimal(3)
    >>> x, w = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([1.0, 10.0]).double()
    >>> interpolate @ ((evaluate @ x) * (taps @ w))
    tensor([ 1., 12., 23., 30.], dtype=torch.float64)
    """
    tiles = _tiles(side)
    evaluate = torch.zeros(side + len(tiles), side, dtype=torch.float64)
    interpolate = torch.zeros(side + 1, side + len(tiles), dtype=torch.float64)
    for i, size in enumerate(tiles):
        x = sum(tiles[:i])
        points = slice(x + i, x + i + size + 1)
        evaluate[points, x : x + size] = _powers(size, size)
        interpolate[x : x + size + 1, points] = torch.linalg.inv(_powers(size, size + 1))
    return evaluate, torch.cat([_powers(size, 2) for size in tiles]), interpolate


def _tiles(side: int) -> list[int]:
    """The sizes of equal tiles, or nearly so.

    >>> _tiles(7), _tiles(16)
    ([7], [6, 5, 5])
    """
    count = -(-side // len(POINTS))
    return [side // count + (i < side % count) for i in range(count)]


def _powers(size: int, terms: int) -> Float[Tensor, "p terms"]:
    """The powers that a polynomial's terms are multiplied by, at the first `size` points; at infinity the last term."""
    finite = torch.vander(torch.tensor(POINTS[:size], dtype=torch.float64), terms, increasing=True)
    return torch.cat([finite, torch.eye(terms, dtype=torch.float64)[-1:]])


def _values(
    weight: Float[Tensor, "c o 4 4"],
    down: Float[Tensor, "p 2"],
    across: Float[Tensor, "q 2"],
    rows: tuple[int, int],
    columns: tuple[int, int],
) -> Float[Tensor, "p*q c o"]:
    """A kernel's taps at some rows and columns as values at all points, in float64."""
    taps = weight[:, :, rows][..., columns].double()
    return torch.einsum("pi,qj,coij->pqco", down.to(taps), across.to(taps), taps).flatten(0, 1).contiguous()


def _by_parity(interpolate: Float[Tensor, "s p"], to: int) -> Iterator[Float[Tensor, "r p"]]:
    """The rows that make the even places of `to`, and the odd places, which begin one later."""
    for parity in (0, 1):
        yield interpolate[parity : parity + (to - parity + 1) // 2]

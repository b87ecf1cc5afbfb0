"""Images at other places: shifts by whole pixels, and bilinear sampling under an affine map.

Both pick pixels, so they are linear in the image and differentiable any number of times; torch's own grid_sample
is only once. Beyond the border the image is reflected, as in Karras et al. 2020.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.augmentation.augmentation import Images

Matrix = Float[Tensor, "n 3 3"]  # maps (right, down, 1) from the centre of the output to the input
Lines = Float[Tensor, "n s"]


def reflected(places: Tensor, size: int) -> Tensor:
    """Places on a line of `size` pixels, those beyond its ends mirrored at the first and last pixel's centre."""
    last = size - 1
    if not last:
        return torch.zeros_like(places)
    return last - (places.remainder(2 * last) - last).abs()


def shifted(x: Images, down: Float[Tensor, " n"], right: Float[Tensor, " n"], fill: float | None = None) -> Images:
    """Images shifted by whole pixels; the border is reflected, or filled with one value."""
    height, width = x.shape[2:]
    rows, columns = _places(height, x) - down[:, None], _places(width, x) - right[:, None]
    moved = _picked(x, reflected(rows, height)[:, :, None], reflected(columns, width)[:, None])
    if fill is None:
        return moved
    return torch.where((_inside(rows, height)[:, :, None] & _inside(columns, width)[:, None])[:, None], moved, fill)


def warped(x: Images, matrix: Matrix) -> Images:
    """Images of which the pixel at q is x's value at `matrix`·q, interpolated between the four nearest pixels."""
    height, width = x.shape[2:]
    down, right = _places(height, x) - (height - 1) / 2, _places(width, x) - (width - 1) / 2
    (a, b, c), (d, e, f) = (matrix[:, row, :, None, None].unbind(1) for row in (0, 1))
    columns = a * right + b * down[:, None] + c + (width - 1) / 2  # n h w
    rows = d * right + e * down[:, None] + f + (height - 1) / 2
    return _sampled(x, reflected(rows, height), reflected(columns, width))


def product(a: Matrix, b: Matrix) -> Matrix:
    """a @ b in full precision under autocast, and exact where one is the identity."""
    return (a[:, :, :, None] * b[:, None]).sum(2)


def matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Matrix:
    """The affine maps ((a, b, c), (d, e, f), (0, 0, 1)) from numbers "n"."""
    zeros, ones = torch.zeros_like(a), torch.ones_like(a)
    return torch.stack([a, b, c, d, e, f, zeros, zeros, ones], 1).reshape(-1, 3, 3)


def scaling(right: Float[Tensor, " n"], down: Float[Tensor, " n"]) -> Matrix:
    """Map to an input that is larger by these factors, so the image becomes smaller by them."""
    zeros = torch.zeros_like(right)
    return matrix(right, zeros, zeros, zeros, down, zeros)


def turning(cosine: Float[Tensor, " n"], sine: Float[Tensor, " n"]) -> Matrix:
    """Map by a rotation about the centre."""
    zeros = torch.zeros_like(cosine)
    return matrix(cosine, -sine, zeros, sine, cosine, zeros)


def moving(right: Float[Tensor, " n"], down: Float[Tensor, " n"]) -> Matrix:
    """Map to an input shifted by these pixels."""
    ones, zeros = torch.ones_like(right), torch.zeros_like(right)
    return matrix(ones, zeros, right, zeros, ones, down)


def _places(size: int, x: Tensor) -> Float[Tensor, " s"]:
    return torch.arange(size, device=x.device, dtype=torch.float32)


def _inside(places: Lines, size: int) -> Tensor:
    return (places >= 0) & (places < size)


def _sampled(x: Images, rows: Float[Tensor, "n h w"], columns: Float[Tensor, "n h w"]) -> Images:
    top, left = rows.floor(), columns.floor()
    right, down = ((place - first)[:, None].to(x) for place, first in ((columns, left), (rows, top)))
    upper = torch.lerp(_picked(x, top, left), _picked(x, top, left + 1), right)
    lower = torch.lerp(_picked(x, top + 1, left), _picked(x, top + 1, left + 1), right)
    return torch.lerp(upper, lower, down)


def _picked(x: Images, rows: Float[Tensor, "n _ _"], columns: Float[Tensor, "n _ _"]) -> Images:
    """The pixels at whole places, "n h w" when broadcast; beyond the last row or column, the last.

    The derivative adds up what reaches one pixel, deterministically on every device.
    """
    height, width = x.shape[2:]
    places = (rows.clamp(max=height - 1) * width + columns.clamp(max=width - 1)).long().flatten(1)  # n hw
    pick = indexed if x.is_cuda else gathered
    return pick(x.flatten(2), places).reshape(x.shape)


def gathered(flat: Float[Tensor, "n c k"], places: Int[Tensor, "n k"]) -> Float[Tensor, "n c k"]:
    """Each image's numbers at its places; the derivative is deterministic on CPUs."""
    return flat.gather(2, places[:, None].expand(flat.shape))


def indexed(flat: Float[Tensor, "n c k"], places: Int[Tensor, "n k"]) -> Float[Tensor, "n c k"]:
    """The same; the derivative is deterministic on GPUs."""
    images = torch.arange(len(flat), device=flat.device)[:, None]
    return flat.transpose(1, 2)[images, places].transpose(1, 2)

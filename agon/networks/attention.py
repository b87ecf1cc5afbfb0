"""DRAW's readers and writers: through a grid of Gaussian filters on the image, or on the whole image.

Source: Gregor et al. 2015, section 3, with its equation numbers. Pixels count from 1, as in the paper.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.layers import flat

ImageBatch = Float[Tensor, "n c h w"]
Shape = tuple[int, int, int]


class Filters(NamedTuple):
    """A grid of k x k Gaussian filters for each image of a batch.

    Attributes:
        rows: F_Y, "n k h".
        columns: F_X, "n k w".
        intensity: γ, "n".
    """

    rows: Tensor
    columns: Tensor
    intensity: Tensor

    def read(self, image: ImageBatch) -> Float[Tensor, "n c k k"]:
        """γ F_Y x F_Xᵀ of every channel. Source: equation 27."""
        patch: Tensor = self.rows.unsqueeze(1) @ image @ self.columns.unsqueeze(1).mT
        return self.intensity.reshape(-1, 1, 1, 1) * patch

    def write(self, patch: Float[Tensor, "n c k k"]) -> ImageBatch:
        """1/γ F_Yᵀ w F_X of every channel. Source: equation 29."""
        image: Tensor = self.rows.unsqueeze(1).mT @ patch @ self.columns.unsqueeze(1)
        return image / self.intensity.reshape(-1, 1, 1, 1)


class Attention(nn.Module):
    """h -> the filters: (g̃_X, g̃_Y, log σ², log δ̃, log γ) = W h + b.

    Source: equations 21-24.

    Args:
        hidden: coordinates of h.
        shape: (channels, height, width) of the image.
        size: filters on a side of the grid, from 2.

    Raises:
        SettingError: the grid is smaller than 2 x 2, so its stride is undefined.
    """

    def __init__(self, hidden: int, shape: Shape, size: int) -> None:
        super().__init__()
        if size < 2:
            raise SettingError(f"size of an attention window: expected at least 2, or null for all pixels, got {size}")
        self.sides, self.size = shape[1:], size
        self.aim = nn.Linear(hidden, 5)

    def forward(self, hidden: Float[Tensor, "n k"]) -> Filters:
        x, y, log_variance, log_stride, log_intensity = self.aim(hidden).unbind(dim=1)
        height, width = self.sides
        stride = (max(height, width) - 1) / (self.size - 1) * log_stride.exp()  # equation 24
        rows = filterbank((height + 1) / 2 * (y + 1), stride, log_variance, self.size, height)  # equations 22, 23
        columns = filterbank((width + 1) / 2 * (x + 1), stride, log_variance, self.size, width)
        return Filters(rows, columns, log_intensity.exp())


def filterbank(
    centre: Float[Tensor, " n"], stride: Float[Tensor, " n"], log_variance: Float[Tensor, " n"], size: int, side: int
) -> Float[Tensor, "n {size} {side}"]:
    """F[i, a] = exp(-(a - μ_i)² / 2σ²) / Z_i with μ_i = g + (i - N/2 - ½) δ; every row sums to 1.

    A softmax over a computes this quotient, and stays finite even if a filter lies so far outside that all of
    its exponentials are 0. Source: equations 19, 20, 25, 26.

    Args:
        centre: g, centre of the grid, in pixels.
        stride: δ, distance between two filters, in pixels.
        log_variance: log σ² of each filter.
        size: N, filters on a side.
        side: pixels on a side.
    """
    numbers = torch.arange(1, size + 1, device=centre.device, dtype=centre.dtype)
    pixels = torch.arange(1, side + 1, device=centre.device, dtype=centre.dtype)
    means = centre.unsqueeze(1) + (numbers - size / 2 - 0.5) * stride.unsqueeze(1)  # n size
    distances = (pixels - means.unsqueeze(2)).square()  # n size side
    return torch.softmax(-distances / (2 * log_variance.exp().reshape(-1, 1, 1)), dim=2)


class WholeReader(nn.Module):
    """Read [x, x̂] unchanged. Source: equation 17.

    Args:
        hidden: unused, because reading the whole image needs no aim.
        shape: (channels, height, width) of the image.

    Attributes:
        outputs: coordinates of the output.
    """

    def __init__(self, hidden: int, shape: Shape) -> None:
        super().__init__()
        self.outputs = 2 * flat(shape)

    def forward(self, x: ImageBatch, error: ImageBatch, hidden: Float[Tensor, "n k"]) -> Float[Tensor, "n j"]:
        return torch.cat((x, error), dim=1).flatten(1)


class AttentiveReader(nn.Module):
    """Read γ [F_Y x F_Xᵀ, F_Y x̂ F_Xᵀ]. Source: equation 27. Arguments: see `Attention`, `outputs`: `WholeReader`."""

    def __init__(self, hidden: int, shape: Shape, size: int) -> None:
        super().__init__()
        self.attention = Attention(hidden, shape, size)
        self.outputs = 2 * shape[0] * size**2

    def forward(self, x: ImageBatch, error: ImageBatch, hidden: Float[Tensor, "n k"]) -> Float[Tensor, "n j"]:
        return self.attention(hidden).read(torch.cat((x, error), dim=1)).flatten(1)  # type: ignore[no-any-return]


class WholeWriter(nn.Module):
    """Write W h + b, a number for every pixel. Source: equation 18. Arguments as in `WholeReader`."""

    def __init__(self, hidden: int, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.paint = nn.Linear(hidden, flat(shape))

    def forward(self, hidden: Float[Tensor, "n k"]) -> ImageBatch:
        return self.paint(hidden).reshape(-1, *self.shape)  # type: ignore[no-any-return]


class AttentiveWriter(nn.Module):
    """Write 1/γ F_Yᵀ w F_X with the patch w = W h + b. Source: equations 28, 29. Arguments as in `Attention`."""

    def __init__(self, hidden: int, shape: Shape, size: int) -> None:
        super().__init__()
        self.attention = Attention(hidden, shape, size)
        self.patch = WholeWriter(hidden, (shape[0], size, size))

    def forward(self, hidden: Float[Tensor, "n k"]) -> ImageBatch:
        return self.attention(hidden).write(self.patch(hidden))  # type: ignore[no-any-return]

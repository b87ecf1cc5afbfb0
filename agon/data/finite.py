"""A finite set that is ready to be drawn from: on the device, or memory-mapped from the disk."""

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from agon.data.order import Order, part
from agon.data.source import RealBatch


def scaled(pixels: Num[Tensor, "n ..."], bounds: tuple[float, float]) -> Float[Tensor, "n ..."]:
    """Scale bytes to a range: x / 255 · (high - low) + low, in float32; 0 and 255 give the bounds exactly.

    >>> scaled(torch.tensor([0, 51, 255], dtype=torch.uint8), (-1.0, 1.0)).tolist()
    [-1.0, -0.6000000238418579, 1.0]
    """
    low, high = bounds
    if pixels.device.type != "cpu":
        return pixels.to(torch.float32).div_(255).mul_(high - low).add_(low)
    # the same arithmetic in this thread alone: torch would wake its other threads for 0.1 ms of work and wait
    # for them in each operation, which takes 10 times as long on a busy machine
    numbers = pixels.numpy().astype(np.float32)
    numbers /= np.float32(255)
    numbers *= np.float32(high - low)
    numbers += np.float32(low)
    return torch.from_numpy(numbers)


class Finite:
    """An `Opened` set of n samples with random access, drawn in the endless order of its seed.

    Args:
        samples: "n *shape". A tensor on the device is indexed there; a numpy array, such as a
            memory-map, or a tensor on the host is read row by row and sent to the device.
        labels: "n" int64, or None.
        rows: indices of the samples in the split, in their original order; None for all.
        bounds: the range to which bytes are scaled; None if the samples are floating-point numbers.
        seed: seed of the order.
        device: device of the draws.
        fingerprint: hex SHA-256 of the content.
    """

    def __init__(
        self,
        samples: Num[Tensor, "n ..."] | np.ndarray,
        *,
        labels: Int[Tensor, " n"] | None = None,
        rows: Int[Tensor, " m"] | None = None,
        bounds: tuple[float, float] | None = None,
        seed: int,
        device: torch.device | str,
        fingerprint: str,
    ) -> None:
        self.fingerprint = fingerprint
        if isinstance(samples, Tensor) and samples.device.type == "cpu":
            samples = samples.numpy()
        self._samples = samples
        self._labels = None if labels is None else labels.to(device)
        self._rows = rows
        self._bounds = bounds
        self._device = torch.device(device)
        self.count: int | None = len(samples) if rows is None else len(rows)
        self._order = Order(self.count, seed)

    @property
    def labels(self) -> Int[Tensor, " n"] | None:
        """The labels of the split, in the order in which they are stored; None without classes."""
        if self._labels is None or self._rows is None:
            return self._labels
        return self._labels[self._rows.to(self._device)]

    def draw(self, batch: int, index: int, rank: int, world: int) -> RealBatch:
        """The `rank`-th of `world` parts of batch number `index`.

        Raises:
            DataError: the set has fewer samples than one batch.
            SettingError: the batch does not divide into `world` parts.
        """
        real, label = self.stored(batch, index, rank, world)
        return RealBatch(real if self._bounds is None else scaled(real, self._bounds), label)

    def stored(self, batch: int, index: int, rank: int = 0, world: int = 1) -> RealBatch:
        """The same samples as they are stored: bytes where `draw` scales them."""
        rows = self._order(batch, index)[part(batch, rank, world)]
        if self._rows is not None:
            rows = self._rows[rows]
        real = self._gather(rows)
        return RealBatch(real, None if self._labels is None else self._labels[rows.to(self._device)])

    def _gather(self, rows: Int[Tensor, " b"]) -> Num[Tensor, "b ..."]:
        if isinstance(self._samples, Tensor):
            return self._samples.index_select(0, rows.to(self._samples.device))
        # sent as bytes and scaled there: a quarter of the traffic of float32
        return torch.from_numpy(self._samples[rows.numpy()]).to(self._device)

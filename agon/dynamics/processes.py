"""Several processes as one: means over processes, where there are any."""

import torch
import torch.distributed as dist
from torch import Tensor


def processes() -> int:
    """How many processes train together; 1 without torch.distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average(tensors: list[Tensor | None]) -> list[Tensor | None]:
    """The mean over processes of each tensor, by one collective; the tensors themselves if alone.

    The loss is a mean over the batch, and every process has an equal part of it, so the mean of the
    parts' gradients is the gradient of the whole.
    """
    count = processes()
    present = [t for t in tensors if t is not None]
    if count == 1 or not present:
        return tensors
    flat = torch.cat([t.flatten() for t in present])
    dist.all_reduce(flat)
    parts = iter(torch.split(flat / count, [t.numel() for t in present]))
    return [None if t is None else next(parts).view_as(t) for t in tensors]

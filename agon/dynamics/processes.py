"""Means over the processes that train together."""

from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from agon.networks.synchronised import total

T = TypeVar("T", Tensor, Tensor | None)


def processes() -> int:
    """How many processes train together; 1 without torch.distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average(tensors: Sequence[T]) -> list[T]:
    """Average each tensor over processes by one collective; with one process, return the tensors themselves.

    The loss is a mean over the batch, and every process has an equal part of the batch, so the mean of the
    parts' gradients is the gradient of the whole. The mean is differentiable, so this also holds for
    gradients through the look-ahead's inner steps, which depend on the samples of all processes.
    """
    count = processes()
    present = [t for t in tensors if t is not None]
    if count == 1 or not present:
        return list(tensors)
    mean = total(torch.cat([t.flatten() for t in present])) / count
    parts = iter(torch.split(mean, [t.numel() for t in present]))
    return [t if t is None else next(parts).view_as(t) for t in tensors]

"""Read memory-mapped arrays once, without keeping their pages in memory."""

import mmap

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

ROWS = 1024  # rows to copy at a time


def copied(images: Shaped[np.ndarray, "n ..."], rows: Int[np.ndarray, " m"]) -> Shaped[Tensor, "m ..."]:
    """Copy some rows of an array to a tensor in memory, with no second copy of them there."""
    copy = torch.from_numpy(np.empty((len(rows), *images.shape[1:]), images.dtype))
    for first in range(0, len(rows), ROWS):
        copy[first : first + ROWS] = torch.from_numpy(images[rows[first : first + ROWS]])
        forget(images)
    return copy


def forget(array: Shaped[np.ndarray, "..."]) -> None:
    """Release the pages of a memory-map that were read; the disk still has them. Other arrays are left alone."""
    base: object = array
    while base is not None:
        mapped = getattr(base, "_mmap", None)
        if mapped is not None and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)
            return
        base = getattr(base, "base", None)

"""Reading memory-mapped arrays once through, without keeping in memory what was read."""

import mmap

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

ROWS = 1024  # copied at a time


def copied(images: Shaped[np.ndarray, "n ..."], rows: Int[np.ndarray, " m"]) -> Shaped[Tensor, "m ..."]:
    """Some rows of an array as a tensor in memory, with never a second copy of them there."""
    here = torch.from_numpy(np.empty((len(rows), *images.shape[1:]), images.dtype))
    for first in range(0, len(rows), ROWS):
        here[first : first + ROWS] = torch.from_numpy(images[rows[first : first + ROWS]])
        forget(images)
    return here


def forget(array: Shaped[np.ndarray, "..."]) -> None:
    """Let go of the pages that were read of a memory-map: the disk still has them. Other arrays are left alone."""
    base: object = array
    while base is not None:
        mapped = getattr(base, "_mmap", None)
        if mapped is not None and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)
            return
        base = getattr(base, "base", None)

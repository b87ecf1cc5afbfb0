"""Freed memory is kept for the next step."""

import ctypes
import os
import sys

TRIM, MAP = -1, -3  # glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD
KEPT, LARGEST = 512 * 2**20, 32 * 2**20  # bytes; glibc allows no more than the latter
OWN = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"}


def keep_freed_memory() -> None:
    """Let glibc keep what a step frees, where it would give memory back and ask for it again in every step.

    That is zeroed page by page, which took 6 % of an unrolled step on points. Nothing is kept that was not in use
    before, so the peak stays. Settings of your own, in glibc's environment variables, are left as they are.
    """
    if not sys.platform.startswith("linux") or OWN & os.environ.keys():
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(MAP, LARGEST)
        mallopt(TRIM, KEPT)

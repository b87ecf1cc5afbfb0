"""Say so where few held-out samples decide who wins."""

import math

from agon.terminal import warn

FEW = 300  # real samples, with which an area of 0.5 is known to ±0.03 at best


def advise_on_few(n_real: int | None, n: int) -> None:
    """Print a line of advice if far fewer held-out real samples are compared with than were asked for.

    An area of 0.5 has the standard error 1 / sqrt(12 n_real) at least, however many samples are generated.

    Args:
        n_real: number of real samples; None if none are compared with.
        n: number that was asked for.
    """
    if n_real is not None and n_real < min(n, FEW):
        half = 1.96 / math.sqrt(12 * max(n_real, 1))
        warn(
            f"agon: only {n_real} held-out real samples are compared with, where {n:,} were asked for, so areas are "
            f"known to ±{half:.2g} at best; hold out more in the next trainings, e.g. with --set data.holdout=0.3"
        )

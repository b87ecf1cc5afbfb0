"""Whether samples change evenly while a latent moves evenly."""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.errors import DataError
from agon.metrics.blocks import flat
from agon.metrics.intervals import NORMAL
from agon.metrics.score import Score


def path_smoothness(images: Shaped[Tensor, "p s ..."], name: str) -> tuple[Score, Score]:
    """How straight, and how even, the samples' paths are along which a latent moves in equal steps.

    With x_1, ..., x_s the samples of one path and l_t = |x_{t+1} - x_t| its steps (Euclidean):

    * "NAME-straightness", 0 to 1: |x_s - x_1| / Σ l_t, how directly one end goes over into the other. 1 is a
      straight line (a cross-fade, too); a detour makes it less, a path that comes back to where it began 0.
    * "NAME-jump", 1 to s - 1: max l_t / mean l_t. 1 is an even motion; s - 1 that nothing moves but in
      one jump, as between memorised samples or modes.

    Both are means over the paths, with their standard errors over paths, and have no unit: neither the scale of the
    images nor the length of a path matters. Neither knows what is in an image: noise that does not depend
    on the latent has even steps and a straightness of about 1 / (s - 1). A path that does not move at all, as a
    collapsed generator's, has neither figure: it is left out, and told in the protocol.

    Args:
        images: p paths of s >= 3 samples of any shape, uint8 or floating.
        name: of the path, such as "linear" or "spherical".

    Raises:
        DataError: no paths, paths of fewer than 3 samples, numbers that are not finite, or no path that moves.

    >>> even = torch.arange(5.0).reshape(1, 5, 1)
    >>> [score.value for score in path_smoothness(even, "linear")]
    [1.0, 1.0]
    """
    if images.ndim < 3 or images.shape[1] < 3:
        raise DataError(
            f"{name} paths: expected p paths of at least 3 samples, 'p s ...', got the shape {tuple(images.shape)}"
        )
    p, s = images.shape[:2]
    rows = flat(images.flatten(0, 1), f"{name} paths")
    found = torch.stack([_lengths(path.double()) for path in rows.reshape(p, s, -1)])  # p 3
    moving = found[found[:, 1] > 0]
    if not len(moving):
        raise DataError(f"{name} paths: expected samples that change with the latent, got {p} paths of copies of one")
    ends, total, largest = moving.T
    still = f"; {p - len(moving)} of {p} do not move" if len(moving) < p else ""
    rule = f"{p} paths of {s} samples{still}"
    return (
        _mean(f"{name}-straightness", (ends / total).clamp(max=1), 0.0, 1.0, p * s, f"end to end / length; {rule}"),
        _mean(f"{name}-jump", largest * (s - 1) / total, 1.0, s - 1.0, p * s, f"largest / mean step; {rule}"),
    )


def _lengths(path: Float[Tensor, "s d"]) -> Float[Tensor, " 3"]:
    """From end to end, along the path, and of the largest step."""
    steps = torch.linalg.vector_norm(path.diff(dim=0), dim=1)
    return torch.stack([torch.linalg.vector_norm(path[-1] - path[0]), steps.sum(), steps.max()])


def _mean(name: str, values: Float[Tensor, " p"], low: float, high: float, n: int, protocol: str) -> Score:
    """Their mean within [low, high]; no error where there is one path."""
    values = values.clamp(low, high)  # which rounding may leave
    mean, p = float(values.mean()), len(values)
    error = float(values.std()) / math.sqrt(p) if p > 1 else None
    interval = None if error is None else (max(low, mean - NORMAL * error), min(high, mean + NORMAL * error))
    return Score(
        name=name,
        value=mean,
        error=error,
        interval=interval,
        n=n,
        protocol=protocol,
        detail={"paths": p, "quartiles": values.quantile(values.new_tensor([0.25, 0.5, 0.75])).tolist()},
    )

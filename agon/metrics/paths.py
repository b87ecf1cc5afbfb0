"""Whether samples change evenly while a latent moves evenly."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import mean_score, share_score
from agon.metrics.pairwise import flat
from agon.metrics.score import Score


def path_smoothness(images: Shaped[Tensor, "p s ..."], name: str) -> tuple[Score, ...]:
    """How straight, and how even, the samples' paths are along which a latent moves in equal steps.

    With x_1, ..., x_s the samples of one path and l_t = |x_{t+1} - x_t| its steps (Euclidean):

    * "NAME-straightness", 0 to 1: |x_s - x_1| / Σ l_t, how directly one end goes over into the other. 1 is a
      straight line (a cross-fade, too); a detour makes it less, a path that comes back to where it began 0.
    * "NAME-jump", 1 to s - 1: max l_t / mean l_t. 1 is an even motion; s - 1 that nothing moves but in
      one jump, as between memorised samples or modes.

    * "NAME-still", 0 to 1: the share of paths that do not move at all, with Wilson's interval; 1 for a generator that
      has collapsed to one sample.

    The first two are means over the paths that move, with their standard errors over paths, and have no unit: neither
    the scale of the images nor the length of a path matters. Neither knows what is in an image: noise that does not
    depend on the latent has even steps and a straightness of about 1 / (s - 1).

    Args:
        images: p paths of s >= 3 samples of any shape, uint8 or floating.
        name: of the path, such as "linear" or "spherical".

    Returns:
        The three in this order; the last one alone where no path moves, since the others are then of nothing.

    Raises:
        DataError: no paths, paths of fewer than 3 samples, or numbers that are not finite.

    >>> even = torch.arange(5.0).reshape(1, 5, 1)
    >>> [score.value for score in path_smoothness(even, "linear")]
    [1.0, 1.0, 0.0]
    >>> [(score.name, score.value) for score in path_smoothness(0 * even, "linear")]
    [('linear-still', 1.0)]
    """
    if images.ndim < 3 or images.shape[1] < 3:
        raise DataError(
            f"{name} paths: expected p paths of at least 3 samples, 'p s ...', got the shape {tuple(images.shape)}"
        )
    p, s = images.shape[:2]
    rows = flat(images.flatten(0, 1), f"{name} paths")
    found = torch.stack([_lengths(path.double()) for path in rows.reshape(p, s, -1)])  # p 3
    moves, rule = found[:, 1] > 0, f"{p} paths of {s} samples"
    still = share_score(f"{name}-still", ~moves, f"share of paths that do not move; {rule}", n=p * s)
    if not bool(moves.any()):
        return (still,)
    ends, total, largest = found[moves].T
    rule = f"of those that move of {rule}"
    return (
        _mean(f"{name}-straightness", ends / total, (0.0, 1.0), p * s, f"end to end / length; {rule}"),
        _mean(f"{name}-jump", largest * (s - 1) / total, (1.0, s - 1.0), p * s, f"largest / mean step; {rule}"),
        still,
    )


def _lengths(path: Float[Tensor, "s d"]) -> Float[Tensor, " 3"]:
    """From end to end, along the path, and of the largest step."""
    steps = torch.linalg.vector_norm(path.diff(dim=0), dim=1)
    return torch.stack([torch.linalg.vector_norm(path[-1] - path[0]), steps.sum(), steps.max()])


def _mean(name: str, values: Float[Tensor, " p"], bounds: tuple[float, float], n: int, protocol: str) -> Score:
    """Their mean, with how they are spread."""
    values = values.clamp(*bounds)  # which rounding may leave
    quartiles = values.quantile(values.new_tensor([0.25, 0.5, 0.75])).tolist()
    return mean_score(name, values, protocol, n=n, bounds=bounds, detail={"paths": len(values), "quartiles": quartiles})

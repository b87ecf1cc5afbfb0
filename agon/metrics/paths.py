"""Path smoothness: do samples change evenly while a latent moves evenly?"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import mean_score, share_score
from agon.metrics.pairwise import flat
from agon.metrics.score import Score


def path_smoothness(images: Shaped[Tensor, "p s ..."], name: str) -> tuple[Score, ...]:
    """How straight and how even the samples' paths are while the latent moves in equal steps.

    Let x_1, ..., x_s be the samples of one path and l_t = |x_{t+1} - x_t| its Euclidean steps:

    * "NAME-straightness", 0 to 1: |x_s - x_1| / Σ l_t. A straight line gets 1 (so does a cross-fade); a detour lowers
      it; a path that returns to its start gets 0.
    * "NAME-jump", 1 to s - 1: max l_t / mean l_t. Even motion gets 1; a path that moves in a single jump, as between
      memorised samples or modes, gets s - 1.
    * "NAME-still", 0 to 1: the share of paths that do not move at all, with Wilson's interval; a generator that has
      collapsed to one sample gets 1.

    The first two are means over the paths that move, with standard errors over paths. They have no unit: neither the
    images' scale nor a path's length matters. Neither looks at content: noise that does not depend on the latent has
    even steps, and a straightness of about 1 / (s - 1).

    Args:
        images: p paths of s >= 3 samples of any shape, uint8 or floating.
        name: names the kind of path, such as "linear" or "spherical".

    Returns:
        The three scores in this order; only the last one if no path moves.

    Raises:
        DataError: there are no paths, a path has fewer than 3 samples, or numbers are not finite.

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
    lengths = torch.stack([_lengths(path.double()) for path in rows.reshape(p, s, -1)])  # p 3
    moving, rule = lengths[:, 1] > 0, f"{p} paths of {s} samples"
    still = share_score(f"{name}-still", ~moving, f"share of paths that do not move; {rule}", n=p * s)
    if not bool(moving.any()):
        return (still,)
    end_to_end, total, largest = lengths[moving].T
    rule = f"of those that move of {rule}"
    return (
        _mean(f"{name}-straightness", end_to_end / total, (0.0, 1.0), p * s, f"end to end / length; {rule}"),
        _mean(f"{name}-jump", largest * (s - 1) / total, (1.0, s - 1.0), p * s, f"largest / mean step; {rule}"),
        still,
    )


def _lengths(path: Float[Tensor, "s d"]) -> Float[Tensor, " 3"]:
    """Three lengths: from end to end, along the path, and of the largest step."""
    steps = torch.linalg.vector_norm(path.diff(dim=0), dim=1)
    return torch.stack([torch.linalg.vector_norm(path[-1] - path[0]), steps.sum(), steps.max()])


def _mean(name: str, values: Float[Tensor, " p"], bounds: tuple[float, float], n: int, protocol: str) -> Score:
    """The mean of the values, with their quartiles in the detail."""
    values = values.clamp(*bounds)  # which rounding may leave
    quartiles = values.quantile(values.new_tensor([0.25, 0.5, 0.75])).tolist()
    return mean_score(name, values, protocol, n=n, bounds=bounds, detail={"paths": len(values), "quartiles": quartiles})

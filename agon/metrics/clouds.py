"""Clouds of points over a training: their distances to the data, and their movement."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import require
from agon.metrics.intervals import mean_score
from agon.metrics.score import Score

TO_DATA, FROM_DATA = "distance-to-data", "distance-from-data"


def nearest_distances(fake: Float[Tensor, "n d"], real: Float[Tensor, "m d"]) -> tuple[Score, Score]:
    """Mean distance of generated points to the data (their quality), and of the data to them (their coverage).

    * "distance-to-data": 1/n Σ_i min_j |x_i - y_j|, 0 if all generated points are real ones. A collapsed
      generator can reach 0, too.
    * "distance-from-data": 1/m Σ_j min_i |x_i - y_j|, 0 if every real point is generated.

    Args:
        fake: generated points x.
        real: real points y.

    >>> [score.value for score in nearest_distances(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [0.0, 2.0]]))]
    [0.0, 1.0]
    """
    ways = ((TO_DATA, fake, real, "generated"), (FROM_DATA, real, fake, "training"))
    to_data, from_data = (
        mean_score(
            name,
            nearest_in_tree(queries, others),
            f"mean over {whose} points of the distance to the nearest one of the other kind",
            n=len(fake),
            n_real=len(real),
        )
        for name, queries, others, whose in ways
    )
    return to_data, from_data


def nearest_in_tree(queries: Float[Tensor, "n d"], others: Float[Tensor, "m d"]) -> Float[Tensor, " n"]:
    """min_j |x_i - y_j| in float64, by a k-d tree; in the plane it is 100 times as fast as `nearest_neighbours`."""
    require("scipy")
    from scipy.spatial import KDTree

    return torch.from_numpy(KDTree(others.double().numpy()).query(queries.double().numpy())[0])


def early_distance(clouds: Sequence[Float[Tensor, "n d"]], real: Float[Tensor, "m d"]) -> Score:
    """Mean distance between points and data early in a training: "early-distance", from 0.

    The mean of "distance-to-data" and "distance-from-data" over these snapshots; lower means faster training.

    Args:
        clouds: the points of fixed latents in each snapshot of the training's first quarter; at least 1.
        real: real points.
    """
    values = [score.value for cloud in clouds for score in nearest_distances(cloud, real)]
    return Score(
        name="early-distance",
        value=fmean(values),
        n=len(clouds[0]),
        n_real=len(real),
        protocol=f"mean of {TO_DATA} and {FROM_DATA} over the looks of the first quarter of the training",
    )


def movements(clouds: Sequence[Float[Tensor, "n d"]]) -> tuple[Score, Score]:
    """How far points move between snapshots, x_i(t) -> x_i(t + 1); means over the T - 1 pairs of neighbours.

    * "movement": mean_i |x_i(t + 1) - x_i(t)|, how far a latent's point moves.
    * "shift": |mean_i (x_i(t + 1) - x_i(t))|, how far the centre of all points moves; at most the movement.

    Args:
        clouds: the points of fixed latents in each of T snapshots; a single one, of networks that were never trained,
            moves by 0.

    Source: yamazaki2017, section 5.1: points that "oscillate", in a number.

    >>> [score.value for score in movements([torch.zeros(2, 2), torch.tensor([[3.0, 4.0], [-3.0, -4.0]])])]
    [5.0, 0.0]
    """
    moved = [float((after - before).norm(dim=1).mean()) for before, after in pairwise(clouds)] or [0.0]
    shifted = [float((after - before).mean(dim=0).norm()) for before, after in pairwise(clouds)] or [0.0]
    how = f"from one look to the next, mean of {len(clouds) - 1}"
    n = len(clouds[0])
    return (
        Score(name="movement", value=fmean(moved), n=n, protocol=f"mean move of a latent's point {how}"),
        Score(name="shift", value=fmean(shifted), n=n, protocol=f"move of the mean of all points {how}"),
    )

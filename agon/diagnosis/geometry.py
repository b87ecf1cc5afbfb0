"""Distances among samples and between sets of samples, in units of the real ones' own; arrays "n d" of float64."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import NamedTuple, TypeVar
from weakref import ref

import numpy as np
from jaxtyping import Float64

Samples = Float64[np.ndarray, "_ _"]  # "n d"
MOST = 256  # samples of a set in a matrix of distances: the mean of 32,640 of them is within a few percent


Number = TypeVar("Number")


def remembered(measure: Callable[..., Number]) -> Callable[..., Number]:
    """Return the same function of objects, which computes its value once for as long as all of them live.

    Several looks ask for the same distances, and alarms ask again at each look. The objects must not change.
    """
    known: dict[tuple[int, ...], tuple[Number, list[ref[object]]]] = {}

    @wraps(measure)
    def lookup(*objects: object) -> Number:
        key = tuple(map(id, objects))
        if key not in known:
            value = measure(*objects)
            known[key] = value, [ref(each, lambda _: known.pop(key, None)) for each in objects]
        return known[key][0]

    return lookup


class Travel(NamedTuple):
    """How centres move from look to look.

    Attributes:
        reach: largest distance of two of them.
        path: sum of the distances from each to the next: equal to the reach on a straight line, and many times it in
            a circle that is run through again and again.
    """

    reach: float
    path: float


def distances(x: Samples, y: Samples) -> np.ndarray:
    """|x_i - y_j| of the first `MOST` of both, "n m"; both are centred first, which keeps the digits of the small."""
    x, y = x[:MOST], y[:MOST]
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * x @ y.T
    lengths: np.ndarray = np.sqrt(np.maximum(squares, 0.0))
    return lengths


@remembered
def spread(x: Samples) -> float:
    """E|x - x'|, the mean distance of two different samples; 0 for fewer than two."""
    n = len(x[:MOST])
    return float(distances(x, x)[~np.eye(n, dtype=bool)].mean()) if n > 1 else 0.0


@remembered
def energy(x: Samples, real: Samples) -> float:
    """(2 E|x - y| - E|x - x'| - E|y - y'|) / E|y - y'| of samples x and real samples y.

    It is 0 on average for other real samples, whatever their distribution, and above 0 for any other distribution
    (Székely and Rizzo 2013). It is 1 where all samples are at one real sample's typical place.
    """
    unit = spread(real)
    return float(2 * distances(x, real).mean() - spread(x) - unit) / unit


def travel(centres: Sequence[np.ndarray]) -> Travel:
    """How far centres of samples get, and how long their path is."""
    points = np.stack(centres)
    reach = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2)).max()
    path = np.sqrt((np.diff(points, axis=0) ** 2).sum(axis=1)).sum()
    return Travel(float(reach), float(path))

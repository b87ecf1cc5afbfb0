"""Several runs by their errors on the same images: who is best how often, and where two differ most."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import wilson
from agon.metrics.score import Score


def best_rank(errors: Mapping[str, Float[Tensor, " n"]]) -> dict[str, Score]:
    """Per cent of images of which each of several runs has the lowest error, "best-rank"; together they are 100.

    Runs that share the lowest error of an image get equal parts of it. The standard error is binomial.

    Args:
        errors: name of a run -> its errors on the same images, in the same order.

    Raises:
        DataError: no runs, no images, errors of other numbers of images, or that are not finite.

    Source: metz2017, table 1, "percent best rank".

    >>> shares = best_rank({"a": torch.tensor([1.0, 1.0]), "b": torch.tensor([2.0, 1.0])})
    >>> {name: score.value for name, score in shares.items()}
    {'a': 75.0, 'b': 25.0}
    """
    sizes = {len(each) for each in errors.values()}
    if len(sizes) != 1 or not min(sizes):
        raise DataError(f"best rank: expected the errors of runs on the same images, got {sorted(sizes)} of them")
    table = torch.stack([each.detach().cpu().double() for each in errors.values()])  # runs n
    if not bool(table.isfinite().all()):
        raise DataError("best rank: expected finite errors, got some that are not")
    lowest = table == table.amin(0)
    shares = (lowest / lowest.sum(0)).mean(1, dtype=torch.float64)
    among = f"among {', '.join(errors)}; {100 / len(table):.3g} if they are alike"
    return {name: _per_cent(float(share), table.shape[1], among) for name, share in zip(errors, shares, strict=True)}


def by_fractional_difference(a: Float[Tensor, " n"], b: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The numbers of images in the order of falling |a - b| / ½(a + b): where two runs differ most comes first.

    Args:
        a: errors of one run, 0 or more.
        b: of the other, on the same images.

    Raises:
        DataError: other numbers of images, or errors that are negative or not finite.

    Source: metz2017, section 3.3.1 and figure 4.

    >>> by_fractional_difference(torch.tensor([1.0, 1.0, 0.0]), torch.tensor([1.1, 3.0, 0.0]))
    tensor([1, 0, 2])
    """
    if a.shape != b.shape:
        raise DataError(f"fractional difference: expected errors on the same images, got {len(a)} and {len(b)}")
    a, b = a.detach().cpu().double(), b.detach().cpu().double()
    if not bool((a.isfinite() & b.isfinite() & (a >= 0) & (b >= 0)).all()):
        raise DataError("fractional difference: expected errors of 0 or more, got some that are not")
    difference = torch.where(a + b > 0, (a - b).abs() / (0.5 * (a + b)), 0.0)
    return difference.argsort(descending=True, stable=True)


def _per_cent(share: float, n: int, among: str) -> Score:
    low, high = wilson(share, n)
    return Score(
        name="best-rank",
        value=100 * share,
        error=100 * math.sqrt(share * (1 - share) / n),
        interval=(100 * low, 100 * high),
        n=n,
        n_real=n,
        protocol=f"per cent of images with the lowest error {among}",
    )

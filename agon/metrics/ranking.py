"""Rank runs by their errors on the same images: how often each is best, and where two differ most."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from agon.errors import DataError
from agon.metrics.intervals import share_error, wilson
from agon.metrics.score import Score


def best_rank(errors: Mapping[str, Float[Tensor, " n"]]) -> dict[str, Score]:
    """The percentage of images on which each run has the lowest error; the percentages sum to 100.

    Runs that share the lowest error on an image get equal parts of it. The standard error is binomial.

    Args:
        errors: maps each run's name to its errors on the same images, in the same order.

    Returns:
        A Score "best-rank", 0 to 100, for each run's name.

    Raises:
        DataError: there are no runs or no images, numbers of images differ, or errors are not finite.

    Source: metz2017, table 1, "percent best rank".

    >>> shares = best_rank({"a": torch.tensor([1.0, 1.0]), "b": torch.tensor([2.0, 1.0])})
    >>> {name: score.value for name, score in shares.items()}
    {'a': 75.0, 'b': 25.0}
    """
    sizes = {len(run_errors) for run_errors in errors.values()}
    if len(sizes) != 1 or not min(sizes):
        raise DataError(f"best rank: expected the errors of runs on the same images, got {sorted(sizes)} of them")
    table = torch.stack([run_errors.detach().cpu().double() for run_errors in errors.values()])  # runs n
    if not bool(table.isfinite().all()):
        raise DataError("best rank: expected finite errors, got some that are not")
    lowest = table == table.amin(0)
    shares = (lowest / lowest.sum(0)).mean(1, dtype=torch.float64)
    among = f"among {', '.join(errors)}; {100 / len(table):.3g} if they are alike"
    return {name: _per_cent(float(share), table.shape[1], among) for name, share in zip(errors, shares, strict=True)}


def by_fractional_difference(a: Float[Tensor, " n"], b: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Sort images by falling |a - b| / ½(a + b): the images on which two runs differ most come first.

    Args:
        a: the errors of one run, 0 or more.
        b: the errors of the other run on the same images.

    Returns:
        The indices of the images.

    Raises:
        DataError: numbers of images differ, or errors are negative or not finite.

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
        error=100 * share_error(share, n),
        interval=(100 * low, 100 * high),
        n=n,
        n_real=n,
        protocol=f"per cent of images with the lowest error {among}",
    )

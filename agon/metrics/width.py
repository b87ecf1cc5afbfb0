"""The mean and the width of points on a line."""

import math

from jaxtyping import Float
from torch import Tensor

from agon.metrics.intervals import mean_score
from agon.metrics.score import Score


def mean_and_width(samples: Float[Tensor, "n 1"], std: float) -> tuple[Score, Score]:
    """The mean of samples, and their standard deviation divided by the data's.

    * "mean": x̄ = 1/n Σ x_i, with its standard error.
    * "std-ratio", from 0: s / σ with s² = 1/n Σ (x_i - x̄)²; below 1 if samples are narrower than the data. Its
      standard error √(1/n Σ ((x_i - x̄)² - s²)²) / (2 s σ √n) holds for independent samples of any distribution. It
      is not known of samples that are all the same.

    Args:
        samples: at least 2.
        std: standard deviation σ of the data, above 0.

    Source: tabak2016, section 3.1: generated distributions are "narrower", in a number.

    >>> import torch
    >>> mean, width = mean_and_width(torch.tensor([[1.0], [3.0]]), std=2.0)
    >>> mean.value, width.value
    (2.0, 0.5)
    """
    n, values = len(samples), samples.double().flatten()
    squares = (values - values.mean()).square()  # n
    variance = float(squares.mean())
    spread = float((squares - variance).square().mean().sqrt())
    error = spread / (2 * math.sqrt(n * variance)) / std if variance else None
    return (
        mean_score("mean", values, "of the samples", n=n, bounds=(-math.inf, math.inf)),
        Score(
            name="std-ratio",
            value=math.sqrt(variance) / std,
            error=error,
            n=n,
            protocol="standard deviation of samples by the data's",
        ),
    )

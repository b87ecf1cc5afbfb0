"""The mean and the width of points on a line."""

import math

import pytest
import torch

from agon.data import Gaussian
from agon.metrics.width import mean_and_width


@pytest.mark.parametrize("std", [0.1, 0.5, 2.0])
def test_a_narrow_generator_is_told_with_its_error(std: float) -> None:
    """Of a normal sample the error of a deviation is σ/√(2n); a wide one is above 1, a narrow one below."""
    n = 20_000
    mean, width = mean_and_width(Gaussian(mean=1.0, std=std).take(n).real, std=0.5)
    assert mean.value == pytest.approx(1.0, abs=5 * std / math.sqrt(n))
    assert width.error == pytest.approx(std / 0.5 / math.sqrt(2 * n), rel=0.05)
    assert width.value == pytest.approx(std / 0.5, abs=5 * width.error)


def test_samples_that_are_all_the_same_have_no_width() -> None:
    mean, width = mean_and_width(torch.full((10, 1), 3.0), std=0.5)
    assert (mean.value, width.value, width.error) == (3.0, 0.0, None)

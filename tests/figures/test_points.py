"""Points in one panel: what is inside of the frame is drawn, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image

from agon.figures.points import frame_of, inside, points_png

RED = "#d00000"


def red(png: bytes) -> np.ndarray:
    """Where a picture is red."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)
    return (pixels[..., 0] > 150) & (pixels[..., 1] < 100) & (pixels[..., 3] > 0)


def test_the_frame_is_around_the_finite_points() -> None:
    points = np.array([[0.0, 0.0], [4.0, 2.0], [np.nan, 100.0]])
    assert frame_of(points).tolist() == [[-1.0, -0.5], [5.0, 2.5]]
    assert frame_of(points[2:]).tolist() == [[-1.0, -1.0], [1.0, 1.0]]
    assert inside(points, frame_of(points)).tolist() == [True, True, False]


@pytest.mark.parametrize("d", [1, 2, 3])
def test_points_are_where_they_are_and_those_outside_are_nowhere(d: int) -> None:
    """A cloud at the right of the frame is drawn there; one far outside of it leaves the picture without red."""
    frame = np.array([[-1.0] * d, [1.0] * d])
    cloud = 0.5 + 0.05 * np.random.default_rng(0).normal(size=(200, d))
    png, height = points_png(cloud, frame, width=360, ink=RED, bare=True)
    assert height == (252 if d == 1 else 360)
    seen = red(png)
    assert np.argwhere(seen)[:, 1].mean() > 0.6 * seen.shape[1]
    away, _ = points_png(cloud + 100, frame, width=360, ink=RED, bare=True)
    assert not red(away).any()

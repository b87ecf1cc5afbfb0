"""Points in one panel: what is inside of the frame is drawn, and nothing else."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from agon.figures.points import MARGIN, MOST, frame_of, inside, points_svg

RED = "#d00000"


def dots(svg: str) -> np.ndarray:
    """Where the samples are drawn, "n 2" in CSS pixels."""
    paths = [path.get("d", "") for path in ElementTree.fromstring(svg).iter() if path.get("stroke") == RED]
    return np.array([[float(x), float(y)] for path in paths for x, y in re.findall(r"M([\d.]+) ([\d.]+)", path)])


def test_the_frame_is_around_the_finite_points() -> None:
    points = np.array([[0.0, 0.0], [4.0, 2.0], [np.nan, 100.0]])
    assert frame_of(points) == pytest.approx(np.array([[-4 * MARGIN, -2 * MARGIN], [4 + 4 * MARGIN, 2 + 2 * MARGIN]]))
    assert frame_of(points[2:]).tolist() == [[-1.0, -1.0], [1.0, 1.0]]
    assert inside(points, frame_of(points)).tolist() == [True, True, False]


@pytest.mark.parametrize("d", [2, 3])
def test_a_cloud_of_1000_points_fills_its_panel(d: int) -> None:
    """Points on a circle reach from border to border, all of them, where they are."""
    angle = np.linspace(0, 2 * np.pi, 1_000, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle), *[angle] * (d - 2)], 1)
    svg, height = points_svg(circle, frame_of(circle), width=360, ink=RED)
    drawn = dots(svg)
    assert (height, len(drawn)) == (360, 1_000)
    assert np.ptp(drawn, axis=0).min() > 0.8 * 360
    centre = (drawn.max(0) + drawn.min(0)) / 2
    radii = np.linalg.norm(drawn - centre, axis=1)
    assert np.ptp(radii) < 0.5, "a circle stays a circle"
    assert len(dots(points_svg(np.repeat(circle, 3, axis=0), frame_of(circle), width=360, ink=RED)[0])) == MOST


@pytest.mark.parametrize("d", [2, 3])
def test_points_are_where_they_are_and_those_outside_are_nowhere(d: int) -> None:
    """A cloud at the upper right of the frame is drawn there; one far outside of it is not drawn."""
    frame = np.array([[-1.0] * d, [1.0] * d])
    cloud = 0.5 + 0.05 * np.random.default_rng(0).normal(size=(200, d))
    drawn = dots(points_svg(cloud, frame, width=360, ink=RED, bare=True)[0])
    assert drawn.mean(0) == pytest.approx([270, 90], abs=5)
    assert len(dots(points_svg(cloud + 100, frame, width=360, ink=RED, bare=True)[0])) == 0


def test_one_coordinate_is_a_density() -> None:
    """Its steps have the area of the points inside, whatever their number."""
    frame = np.array([[0.0], [1.0]])
    points = np.random.default_rng(0).uniform(0, 0.5, (5_000, 1))
    svg, height = points_svg(points, frame, width=360, ink=RED, real=points[:100], bare=True)
    (steps,) = [path.get("d", "") for path in ElementTree.fromstring(svg).iter() if path.get("stroke") == RED]
    levels = np.array([float(level) for level in re.findall(r"V([\d.]+)H", steps)])
    assert height == 216
    assert (levels[:30] < 0.8 * height).all()
    assert (levels[30:] == height - 1).all()
    outside = points_svg(points + 9, frame, width=360, ink=RED)[0]
    assert RED not in outside

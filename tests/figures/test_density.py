"""Heat maps: an exact kernel density, each panel on its own scale, what is out of sight told."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm

from agon.errors import SettingError
from agon.figures import density
from agon.figures.density import CELLS, SMOOTH, density_png, frame_around

FRAME = np.array([[-3.0, -3.0], [3.0, 3.0]])
SIDE = 6.0


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def cloud(x: float, y: float, n: int = 50, std: float = 0.2) -> np.ndarray:
    return np.array([x, y]) + std * np.random.default_rng(0).normal(size=(n, 2))


def test_it_is_the_kernel_density() -> None:
    """Against the sum written out, in a cell here and there, up to the kernel's factor."""
    points = cloud(0.5, -1.0)
    heat = density.density(points, FRAME)
    for row, column in ((0, 0), (40, 90), (53, 93), (159, 7)):
        cell = -3 + SIDE * (np.array([column, row]) + 0.5) / CELLS  # x by column, y by row
        kernel = norm.pdf(cell, points, SMOOTH * SIDE) / norm.pdf(0, 0, SMOOTH * SIDE)
        assert heat[row, column] == pytest.approx(kernel.prod(axis=1).sum())


def test_the_mass_is_where_the_points_are() -> None:
    """y upwards, x to the right: the darkest pixels of the panel, and no others, are at the cloud."""
    row = [cloud(1.5, 2.0), cloud(0, 0)]
    picture = pixels(density_png({"": row}, ["here", "data"], frame=FRAME)).astype(int)
    scale = density.DENSITY
    left, top = density.LEFT * scale, density.TOP * scale
    panel = picture[top : top + density.PANEL * scale, left : left + density.PANEL * scale].sum(axis=2)
    y, x = np.argwhere(panel < 150).mean(axis=0) / (density.PANEL * scale)
    assert (x, 1 - y) == pytest.approx(((1.5 + 3) / 6, (2.0 + 3) / 6), abs=0.02)


def test_each_panel_has_its_own_scale() -> None:
    """Ten times the same points is the same picture."""
    few, many = cloud(1, 1), np.tile(cloud(1, 1), (10, 1))
    one, ten = (density_png({"K = 0": [points, few]}, ["0", "data"], frame=FRAME) for points in (few, many))
    assert np.abs(pixels(one).astype(int) - pixels(ten)).max() <= 1
    assert density_png({"K = 0": [few, few]}, ["0", "data"], frame=FRAME) == one, "the same bytes each time"


def test_a_cloud_out_of_sight_is_told() -> None:
    """Blank but for its words: neither NaNs nor a far tail blown up to full colour are drawn."""
    lost = np.full((50, 2), np.nan)
    empty, far = (
        pixels(density_png({"": [points, cloud(0, 0)]}, ["", ""], frame=FRAME)) for points in (lost, cloud(40, 0))
    )
    assert np.array_equal(empty, far)
    seen = pixels(density_png({"": [cloud(0, 0), cloud(0, 0)]}, ["", ""], frame=FRAME))
    words = np.s_[-60:-8, density.LEFT * 2 + 4 : density.LEFT * 2 + 100]
    assert empty[words].min() < 100 < seen[words].min()


def test_it_is_as_wide_as_a_readme() -> None:
    """Figure 1's seven columns: 900 pixels, at twice the density."""
    rows = {"K = 10": [cloud(0, 0)] * 7, "K = 0": [cloud(1, 0)] * 7}
    height, width, _ = pixels(density_png(rows, list("abcdefg"), corner="step")).shape
    assert width / density.DENSITY == pytest.approx(900, abs=20)
    assert height / density.DENSITY == pytest.approx(density.TOP + 2 * (density.PANEL + density.GAP), abs=1)


@pytest.mark.parametrize("label", ["10 critic steps, K = 0", "unbreakableandquitelong", "K = 0"])
def test_a_label_is_not_cut(label: str) -> None:
    """Nothing is written at the left edge, and the label keeps its ink."""
    picture = pixels(density_png({label: [cloud(0, 0)] * 2}, ["0", "data"], frame=FRAME))
    inked = (picture[density.TOP * density.DENSITY :] < 200).all(axis=2).any(axis=0)
    assert not inked[: 2 * density.DENSITY].any()
    assert inked[: density.LEFT].any()


def test_the_frame_is_the_square_around_the_data() -> None:
    points = np.array([[0.0, 0.0], [4.0, 1.0], [np.nan, 100.0]])
    assert frame_around(points).tolist() == [[-1.0, -2.5], [5.0, 3.5]]
    assert frame_around(points[2:]).tolist() == [[-1.0, -1.0], [1.0, 1.0]]


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_coordinates_of_other_units_fill_the_frame_too(unit: float) -> None:
    """A table of millimetres and volts; the negative control is of one unit, and stays a square."""
    points = np.array([[0.0, 0.0], [1000.0, 1.0]]) * unit
    np.testing.assert_allclose(frame_around(points), np.array([[-250.0, -0.25], [1250.0, 1.25]]) * unit)
    alike = frame_around(points * [1.0, 500.0])
    np.testing.assert_allclose(*(alike[1] - alike[0]))


@pytest.mark.parametrize("rows", [{}, {"K = 0": []}, {"K = 0": [cloud(0, 0)]}])
def test_rows_have_a_cloud_for_each_column(rows: dict[str, list[np.ndarray]]) -> None:
    with pytest.raises(SettingError, match="rows of 2 clouds"):
        density_png(rows, ["0", "data"])

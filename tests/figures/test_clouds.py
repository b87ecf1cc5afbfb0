"""Clouds over training: points and real ones in their places, lines broken, what is outside told."""

import io

import numpy as np
import pytest
from PIL import Image

from agon.errors import SettingError
from agon.figures import clouds
from agon.figures.clouds import clouds_png, strips_of
from agon.figures.colours import REAL, colour

DATA = np.array([[-2.0, -2.0], [2.0, 2.0], [2.0, -2.0], [-2.0, 2.0]])  # its frame is [-3, 3]², by the margin


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def cloud(x: float, y: float, n: int = 400, std: float = 0.05) -> np.ndarray:
    return np.array([x, y]) + std * np.random.default_rng(0).normal(size=(n, 2))


def inked(picture: np.ndarray, ink: str, near: int = 40) -> np.ndarray:
    wanted = [int(ink[at : at + 2], 16) for at in (1, 3, 5)]
    return np.argwhere(np.abs(picture - wanted).max(axis=2) < near)


def corners(rows: dict[str, list[np.ndarray]], columns: int, across: int, corner: str = "") -> list[tuple[float, ...]]:
    """(left, top) in pixels and the side of every panel, in reading order, as matplotlib has them."""
    lines = strips_of(rows, [""] * columns, across)
    figure = clouds.draw(lines, dict.fromkeys(rows, DATA), corner, across)
    width, height = figure.bbox.size
    places = [axes.get_position() for axes in figure.axes]
    return [(p.x0 * width, (1 - p.y1) * height, p.width * width) for p in places]


def test_points_are_where_they_are() -> None:
    """x to the right, y upwards, in the second panel of the row; the real ones behind, in grey."""
    rows = {"M0": [cloud(9, 9), cloud(1.0, 2.0)]}
    picture = pixels(clouds_png(rows, ["0", "1"], real=DATA))
    _, (left, top, side) = corners(rows, 2, 2)
    y, x = (inked(picture, colour(0)).mean(axis=0) - [top, left]) / side
    assert (x, 1 - y) == pytest.approx(((1.0 + 3) / 6, (2.0 + 3) / 6), abs=0.02)
    dots = np.tile(DATA, (60, 1))  # dark enough to be found
    grey = (inked(pixels(clouds_png({"M0": [cloud(9, 9)] * 2}, ["0", "1"], real=dots)), REAL, 12) - [top, left]) / side
    inner = grey[(np.abs(grey - 0.5) < 0.4).all(axis=1)]  # neither frames nor words
    assert len(inner) > 20
    assert np.abs(np.abs(inner - 0.5) - 2 / 6).max() < 0.03


def test_each_row_has_its_own_real_points_and_colour() -> None:
    """The second row's frame is a tenth: the same cloud lies further from its middle."""
    rows = {"roll": [cloud(0.2, 0.0, std=0.01)], "ring": [cloud(0.2, 0.0, std=0.01)]}
    picture = pixels(clouds_png(rows, ["0"], real={"roll": DATA, "ring": DATA / 10}))
    for index, ((left, _, side), scale) in enumerate(zip(corners(rows, 1, 1), (3.0, 0.3), strict=True)):
        x = (inked(picture, colour(index)).mean(axis=0)[1] - left) / side
        assert x == pytest.approx((0.2 / scale + 1) / 2, abs=0.02)


def test_rows_are_broken_into_lines() -> None:
    """Three panels two abreast: the third is under the first, and every line has its own labels."""
    row = [cloud(k, 0) for k in range(3)]
    lines = strips_of({"M0": row, "M1": row}, ["0", "1", "2"], 2)
    assert [line.label for line in lines] == ["M0", "", "M1", ""]
    assert [list(line.heads) for line in lines] == [["0", "1"], ["2"]] * 2
    assert [line.ink for line in lines] == [colour(0), colour(0), colour(1), colour(1)]
    assert [list(line.heads) for line in strips_of({"M0": row, "M1": row}, ["0", "1", "2"], 3)] == [["0", "1", "2"], []]
    first, second, third, *_ = corners({"M0": row, "M1": row}, 3, 2)
    assert third[0] == pytest.approx(first[0])
    assert third[1] > first[1] + first[2]
    assert second[0] > first[0] + first[2]


@pytest.mark.parametrize("across", [10, 5])
def test_nothing_lies_over_anything_else(across: int) -> None:
    """Panels and words are apart, and inside of the picture."""
    rows = {label: [cloud(0, 0, n=20)] * 10 for label in ("M0_A", "M1_A\nwithout BN in D", "Gaussian mixture:\nM0_A")}
    lines = strips_of(rows, [f"{1_000 * k:,}" for k in range(1, 11)], across)
    figure = clouds.draw(lines, dict.fromkeys(rows, DATA), "iteration", across)
    figure.draw_without_rendering()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    boxes += [text.get_window_extent() for text in figure.texts if text.get_text()]
    whole = figure.bbox.padded(1)
    assert all(whole.contains(*box.min) and whole.contains(*box.max) for box in boxes)
    assert not any(one.padded(-1).overlaps(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])
    assert figure.bbox.width / clouds.DENSITY == pytest.approx(920, abs=2)


def test_points_out_of_sight_are_told() -> None:
    """A lost cloud is words alone; the negative control is one that is in the frame."""
    near, far, nowhere = cloud(1, 1), cloud(40, 0), np.full((50, 2), np.nan)
    seen, *lost = (pixels(clouds_png({"": [points]}, [""], real=DATA)) for points in (near, far, nowhere))
    assert len(inked(seen, colour(0)))
    assert np.array_equal(*lost)
    assert not len(inked(lost[0], colour(0)))
    ((left, top, side),) = corners({"": [near]}, 1, 1)
    words = np.s_[int(top + 0.9 * side) : int(top + side) - 4, int(left) + 4 : int(left + side / 2)]
    assert lost[0][words].min() < 120 < seen[words].min()


def test_without_real_points_the_last_cloud_gives_the_frame() -> None:
    alone = clouds_png({"": [cloud(0, 0), DATA]}, ["", ""])
    beside = clouds_png({"": [cloud(0, 0), DATA]}, ["", ""], real=DATA)
    assert pixels(alone).shape == pixels(beside).shape
    assert not np.array_equal(pixels(alone), pixels(beside)), "no grey"
    assert alone == clouds_png({"": [cloud(0, 0), DATA]}, ["", ""]), "the same bytes each time"


@pytest.mark.parametrize("rows", [{}, {"M0": []}, {"M0": [DATA]}])
def test_rows_have_a_cloud_for_each_column(rows: dict[str, list[np.ndarray]]) -> None:
    with pytest.raises(SettingError, match="rows of 2 clouds"):
        clouds_png(rows, ["0", "1"])


def test_every_row_has_real_points_or_none() -> None:
    with pytest.raises(SettingError, match="none for M1"):
        clouds_png({"M0": [DATA], "M1": [DATA]}, ["0"], real={"M0": DATA})

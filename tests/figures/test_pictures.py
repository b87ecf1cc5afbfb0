"""Pictures are exact: every layout can be undone, bit by bit."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from agon.errors import DataError
from agon.figures import pictures

images = st.tuples(st.integers(1, 11), st.sampled_from([1, 3]), st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)
columns = st.none() | st.integers(1, 13)
quick = settings(max_examples=60, deadline=None)


@quick
@given(images, columns, st.integers(0, 4))
def test_ungrid_undoes_grid(tiles, columns, gap):
    layout = pictures.tiling(tiles, columns, gap)
    picture = pictures.grid(tiles, columns, gap)
    assert picture.shape == (*layout.size, tiles.shape[1])
    np.testing.assert_array_equal(pictures.ungrid(picture, layout), tiles)


@quick
@given(images, columns, st.integers(0, 4))
def test_a_written_grid_needs_nothing_else_to_be_read(tiles, columns, gap):
    np.testing.assert_array_equal(pictures.read_grid(pictures.grid_png(tiles, columns, gap)).tiles, tiles)


@pytest.mark.parametrize("channels", [2, 4, 7])
@pytest.mark.parametrize("columns", [None, 1, 3])
def test_other_channels_are_tiles_side_by_side(channels, columns):
    tiles = np.random.default_rng(0).integers(0, 256, (5, channels, 3, 2), dtype=np.uint8)
    file = pictures.grid_png(tiles, columns)
    np.testing.assert_array_equal(pictures.read_grid(file).tiles, tiles)
    with Image.open(BytesIO(file)) as image:
        pixels = np.asarray(image)
    for channel in range(channels):
        left = 2 + channel * 4
        np.testing.assert_array_equal(pixels[2:5, left : left + 2], tiles[0, channel])


@quick
@given(images, st.integers(1, 5))
def test_enlarging_repeats_each_pixel_and_can_be_undone(tiles, factor):
    large = pictures.enlarge(tiles, factor)
    assert large.shape[2:] == (tiles.shape[2] * factor, tiles.shape[3] * factor)
    for row in range(factor):
        for column in range(factor):
            np.testing.assert_array_equal(large[..., row::factor, column::factor], tiles)


def test_a_tensor_and_an_array_give_the_same_file_each_time(tmp_path: Path):
    tiles = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 4), dtype=np.uint8)
    file = pictures.grid_png(tiles, columns=3)
    assert file == pictures.grid_png(torch.from_numpy(tiles), columns=3)
    (tmp_path / "grid.png").write_bytes(file)
    np.testing.assert_array_equal(pictures.read_grid(tmp_path / "grid.png").tiles, tiles)


def test_tiles_are_in_reading_order_with_grey_between():
    tiles = np.stack([np.full((1, 2, 3), level, np.uint8) for level in (10, 20, 30)])
    picture = pictures.grid(tiles, columns=2, gap=1)[..., 0]
    assert picture.shape == (7, 9)
    assert picture[1, 1] == 10
    assert picture[1, 5] == 20
    assert picture[4, 1] == 30
    assert (picture[4:6, 5:8] == pictures.GAP).all()  # the last row is short
    assert (picture[0] == pictures.GAP).all()


def test_every_level_survives_its_value():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)):
        x = levels.float() / 255 * (high - low) + low
        assert torch.equal(pictures.to_uint8(x, low, high), levels)


def test_pixels_are_clamped_and_not_rescaled_by_their_own_range():
    x = torch.tensor([-3.0, -0.1, 0.1, 3.0, float("nan"), float("inf"), -float("inf")]).reshape(1, 1, 1, 7)
    assert pictures.to_uint8(x, -1.0, 1.0).flatten().tolist() == [0, 115, 140, 255, 0, 255, 0]
    faint = torch.full((1, 1, 2, 2), 0.01)
    assert pictures.to_uint8(faint, 0.0, 1.0).unique().tolist() == [3]


@pytest.mark.parametrize(
    ("shape", "columns", "gap"), [((0, 1, 2, 2), None, 2), ((1, 1, 2, 2), 0, 2), ((1, 1, 2, 2), 1, -1)]
)
def test_an_impossible_grid_is_refused(shape, columns, gap):
    with pytest.raises(DataError, match="a grid: expected one image or more"):
        pictures.grid(np.zeros(shape, np.uint8), columns, gap)


def test_what_png_cannot_hold_is_refused():
    with pytest.raises(DataError, match="expected 1 or 3 channels, got 2"):
        pictures.png(np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(DataError, match="expected low < high"):
        pictures.to_uint8(torch.zeros(1, 1, 1, 1), 1.0, 1.0)


def test_a_file_that_is_no_grid_is_refused(tmp_path: Path):
    tiles = np.zeros((2, 1, 4, 4), np.uint8)
    with pytest.raises(DataError, match="does not say how it is cut"):
        pictures.read_grid(pictures.png(pictures.grid(tiles)))
    with pytest.raises(DataError, match="cannot be read as a PNG"):
        pictures.read_grid(pictures.grid_png(tiles)[:60])
    with pytest.raises(DataError, match=r"nowhere\.png"):
        pictures.read_grid(tmp_path / "nowhere.png")
    text = {pictures.KEYWORD + name: str(value) for name, value in pictures.tiling(tiles)._asdict().items()}
    with pytest.raises(DataError, match="was cut or scaled"):
        pictures.read_grid(pictures.png(pictures.grid(tiles)[:-1], text))


def test_a_layout_that_cannot_be_is_refused():
    picture = pictures.grid(np.zeros((2, 1, 4, 4), np.uint8))
    for wrong in ({"columns": "0"}, {"gap": "-1"}, {"tiles": "many"}):
        numbers = {**pictures.Tiling(2, 4, 4, 2, 2)._asdict(), **wrong}
        text = {pictures.KEYWORD + name: str(value) for name, value in numbers.items()}
        with pytest.raises(DataError, match="does not say how it is cut"):
            pictures.read_grid(pictures.png(picture, text))

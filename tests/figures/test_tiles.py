"""Tables of tiles, read back pixel by pixel: what is where, and that words stand beside and not upon it."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import label

from agon.errors import DataError, SettingError
from agon.figures import tiles
from agon.figures.pictures import enlarge, grid
from agon.figures.tiles import interleaved, panels_png, tiles_png

rng = np.random.default_rng(0)


def noise(n: int, channels: int = 1, side: int = 6) -> np.ndarray:
    return rng.integers(0, 256, (n, channels, side, side), dtype=np.uint8)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def drawn(images: np.ndarray, across: int, factor: int) -> np.ndarray:
    picture = grid(enlarge(images, factor), min(across, len(images)))
    return np.broadcast_to(picture, (*picture.shape[:2], 3))


def places(picture: np.ndarray, part: np.ndarray) -> list[tuple[int, int]]:
    """(top, left) of every place where the picture has exactly this part."""
    height, width = part.shape[:2]
    rows, columns = (max(0, picture.shape[axis] - part.shape[axis] + 1) for axis in (0, 1))
    alike = np.ones((rows, columns), dtype=bool)
    for y, x in rng.integers(0, (height, width), (16, 2)):
        alike &= (picture[y : y + rows, x : x + columns] == part[y, x]).all(axis=2)
    corners = np.argwhere(alike).tolist()
    return [(y, x) for y, x in corners if (picture[y : y + height, x : x + width] == part).all()]


def only(picture: np.ndarray, part: np.ndarray) -> tuple[int, int]:
    (place,) = places(picture, part)
    return place


def inked(picture: np.ndarray) -> np.ndarray:
    """Where something is drawn."""
    return (picture != 255).any(axis=2)


def test_each_panel_is_once_in_its_row_and_column() -> None:
    rows = {"a": [noise(4), noise(4)], "b": [noise(4), noise(4)]}
    picture = pixels(tiles_png(rows, ["one", "two"], across=2))
    factor = tiles.LARGEST
    found = [[only(picture, drawn(panel, 2, factor)) for panel in row] for row in rows.values()]
    (a, b), (c, d) = found
    assert (a[0], c[0]) == (b[0], d[0])
    assert (a[1], b[1]) == (c[1], d[1])
    assert a[0] < c[0]
    assert a[1] < b[1]
    other = drawn(noise(4), 2, factor)
    assert not places(picture, other), "what is not drawn is not found"


def test_a_tensor_is_drawn_as_an_array_is() -> None:
    images = noise(3)
    assert tiles_png({"": [torch.from_numpy(images)]}, [""]) == tiles_png({"": [images]}, [""])


def test_an_empty_place_stays_white() -> None:
    panel = noise(4)
    full = pixels(tiles_png({"": [panel, panel]}, ["", ""], across=2))
    half = pixels(tiles_png({"": [panel, None], "again": [panel, panel]}, ["", ""], across=2))
    assert len(places(full, drawn(panel, 2, tiles.LARGEST))) == 2
    top, left = sorted(places(half, drawn(panel, 2, tiles.LARGEST)))[0]
    side = drawn(panel, 2, tiles.LARGEST).shape[1]
    assert not inked(half[top : top + side, left + side :]).any()


def test_words_stand_beside_the_panels_and_apart_from_each_other() -> None:
    """Blotting all panels out leaves words alone: as many clusters as there are words, all inside of the picture."""
    panel = noise(1)
    words = {"corner": "corner", "notes": [["left note", "right note"]]}
    picture = pixels(
        tiles_png({"row label": [panel, panel]}, ["long label of one", "long label of two"], **words)
    ).copy()
    part = drawn(panel, 1, tiles.LARGEST)
    for y, x in places(picture, part):
        picture[y : y + part.shape[0], x : x + part.shape[1]] = 255
    ink = inked(picture)
    near = np.array([[ink[y, max(0, x - 4) : x + 5].any() for x in range(ink.shape[1])] for y in range(ink.shape[0])])
    near[1:] |= near[:-1].copy()
    near[1:] |= near[:-1].copy()
    assert label(near)[1] == 6
    assert not ink[[0, -1]].any()
    assert not ink[:, [0, -1]].any()
    bare = pixels(tiles_png({"": [panel, panel]}, ["", ""])).copy()
    for y, x in places(bare, part):
        bare[y : y + part.shape[0], x : x + part.shape[1]] = 255
    assert not inked(bare).any(), "without words there is no other ink"


@pytest.mark.parametrize(("side", "columns", "factor"), [(28, 1, 4), (28, 4, 1), (64, 8, 1), (2, 1, tiles.LARGEST)])
def test_pixels_are_enlarged_by_a_whole_factor_up_to_the_width(side: int, columns: int, factor: int) -> None:
    panels = [noise(8, side=side) for _ in range(columns)]
    picture = pixels(tiles_png({"": panels}, [""] * columns))
    assert places(picture, drawn(panels[0], 8, factor))


def test_grey_panels_make_a_grey_file_and_colours_stay() -> None:
    grey, colour = noise(2), noise(2, channels=3)
    assert Image.open(io.BytesIO(tiles_png({"": [grey]}, [""]))).mode == "L"
    both = pixels(tiles_png({"": [grey, colour]}, ["", ""]))
    for panel in (grey, colour):
        assert places(both, drawn(panel, 8, tiles.LARGEST))


def test_titled_panels_are_in_reading_order() -> None:
    panels = {title: noise(2) for title in ("one", "two", "three")}
    picture = pixels(panels_png(panels, columns=2))
    one, two, three = (only(picture, drawn(panel, 8, tiles.LARGEST)) for panel in panels.values())
    assert one[0] == two[0] < three[0]
    assert one[1] == three[1] < two[1]


def test_wrong_input_is_a_sentence() -> None:
    panel = noise(2)
    with pytest.raises(SettingError, match="one panel of images or more, got none"):
        tiles_png({"a": [None]}, ["x"])
    with pytest.raises(SettingError, match="expected 2 panels in a row, one a column, got 1 in 'a'"):
        tiles_png({"a": [panel]}, ["x", "y"])
    with pytest.raises(SettingError, match="notes for 1 rows of 1"):
        tiles_png({"a": [panel]}, ["x"], notes=[["one", "two"]])
    with pytest.raises(SettingError, match="one image or more in a row of a panel, got 0"):
        tiles_png({"a": [panel]}, ["x"], across=0)
    with pytest.raises(DataError, match="1 or 3 channels, got 2 of 2"):
        tiles_png({"a": [noise(2, channels=2)]}, ["x"])
    with pytest.raises(SettingError, match="got 0 in 2"):
        panels_png({}, columns=2)


def test_a_row_of_pairs_has_the_first_at_the_left() -> None:
    left, right = torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.full((3, 1, 2, 2), 255, dtype=torch.uint8)
    assert interleaved(left, right)[:, 0, 0, 0].tolist() == [0, 255] * 3

"""The picture of a tournament, and the scale of colours that it shares with the page."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from agon.errors import SettingError
from agon.figures.diverging import contrast, ink_on, shade
from agon.figures.matrix import matrix_png
from agon.figures.whiskers import Whisker, axis

ROWS = [Whisker("a", 1.0, 0.5, 1.5), Whisker("$b_1$" * 9, 0.0, seeds=False), Whisker("real", float("nan"))]


def colours(png: bytes) -> set[tuple[int, ...]]:
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return {tuple(pixel) for pixel in np.unique(picture.reshape(-1, 3), axis=0).tolist()}


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def test_cells_have_their_colours_and_missing_ones_none() -> None:
    areas = np.array([[0.07, np.nan], [0.5, 0.83], [0.31, 0.62]])
    png = matrix_png(ROWS, ROWS[:2], areas)
    present = colours(png)
    assert {rgb(shade(value)) for value in areas[~np.isnan(areas)]} <= present
    assert rgb(shade(0.4321)) not in present, "the negative control"
    assert matrix_png(ROWS, ROWS[:2], areas) == png


def test_twenty_contestants_have_a_small_picture() -> None:
    many = [Whisker(f"contestant {index}", -index / 5, -index / 5 - 0.4, 0.4 - index / 5) for index in range(20)]
    png = matrix_png(many, many, np.random.default_rng(0).uniform(size=(20, 20)))
    assert len(png) < 200_000
    assert max(Image.open(io.BytesIO(png)).size) < 2_000


@pytest.mark.parametrize("shape", [(3, 2), (0, 0)])
def test_other_shapes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(SettingError, match="expected areas of"):
        matrix_png(ROWS[:2] if shape[0] else [], ROWS[:2] if shape[0] else [], np.zeros(shape))


@pytest.mark.parametrize("dark", [False, True])
def test_the_scale_is_even_around_its_middle_and_its_numbers_legible(dark: bool) -> None:
    page = shade(0.5, dark=dark)
    for side in (np.linspace(0.5, 0, 21), np.linspace(0.5, 1, 21)):
        far = [contrast(page, shade(float(value), dark=dark)) for value in side]
        assert all(before < after for before, after in pairwise(far)), "further from the middle, further in lightness"
    assert all(contrast(ink_on(it), it) > 4 for it in (shade(value / 40, dark=dark) for value in range(41)))


def test_the_sides_are_told_apart_without_red_or_green() -> None:
    """Blue less yellow, which the usual kinds of colour blindness keep, has another sign on either side."""
    for dark in (False, True):
        for far in (0.1, 0.25, 0.5):
            (_, low_green, low_blue), (_, high_green, high_blue) = (
                rgb(shade(0.5 + turn * far, dark=dark)) for turn in (-1, 1)
            )
            assert low_blue - low_green > 5
            assert high_green - high_blue > 5


def test_an_axis_holds_everything_and_zero() -> None:
    span = axis([Whisker("a", 3.0, 2.0, 7.0), Whisker("b", 5.0)])
    assert span.low < 0 < 7 < span.high
    assert 0 in span.ticks
    assert span.place(span.low) == 0
    assert span.place(99.0) == 1
    assert axis([]).ticks

"""Histograms in panels: what is drawn where, read back from the pixels."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from agon.errors import SettingError
from agon.figures.histograms import Density, histograms_png

RED, BLUE = "#ff0000", "#0000ff"


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)


def columns_of(picture: np.ndarray, ink: tuple[int, int, int]) -> np.ndarray:
    """Where a colour is, from left to right."""
    return np.flatnonzero((np.abs(picture - ink).sum(2) < 60).sum(0) > 2)


def test_mass_and_median_are_where_they_are_said_to_be() -> None:
    """Red mass at the left, blue at the right of the same axes."""
    left = Density("data", [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, 0.0], RED, median=0.5)
    right = Density("model", [0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0], BLUE, median=3.5)
    picture = pixels(histograms_png({"both": [left, right]}, columns=1))
    body = picture[int(0.2 * len(picture)) : int(0.7 * len(picture))]
    red, blue = columns_of(body, (255, 0, 0)), columns_of(body, (0, 0, 255))
    middle = picture.shape[1] / 2
    assert red.mean() < middle < blue.mean()
    swapped = pixels(histograms_png({"both": [Density("data", [2.5, 3.0], [1.0], RED, 2.75), right]}, columns=1))
    assert columns_of(swapped[int(0.2 * len(swapped)) : int(0.7 * len(swapped))], (255, 0, 0)).mean() > middle


def test_panels_stand_in_rows_and_share_their_range() -> None:
    one = Density("model", [0.0, 1.0], [1.0])
    wide = pixels(histograms_png({"a": [one], "b": [one]}, columns=2))
    tall = pixels(histograms_png({"a": [one], "b": [one]}, columns=1))
    assert wide.shape[1] > wide.shape[0]
    assert tall.shape[0] > wide.shape[0]
    assert histograms_png({"a": [one], "b": [one], "c": [one]}, columns=2).startswith(b"\x89PNG")


def test_wrong_input_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="expected an edge more than bins, got 2 edges and 2 bins"):
        Density("model", [0.0, 1.0], [1.0, 1.0])
    with pytest.raises(SettingError, match="expected a panel or more"):
        histograms_png({}, columns=2)

"""Curves in panels: where values are, one colour a label, nothing over anything else, gaps left open."""

import io
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from agon.errors import SettingError
from agon.figures import curves
from agon.figures.colours import colour
from agon.figures.curves import Curve, Panel, curves_png, histogram_curve, under_each_other

RED = "#d00000"


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def inked(picture: np.ndarray, ink: str) -> np.ndarray:
    """Row and column of every pixel near a colour."""
    wanted = [int(ink[at : at + 2], 16) for at in (1, 3, 5)]
    return np.argwhere(np.abs(picture - wanted).max(axis=2) < 24)


def panel(title: str, *values: float, ink: str | None = None) -> Panel:
    return Panel(title, [Curve(f"loss {title}", range(len(values)), values, ink)], x_label="iteration")


def test_a_panel_is_where_reading_order_has_it() -> None:
    """Of three panels in two columns the third is below, at the left."""
    panels = [panel("a", 0.0, 1.0), panel("b", 0.0, 1.0), panel("c", 0.0, 1.0, ink=RED)]
    picture = pixels(curves_png(panels, columns=2))
    height, width, _ = picture.shape
    places = inked(picture, RED) / [height, width]
    drawn = places[places[:, 0] > 0.1]  # under the legend
    assert len(drawn) > 0
    assert (drawn > [0.5, 0.0]).all()
    assert (drawn < [1.0, 0.5]).all()


def test_a_curve_rises_where_its_values_do() -> None:
    """High values are high in the picture, and the negative control is the same curve downwards."""
    up, down = (inked(pixels(curves_png([panel("", *v, ink=RED)], columns=1)), RED) for v in ((0, 9), (9, 0)))
    for places, sign in ((up, -1), (down, 1)):
        row, column = places.T
        assert np.corrcoef(row, column)[0, 1] * sign > 0.95


def test_what_is_not_finite_is_a_gap() -> None:
    """Less is drawn, and the rest is where it was."""
    whole, broken = (
        inked(pixels(curves_png([Panel("", [Curve("loss", range(5), [0, 1, middle, 1, 0], RED)])], columns=1)), RED)
        for middle in (0.5, math.nan)
    )
    assert 0.3 * len(whole) < len(broken) < 0.9 * len(whole)
    assert set(map(tuple, broken)) < set(map(tuple, whole))


def test_labels_have_one_colour_each_in_all_panels() -> None:
    panels = [
        Panel("a", [Curve("M0", [0, 1], [0, 1]), Curve("M1", [0, 1], [1, 0])]),
        Panel("b", [Curve("M1", [0, 1], [1, 0]), Curve("real", [0, 1], [1, 1], RED)]),
    ]
    assert curves.colours(panels) == {"M0": colour(0), "M1": colour(1), "real": RED}


def test_limits_and_scale_are_the_panel_s_own() -> None:
    first, second = curves.draw(
        [Panel("", [Curve("", [0], [0.5])], limits=(0.0, 1.0)), Panel("", [Curve("", [1, 2], [1, 1e6])], log=True)], 2
    ).axes
    assert first.get_ylim() == (0.0, 1.0)
    assert (first.get_yscale(), second.get_yscale()) == ("linear", "log")


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (4, 2), (12, 3)])
def test_nothing_lies_over_anything_else(count: int, columns: int) -> None:
    """Panels with all their words, the legend and the edge of the picture are apart."""
    lines = [Curve(f"the loss of model {k}", [0, 20_000], [0.0, 1e-5 * (k + 1)]) for k in range(7)]
    figure = curves.draw([Panel(f"M{k}_B without BN in D", lines, "iteration", "loss") for k in range(count)], columns)
    figure.draw_without_rendering()
    boxes = [box for each in (*figure.axes, *figure.legends) if (box := each.get_tightbbox()) is not None]
    assert len(boxes) == count + 1
    whole = figure.bbox.padded(1)
    assert all(whole.contains(*box.min) and whole.contains(*box.max) for box in boxes)
    assert not any(one.padded(-1).overlaps(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])


def test_it_is_as_wide_as_a_readme_and_small() -> None:
    panels = [panel(str(k), *np.random.default_rng(k).normal(size=400)) for k in range(3)]
    png = curves_png(panels, columns=3)
    assert pixels(png).shape[1] / curves.DENSITY == pytest.approx(920, abs=2)
    assert len(png) < 60_000
    assert png == curves_png(panels, columns=3), "the same bytes each time"


def test_wrong_input_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="a panel or more"):
        curves_png([], columns=2)
    with pytest.raises(SettingError, match="columns from 1"):
        curves_png([panel("", 1.0)], columns=0)
    with pytest.raises(SettingError, match="3 x and 2 y"):
        Curve("loss", [0, 1, 2], [0.0, 1.0])


def test_rows_follow_each_other_downwards() -> None:
    boxes = [axes.get_position() for axes in curves.draw([panel(str(k), 0.0, 1.0) for k in range(4)], 1).axes]
    assert all(one.y0 > other.y1 for one, other in pairwise(boxes))


def test_a_histogram_holds_what_is_shown_and_counts_what_is_not() -> None:
    inside = 3 + 0.5 * torch.randn(5_000, 1, generator=torch.Generator().manual_seed(0))
    for samples, mass in ((inside, 1.0), (torch.cat([inside, inside + 100]), 0.5)):
        curve = histogram_curve("generator", samples, 0.0, 6.0, bins=60)
        x, y = (torch.tensor(each, dtype=torch.float64) for each in (curve.x, curve.y))
        assert float(torch.trapezoid(y, x)) == pytest.approx(mass, abs=1e-6)
        assert float(x[y.argmax()]) == pytest.approx(3.0, abs=0.5)


def test_pairs_stand_under_each_other() -> None:
    """Of three pairs in rows of two: the row of losses, the row of outputs, then those of the third."""
    pairs = [(Panel(f"loss {k}", []), Panel(f"output {k}", [])) for k in range(3)]
    titles = [panel.title for panel in under_each_other(pairs, 2)]
    assert titles == ["loss 0", "loss 1", "output 0", "output 1", "loss 2", "output 2"]

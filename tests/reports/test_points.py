"""Points are drawn on the frame of the real ones, and what falls outside is counted."""

import re

import numpy as np
import pytest

from agon import reports
from agon.errors import RunError
from tests.reports.page import read_page, section


def test_two_coordinates_are_scattered_beside_the_real_ones(make_points, tmp_path):
    page = read_page(reports.write([make_points()], tmp_path / "page.html"))
    assert [c.words() for c in section(page, "samples").all("figcaption")] == ["real", "step 1,000"]
    assert len(section(page, "evolution").all("img", "points")) == 8


def test_one_coordinate_is_one_histogram_on_the_real_one(make_points, tmp_path):
    page = read_page(reports.write([make_points("line", d=1)], tmp_path / "page.html"))
    assert [c.words() for c in section(page, "samples").all("figcaption")] == ["step 1,000"]
    assert len(section(page, "evolution").all("img", "points")) == 8


@pytest.mark.parametrize("d", [1, 2])
def test_points_that_went_astray_are_counted(make_points, tmp_path, d):
    run = make_points("run", d=d)
    points = np.zeros((500, d), dtype=np.float32)
    points[:3], points[3] = 1000.0, np.nan
    np.save(run / "samples" / "00001000.npy", points)
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert section(page, "samples").all("p", "note")[0].words() == "4 of 500 outside"


def test_runs_are_drawn_on_one_frame(make_points, tmp_path):
    one, two = make_points("one"), make_points("two")
    alone = read_page(reports.write([one], tmp_path / "page.html"))
    beside = read_page(reports.write([one, two], tmp_path / "page.html"))
    pictures = [[image.attributes["src"] for image in section(page, "samples").all("img")] for page in (alone, beside)]
    assert pictures[1][:2] == pictures[0], "the same real points have the same frame"
    assert len(pictures[1]) == 3, "and are shown once"
    wide = np.load(two / "samples" / "real.npy") * 3
    np.save(two / "samples" / "real.npy", wide)
    beside = read_page(reports.write([one, two], tmp_path / "page.html"))
    assert section(beside, "samples").all("img")[1].attributes["src"] != pictures[0][1]


def test_samples_without_real_ones_and_without_finite_ones_are_still_drawn(make_points, tmp_path):
    run = make_points()
    (run / "samples" / "real.npy").unlink()
    np.save(run / "samples" / "00001000.npy", np.full((5, 2), np.nan, np.float32))
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert section(page, "samples").all("p", "note")[0].words() == "5 of 5 outside"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((4, 3), np.float32), r"shape \(n, 2\), got float32 \(4, 3\)"),
        (np.zeros(4, np.float32), r"got float32 \(4,\)"),
        (np.zeros((4, 2), np.int64), r"got int64 \(4, 2\)"),
        (b"no array", "is not an array of points"),
        (b"", "is not an array of points"),
        (np.array([[{}]], dtype=object), "is not an array of points"),  # a pickle is never opened
    ],
)
def test_what_is_no_cloud_of_points_is_named(make_points, tmp_path, content, message):
    run = make_points()
    file = run / "samples" / "00001000.npy"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        np.save(file, content, allow_pickle=True)
    with pytest.raises(RunError, match=re.escape(str(file)) + ".*" + message):
        reports.write([run], tmp_path / "page.html")

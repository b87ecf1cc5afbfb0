"""Scores with what they were made of: the passport, distributions, curves, pictures; never a file from elsewhere."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from agon import reports
from agon.errors import RunError
from agon.figures import pictures
from agon.reports import distributions
from agon.reports.reading import read
from tests.reports.page import figures, read_page, section

DISTRIBUTION = {
    "edges": [0.0, 1.0, 2.0],
    "data": [0.25, 0.75],
    "model": [0.9, 0.1],
    "medians": {"data": 1.4, "model": 0.6},
}


def add(run: Path, **record: object) -> Path:
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"value": 1.5, "step": 1000, "seed": 0, "protocol": "told", **record}) + "\n")
    return run


def test_the_passport_stands_beside_the_score(make_run, tmp_path):
    passport = {"name": "net", "hash": "c0ffee00" * 8, "resizer": "bilinear to 299x299", "precision": "float32"}
    run = add(make_run(), name="fid", n=500, n_real=400, error=0.1, interval=[1.2, 1.9], extractor=passport)
    page = read_page(reports.write([run], tmp_path / "page.html"))
    row = next(
        [cell.words() for cell in row.all("td")]
        for row in section(page, "scores").all("table", "scores")[0].all("tr")[1:]
        if row.all("td")[0].words() == "fid"
    )
    assert row[1:4] == ["1.5", "± 0.1 [1.2, 1.9]", "500 / 400 real"]
    assert row[-1].endswith("resized by bilinear to 299x299, in float32, weights c0ffee00")


def test_a_distribution_is_drawn_as_a_histogram_with_medians(make_run):
    run = add(make_run(), name="pairwise", detail={"distribution": DISTRIBUTION})
    (figure,) = distributions.figures(read([run]))
    drawn = {trace["name"]: (trace["x"], trace["y"]) for trace in figure.traces}
    assert figure.axis == "distance of a pair"
    assert drawn == {
        "data": ([0.0, 1.0, 2.0], [0.25, 0.75, 0.75]),
        "model": ([0.0, 1.0, 2.0], [0.9, 0.1, 0.1]),
        "data's median": ([1.4, 1.4], [0.0, 0.9]),
        "model's median": ([0.6, 0.6], [0.0, 0.9]),
    }


def test_of_several_runs_the_data_are_drawn_once(make_run):
    runs = [add(make_run(name), name="pairwise", detail={"distribution": DISTRIBUTION}) for name in ("one", "two")]
    (figure,) = distributions.figures(read(runs))
    assert sorted(trace["name"] for trace in figure.traces) == sorted(
        ["data", "data's median", "one: model", "one: model's median", "two: model", "two: model's median"]
    )


def test_data_that_differ_are_both_drawn(make_run):
    """The negative control: of what is equal, only one; a median stands in a plot of any height."""
    other = {**DISTRIBUTION, "data": [0.5, 0.5], "model": [0.95, 0.05]}
    told = {"one": DISTRIBUTION, "two": other, "three": DISTRIBUTION}
    runs = [add(make_run(name), name="pairwise", detail={"distribution": each}) for name, each in told.items()]
    (figure,) = distributions.figures(read(runs))
    drawn = [trace["name"] for trace in figure.traces if "data" in trace["name"]]
    assert drawn == ["one: data", "data's median", "two: data"]
    assert len({trace["line"]["dash"] for trace in figure.traces if trace["name"].endswith(": data")}) == 2


def test_of_two_measurements_at_one_step_the_newest_is_drawn(make_run):
    run = make_run()
    for model in ([0.9, 0.1], [0.6, 0.4]):
        add(run, name="pairwise", detail={"distribution": {**DISTRIBUTION, "model": model}})
    add(run, name="pairwise", step=500, detail={"distribution": {**DISTRIBUTION, "model": [0.7, 0.3]}})
    (figure,) = distributions.figures(read([run]))
    assert figure.traces[1]["y"] == [0.6, 0.4, 0.4]


@pytest.mark.parametrize("part", ["edges", "data", "model", "medians"])
@pytest.mark.parametrize("damage", [[1.0, math.nan, 2.0], [math.inf, 1.0], "text", ["a", "b"], 3, None, [[0], [1]]])
def test_a_damaged_distribution_leaves_the_other_figures_whole(make_run, tmp_path, part, damage):
    """What the page is given to draw is JSON, and holds what is whole."""
    run = add(make_run(), name="pairwise", detail={"distribution": DISTRIBUTION})
    add(run, name="memorisation", detail={"distribution": {**DISTRIBUTION, part: damage}})
    add(run, name="critic-gap", detail={"curves": {"x": [0, math.nan], "y": [1, 2]}})
    add(run, name="critic-gap", seed=1, detail={"curves": {"x": [0, 1], "optimal": [1, math.inf], "told": [1, 2]}})
    drawn = figures(read_page(reports.write([run], tmp_path / "page.html")))
    names = [trace["name"] for figure in drawn for trace in figure["traces"]]
    assert names.count("data") == {"edges": 1, "data": 1}.get(part, 2)
    assert (names.count("told"), names.count("optimal")) == (1, 0)


def test_curves_are_drawn_and_what_is_none_is_not(make_run):
    curves = {"x": [0, 1], "optimal critic": [0.5, 0.4], "torn": [1.0], "words": "none"}
    run = add(make_run(), name="critic-gap", detail={"curves": curves})
    add(run, name="broken", detail={"distribution": {"edges": [0, 1], "data": [1, 2]}, "curves": [1]})
    (figure,) = distributions.figures(read([run]))
    assert [trace["name"] for trace in figure.traces] == ["optimal critic"]


def test_pictures_of_scores_are_shown(make_run, tmp_path):
    run = make_run()
    (run / "metrics").mkdir()
    tiles = np.zeros((8, 1, 8, 8), np.uint8)
    (run / "metrics" / "neighbours-1.png").write_bytes(pictures.grid_png(tiles, 4))
    add(run, name="memorisation", pictures={"neighbours": "metrics/neighbours-1.png"})
    page = read_page(reports.write([run], tmp_path / "page.html"))
    (picture,) = section(page, "scores").all("img")
    assert "nearest training images" in picture.attributes["alt"]


def test_no_file_from_outside_the_run_is_shown(make_run, tmp_path):
    """A run directory from elsewhere says what it likes."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(pictures.grid_png(np.zeros((1, 1, 8, 8), np.uint8)))
    run = add(make_run(), name="memorisation", pictures={"a": "../../secret.png", "b": str(secret), "c": 7})
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert section(page, "scores").all("img") == []


def test_a_broken_picture_is_named(make_run, tmp_path):
    run = make_run()
    (run / "metrics").mkdir()
    (run / "metrics" / "x.png").write_bytes(b"torn")
    add(run, name="memorisation", pictures={"neighbours": "metrics/x.png"})
    with pytest.raises(RunError, match=r"x\.png is no PNG; delete it"):
        reports.write([run], tmp_path / "page.html")

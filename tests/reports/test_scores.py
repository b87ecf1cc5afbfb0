"""A score is never shown without what makes it a number to trust."""

import json

import pytest

from agon import reports
from agon.figures.numbers import number
from tests.reports.page import figures, read_page, section


def rows(page, table):
    return [
        [cell.words() for cell in row.all("td")]
        for row in section(page, "scores").all("table", "scores")[table].all("tr")[1:]
    ]


def test_a_score_is_shown_with_error_n_step_seed_and_protocol(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    protocol = "classifier of scikit-learn's digits, accuracy 0.98 on 360 held-out"
    assert rows(page, 0) == [
        ["classes", "10", "—", "500", "1,000", "0", protocol],
        ["inception", "8.412", "± 0.12", "500", "1,000", "0", protocol],
        ["coverage", "0.934", "[0.902, 0.957]", "500", "1,000", "3", protocol],
    ]
    assert [(row[0], row[1], row[4]) for row in rows(page, 1)] == [("classes", "9", "500"), ("inception", "7.9", "500")]


def test_runs_are_compared_line_by_line(make_run, tmp_path):
    page = read_page(reports.write([make_run("one"), make_run("two", seed=1)], tmp_path / "page.html"))
    assert [row[:3] for row in rows(page, 0)[2:4]] == [["inception", "one", "8.412"], ["inception", "two", "8.512"]]


def test_two_protocols_are_two_scores(make_run, tmp_path):
    run = make_run()
    with (run / "metrics.jsonl").open("a") as metrics:
        metrics.write(json.dumps({"name": "classes", "value": 6, "n": 50, "step": 1000, "protocol": "quick"}) + "\n")
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert [row[1] for row in rows(page, 0) if row[0] == "classes"] == ["10", "6"]


def test_bars_of_the_histogram_are_the_counts(make_run, tmp_path):
    run = make_run()
    detail = {"histogram": [5, 0, 10], "names": ["cat", "dog", "bird"], "kept": 0.5}
    (run / "metrics.jsonl").write_text(json.dumps({"name": "classes", "value": 2, "detail": detail}) + "\n")
    page = read_page(reports.write([run], tmp_path / "page.html"))
    (figure,) = section(page, "scores").all("figure")
    heights = [
        bar.attributes["style"].split(";")[0]
        for bar in figure.all("span")
        if "height" in bar.attributes.get("style", "")
    ]
    assert heights == ["height:50.0%", "height:0.0%", "height:100.0%"]
    assert figure.all("div", "names")[0].words().split() == ["cat", "5", "dog", "0", "bird", "10"]
    assert "15 samples over 3 classes" in figure.words()
    assert "kept 0.5" in rows(page, 0)[0][-1]


@pytest.mark.parametrize("histogram", [[], [1, -2], [1, None], [float("nan")], {"a": 1}])
def test_what_is_no_histogram_is_not_drawn(make_run, tmp_path, histogram):
    run = make_run()
    entry = {"name": "classes", "value": None, "detail": {"histogram": histogram}}
    (run / "metrics.jsonl").write_text(json.dumps(entry) + "\n")
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert not section(page, "scores").all("figure")
    assert rows(page, 0) == [["classes", "—", "—", "—", "—", "—", "not recorded"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (3e-5, "3e-05"),
        (123456.7, "123,457"),
        (-0.25, "-0.25"),
        (float("-inf"), "−∞"),
        (float("nan"), "not a number"),
    ],
)
def test_numbers_are_for_eyes(value, text):
    assert number(value) == text


def measured(step, value, **more):
    """A record as `agon evaluate` writes it; its protocol tells a number that changes from step to step."""
    record = {"name": "fid", "value": value, "n": 500, "seed": 0, "step": step, "metric": "fid", "asked": 500}
    return json.dumps({**record, "protocol": f"of what {value} samples told", **more}) + "\n"


def test_steps_of_one_training_fold_whatever_their_prose_tells(make_run, tmp_path):
    run = make_run()
    (run / "metrics.jsonl").write_text(measured(100, 9) + measured(200, 7) + measured(200, 8))
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert [row[1] for row in rows(page, 0)] == ["8"]
    assert sorted(row[1] for row in rows(page, 1)) == ["7", "9"]
    (trace,) = figures(page)[-1]["traces"]
    assert (trace["x"], trace["y"]) == ([100, 200], [9, 8]), "of two at one step, the newest"


def test_two_opponents_and_two_extractors_both_stay(make_run, tmp_path):
    """And their curves, which are told apart by their names."""
    run = make_run()
    made = [{"opponent": "/a/x", "detail": {"opponent": "x"}}, {"opponent": "/a/y", "detail": {"opponent": "y"}}]
    made += [{"extractor": {"name": "net", "hash": "ab"}}, {"extractor": {"name": "own", "hash": "cd"}}]
    lines = [measured(step, at + step, **more) for step in (100, 200) for at, more in enumerate(made)]
    (run / "metrics.jsonl").write_text("".join(lines))
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert [row[1] for row in rows(page, 0)] == ["200", "201", "202", "203"]
    drawn = {trace["name"]: trace["y"] for trace in figures(page)[-1]["traces"]}
    assert list(drawn.values()) == [[100, 200], [101, 201], [102, 202], [103, 203]]
    assert next(iter(drawn)).startswith("n = 500, seed 0, against x")
    assert list(drawn)[3].endswith("features own")


@pytest.mark.parametrize(
    "value", [pytest.param(10**400, id="huge"), float("inf"), float("nan"), True, "text", [1], {"a": 1}, None]
)
def test_a_foreign_record_ends_in_no_traceback(make_run, tmp_path, value):
    run = make_run()
    detail = dict.fromkeys(("histogram", "names", "medians", "distribution", "curves", "opponent", "x"), value)
    told = dict.fromkeys(("detail", "extractor", "opponent", "among", "pictures", "protocol", "metric"), value)
    (run / "metrics.jsonl").write_text(
        measured(1, 2, detail=detail) + measured(1, 2, **told) + measured(1, 2, name="battle", detail=detail)
    )
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert len(rows(page, 0)) >= 2
    assert figures(page), "of the log"


def test_half_a_character_is_written_too(make_run, tmp_path):
    run = make_run()
    (run / "metrics.jsonl").write_text('{"name": "torn \\ud800", "value": 1}\n')
    assert r"torn \ud800" in reports.write([run], tmp_path / "page.html").read_text()

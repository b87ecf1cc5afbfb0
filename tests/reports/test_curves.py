"""Every logged series is drawn, with its own numbers, and what cannot be drawn is said."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agon import reports
from agon.figures.colours import colour
from agon.reports.curves import thin
from tests.reports.conftest import lines, record
from tests.reports.page import figures, read_page, section, traces


def test_every_logged_series_appears_with_its_values(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    log = [record(step, 0) for step in range(10, 1001, 10)]
    drawn = {(tuple(t["x"]), tuple(t["y"])) for figure in figures(page) for t in figure["traces"]}
    for key in {key for key in log[0] if not key.startswith("wall/")} - {"step", "images"}:
        assert (tuple(r["step"] for r in log), tuple(r[key] for r in log)) in drawn, key


def test_series_share_a_plot_when_they_share_a_unit(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    plots = [[trace["name"] for trace in figure["traces"]] for figure in figures(page)]
    assert plots[:4] == [["generator", "critic"], ["real", "fake"], ["generator", "critic"], ["r1"]]
    titles = [head.words() for head in section(page, "curves").all("h3")]
    assert titles[:3] == ["Losses", "Mean logits (higher is more real)", "Gradient norms"]


def test_the_clock_is_told_in_words_and_has_no_chart(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    assert not [name for name in traces(page) if "second" in name]
    facts = [fact.words() for fact in page.all("span", "facts")[0].all("span")[1:]]
    assert "2.05 min" in facts
    assert any(fact.endswith("images per second") for fact in facts)


def test_a_run_has_one_colour_everywhere(make_run, tmp_path):
    runs = [make_run("one"), make_run("two", seed=1), make_run("three", seed=2)]
    page = read_page(reports.write(runs, tmp_path / "page.html"))
    curves = traces(page)
    for index, name in enumerate(("one", "two", "three")):
        own = {key: trace for key, trace in curves.items() if key.startswith(f"{name}: ")}
        assert len(own) >= 6
        assert {trace["line"]["color"] for trace in own.values()} == {colour(index)}
        assert own[f"{name}: generator"]["line"]["dash"] != own[f"{name}: critic"]["line"]["dash"]
    for part in (page.all("header")[0], section(page, "settings"), section(page, "resume")):
        dots = [dot.attributes["style"] for dot in part.all("span", "dot")]
        assert dots[:3] == [f"background:{colour(index)}" for index in range(3)]


def test_a_series_that_only_one_run_has_is_drawn(make_run, tmp_path):
    one, two = make_run("one"), make_run("two")
    (two / "log.jsonl").write_text(lines([{"step": 5, "lipschitz": 3.5}]))
    curves = traces(read_page(reports.write([one, two], tmp_path / "page.html")))
    assert curves["two: lipschitz"]["y"] == [3.5]
    assert "one: lipschitz" not in curves


def test_a_single_record_is_a_point_that_can_be_seen(make_run, tmp_path):
    run = make_run()
    (run / "log.jsonl").write_text(lines([record(100, 0)]))
    curves = traces(read_page(reports.write([run], tmp_path / "page.html")))
    assert curves["fake"]["x"] == [100]
    assert "markers" in curves["fake"]["mode"]


@pytest.mark.parametrize("broken", [math.nan, math.inf, None])
def test_what_is_not_finite_is_a_gap_and_is_said(make_run, tmp_path, broken):
    run = make_run()
    with (run / "log.jsonl").open("a") as log:
        log.write(json.dumps({"step": 1010, "loss/critic": broken}) + "\n")
        log.write(json.dumps({"step": 1020, "loss/critic": broken}) + "\n")
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert figures(page)[0]["traces"][1]["y"][-2:] == [None, None]
    (warning,) = section(page, "curves").all("p", "warning")
    expected = "loss/critic is not a finite number in 2 of 102 records, first at step 1,010."
    assert warning.words() == expected


def test_gradients_over_decades_get_a_logarithmic_axis(make_run, tmp_path):
    run = make_run()
    (run / "log.jsonl").write_text(
        lines([{"step": s, "gradient/critic": 10.0**s, "loss/critic": 10.0**s} for s in range(9)])
    )
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert [figure["logarithmic"] for figure in figures(page)[:2]] == [False, True]


def test_scores_over_the_training_are_curves_with_their_errors(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    titles = [head.words() for head in section(page, "curves").all("h3")]
    assert titles[-2:] == ["Score: classes", "Score: inception"]  # coverage was measured once
    (trace,) = figures(page)[-1]["traces"]
    assert (trace["x"], trace["y"]) == ([500, 1000], [7.9, 8.41234])
    assert trace["error_y"]["array"] == [0.31, 0.12]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(4, 50))
def test_thinning_keeps_order_and_peaks(values, most):
    steps, kept = thin(range(len(values)), values, most)
    assert len(steps) <= most
    assert steps == sorted(set(steps))
    assert kept == [values[step] for step in steps]
    assert (min(kept), max(kept)) == (min(values), max(values))


def test_a_long_log_makes_a_page_that_opens(make_run, tmp_path):
    run = make_run()
    (run / "log.jsonl").write_text(lines([{"step": s, "loss/critic": float(s == 4321)} for s in range(20_000)]))
    curves = traces(read_page(reports.write([run], tmp_path / "page.html")))
    assert len(curves["critic"]["x"]) <= 2000
    assert dict(zip(curves["critic"]["x"], curves["critic"]["y"], strict=True))[4321] == 1.0

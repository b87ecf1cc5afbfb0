"""The short table of scores and the lines above it: what differs, and which run is better."""

import json
import re
from pathlib import Path

import pytest

from agon import reports
from agon.reports.comparison import comparison
from agon.reports.reading import read
from tests.reports.page import Element, read_page, section


def measure(run: Path, **scores: tuple[float, float]) -> Path:
    """Replace the scores of a run."""
    lines = [
        {"name": name.replace("_", "-"), "value": value, "error": error, "n": 500, "seed": 0, "step": 1000}
        for name, (value, error) in scores.items()
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def compared(page: Element) -> Element:
    (table,) = section(page, "scores").all("table", "compared")
    return table


def test_a_run_has_a_table_of_values_with_arrows_and_the_protocol_is_folded(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    table = compared(page)
    body = [" ".join(row.words().split()) for row in table.all("tr")[1:]]
    assert body == ["classes ↑ 10", "inception 8.412 ± 0.12", "coverage ↑ 0.934 [0.902, 0.957]"]
    assert [cell.words() for cell in table.all("tr")[0].all("th")] == ["score", "value"]
    assert "protocol" not in "".join(cell.words() for cell in table.all("th"))
    (fold,) = section(page, "scores").all("details", "protocols")
    assert "accuracy 0.98 on 360 held-out" in fold.words()
    assert "open" not in fold.attributes
    assert not section(page, "scores").all("p", "verdict"), "one run is better than none"


def test_the_best_of_several_runs_is_marked_and_named(make_run, tmp_path):
    runs = [
        measure(make_run("good"), pixels_kernel_distance=(0.00035, 0.0002), coverage=(0.9, 0.01)),
        measure(make_run("bad", width=8), pixels_kernel_distance=(0.13, 0.004), coverage=(0.3, 0.01)),
        measure(make_run("near", width=32), pixels_kernel_distance=(0.0005, 0.0002), coverage=(0.5, 0.01)),
    ]
    page = read_page(reports.write(runs, tmp_path / "page.html"))
    cells = [row.all("td") for row in compared(page).all("tr")[1:]]
    assert [[cell.words().split()[-1] for cell in row] for row in cells] == [["★", "0.004", "≈"], ["★", "0.01", "0.01"]]
    assert [cell.attributes["data-of"] for cell in cells[0]] == ["good", "bad", "near"]
    (sentence,) = section(page, "scores").all("p", "verdict")
    assert "good is better than bad; good cannot be told apart from near" in sentence.words()


def test_what_differs_is_one_line(make_run, tmp_path):
    page = read_page(reports.write([make_run("one"), make_run("two", seed=3, width=8)], tmp_path / "page.html"))
    (line,) = page.all("p", "differ")
    assert "game.generator.width: 64, 8; game.critic.width: 64, 8; seed: 0, 3" in line.words()
    three = [tmp_path / "one", make_run("four"), tmp_path / "two"]
    (line,) = read_page(reports.write(three, tmp_path / "page.html")).all("p", "differ")
    assert "game.generator.width: 64 ×2, 8" in line.words()
    alone = read_page(reports.write([make_run("three")], tmp_path / "page.html"))
    assert not alone.all("p", "differ")


def test_seeds_are_a_column_of_means(make_run, tmp_path):
    runs = [measure(make_run(f"s{seed}", seed=seed), kid=(0.1 + seed / 100, 0.001)) for seed in range(3)]
    it = comparison(read(runs))
    assert [(column.note, row.cells[0].value) for column, row in zip(it.columns, it.rows, strict=True)] == [
        ("mean and 95 % interval of 3 seeds", "0.11")
    ]
    assert it.rows[0].cells[0].uncertainty == "[0.08516, 0.1348]"
    assert it.sentence == ""
    other = measure(make_run("other", width=8), kid=(0.3, 0.001))
    it = comparison(read([*runs, other]))
    assert [column.name for column in it.columns] == ["s0 and 2 more", "other"]
    assert it.sentence.startswith("s0 and 2 more is better than other: kid 0.11 [0.08516, 0.1348] against 0.3")


def test_measurements_of_one_name_are_rows_of_their_own(make_run, tmp_path):
    """Of 500 and of 50 samples; the sentence still knows which direction is good."""
    runs = []
    for name, width, value in (("a", 64, 0.1), ("b", 8, 0.5)):
        run = measure(make_run(name, width=width), kid=(value, 0.001))
        with (run / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"name": "kid", "value": value, "error": 0.001, "n": 50, "step": 1000}) + "\n")
        runs.append(run)
    it = comparison(read(runs))
    assert len(it.rows) == 2
    assert all(row.sign == "↓" for row in it.rows)
    assert it.sentence.startswith("a is better than b")


@pytest.mark.parametrize("value", [float("inf"), float("nan"), None])
def test_a_foreign_value_is_shown_and_never_best(make_run, tmp_path, value):
    runs = [make_run("a"), make_run("b", width=8)]
    for run in runs:
        (run / "metrics.jsonl").write_text(json.dumps({"name": "kid", "value": value, "error": value}) + "\n")
    it = comparison(read(runs))
    assert [cell.mark for row in it.rows for cell in row.cells] == ["", ""]


def test_no_dot_is_left_at_the_end_of_a_line(make_run, make_points, tmp_path):
    text = reports.write([make_run(), make_points()], tmp_path / "page.html").read_text()
    assert "·" not in re.sub(r"data:[^\"]*", "", text)

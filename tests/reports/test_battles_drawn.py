"""Battles on the page: a row an opponent, a row a critic that was asked alone, and foreign records."""

import json
import math
from pathlib import Path

import pytest

from agon import reports
from agon.reports import battles
from agon.reports.reading import read
from tests.reports.page import figures, read_page, section


def add(run: Path, **record: object) -> Path:
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"value": 0.5, "step": 1000, "metric": "battle", **record}) + "\n")
    return run


def test_a_battle_is_a_row_with_its_verdict(make_run, tmp_path):
    side = {"test": {"value": 0.1}, "foreign": {"value": 0.25}, "own": {"value": 0.3}, "protocol": "running statistics"}
    detail = {
        "opponent": "gran3",
        "winner": "gran3 wins",
        "verdict": "undecided",
        "reason": "r_sample may be 1",
        "r_test": 0.95,
        "r_test_interval": [0.8, 1.1],
        "areas": {"verdict": "gran1 wins", "reason": "its area is larger", "disagreement": "the verdicts disagree"},
        "critics": [
            {"name": "gran1", **side, "train": {"value": 0.05}, "seen": {"value": 0.7, "interval": [0.65, 0.75]}},
            {"name": "gran3", **side},
        ],
    }
    old = add(make_run("gran1"), name="battle", value=1.7, interval=[1.6, 1.9], detail={**detail, "verdict": "older"})
    run = add(old, name="battle", value=1.2, interval=[0.9, 1.6], detail=detail)
    page = read_page(reports.write([run], tmp_path / "page.html"))
    table = section(page, "scores").all("table")[-1]
    (row,) = [[cell.words() for cell in row.all("td")] for row in table.all("tr")[1:]]
    assert row[:5] == ["gran1", "gran3", "0.95 [0.8, 1.1]", "1.2 [0.9, 1.6]", "gran3 wins"]
    assert "undecided" in row[5]
    assert "by areas, gran1 wins: its area is larger" in row[5]
    assert "the verdicts disagree" in row[5]
    assert "its own 0.3, training 0.05; running statistics; training before test samples 0.7 [0.65, 0.75]" in row[5]
    assert "gran3's critic errs on samples: real 0.1, the other's 0.25, its own 0.3; running statistics" in row[5]


def test_opponents_of_one_name_are_two(make_run, tmp_path):
    """Each is called by the shortest end of its path that differs; a run on the page by its name there."""
    run, other = make_run("mine"), make_run("other")
    for value, place in ((0.5, "/a/gran"), (0.6, "/b/gran"), (0.7, "/b/gran"), (0.8, str(other.resolve()))):
        add(run, name="battle", value=value, opponent_path=place, detail={"opponent": "gran"})
    add(run, name="battle", value=0.9, detail={"opponent": "old"})
    rows = battles.rows(read([run, other]))
    assert [(row.opponent, row.sample) for row in rows] == [
        ("a/gran", "0.5"),
        ("b/gran", "0.7"),
        ("other", "0.8"),
        ("old", "0.9"),
    ]


def test_errors_of_one_critic_have_a_table(make_run, tmp_path):
    """Both runs have the record: it is one row. A judge that is not shown has no colour."""
    judge, vae = make_run("judge"), make_run("vae")
    told = {"name": "error", "value": 0.125, "interval": [0.1, 0.15], "n": 400}
    places = {"judge_path": str(judge.resolve()), "opponent_path": str(vae.resolve())}
    for run in (judge, vae):
        add(run, **told, **places, detail={"judge": "judge", "opponent": "vae"})
    add(judge, **told, judge_path=places["judge_path"], opponent_path="/x/noise.npz", detail={"judge": "judge"})
    add(vae, **told, judge_path="/y/gran", opponent_path=places["opponent_path"])
    found = battles.errors(read([judge, vae]))
    assert [(row.judge, row.opponent) for row in found] == [("judge", "vae"), ("judge", "noise.npz"), ("gran", "vae")]
    assert [bool(row.colour) for row in found] == [True, True, False]
    page = read_page(reports.write([judge, vae], tmp_path / "page.html"))
    table = section(page, "scores").all("table")[-1]
    row = [cell.words() for cell in table.all("tr")[1].all("td")]
    assert row == ["judge", "vae", "0.125", "[0.1, 0.15]", "400"]


def test_an_older_error_has_names_alone(make_run):
    run = add(make_run("one"), name="error", n=60, detail={"judge": "one", "opponent": "vae"})
    (row,) = battles.errors(read([run]))
    assert (row.judge, row.opponent, row.n) == ("one", "vae", "60")


@pytest.mark.parametrize(
    "damage", [["a", "b"], [math.nan, 1.0], "text", 3, math.nan, math.inf, pytest.param(10**400, id="huge"), True, None]
)
def test_a_foreign_battle_ends_in_no_traceback(make_run, tmp_path, damage):
    """Text in intervals, numbers for critics, what is not finite anywhere."""
    keys = ("r_test", "r_test_interval", "critics", "winner", "verdict", "reason", "areas")
    run = add(make_run(), name="battle", detail={"opponent": "x", **dict.fromkeys(keys, damage)})
    critics = [{"name": damage, "test": {"value": damage}, "own": damage, "protocol": damage, "seen": damage}, damage]
    critics.append({"seen": {"value": damage, "interval": damage}})
    add(run, name="battle", detail={"opponent": "y", "critics": critics})
    add(run, name="error", judge_path=damage, opponent_path=damage, detail={"judge": damage, "opponent": damage})
    add(run, name="error", judge_path="", opponent_path="\0")
    page = read_page(reports.write([run], tmp_path / "page.html"))
    rows = battles.rows(read([run]))
    assert [row.opponent for row in rows] == ["x", "y"]
    assert rows[0].test == ("3" if damage == 3 else "?")
    assert figures(page)

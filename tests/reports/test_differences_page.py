"""Paired differences and skill curves, read from the JSON that commands leave, on the page of a tournament."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agon import reports
from agon.errors import RunError
from agon.reports.tournaments.comparisons import comparison
from tests.reports.league import league, tournament
from tests.reports.page import figures, read_page, section


def score(name: str, difference: float, half: float | None, **changed: Any) -> dict[str, Any]:
    """One score of a comparison's JSON; lower is better."""
    known = {
        "name": name, "best": "lower", "scale": "value", "difference": difference, "covers": "seeds",
        "needed_seeds": None,
        "interval": None if half is None else [difference - half, difference + half],
        "together": None if half is None else [difference - 2 * half, difference + 2 * half],
        "decided": False, "better": "first" if difference < 0 else "second",
    }  # fmt: skip
    return {**known, **changed}


def compared(file: Path, *scores: dict[str, Any], names: tuple[str, str] = ("gran3", "dcgan")) -> Path:
    file.write_text(json.dumps({"names": names, "scores": scores, "sentence": f"{names[0]} is better.", "places": {}}))
    return file


def test_the_better_is_on_its_side_whatever_its_score_counts(tmp_path: Path) -> None:
    rows = comparison(
        compared(
            tmp_path / "c.json",
            score("fid", -2.0, 1.0, decided=True),
            score("coverage", 0.1, 0.3, best="higher", better="first", needed_seeds=12),
            score("battle", 0.7, 0.2, scale="logarithm", better="second"),
            score("sharpness", 0.5, 0.1, best=None, better=""),
            score("fid of one", 1.0, None, covers="samples"),
        )
    ).rows
    assert [row.at < 50 for row in rows] == [True, True, False, True, False]
    assert [row.kind for row in rows] == ["decided", "open", "open", "describes", "open"]
    for row in rows[:4]:
        start, width = row.together
        assert 0 <= start <= row.alone[0] <= row.at <= row.alone[0] + row.alone[1] <= start + width <= 100
    assert (rows[0].value, rows[0].interval, rows[0].note) == ("−2", "[−3, −1]", "decided")
    assert rows[1].note == "open: 12 seeds of each would decide it as often as not"
    assert rows[2].value == "×2.01", "a ratio"
    assert rows[4].alone == (0.0, 0.0)
    assert rows[4].note == "open; of these trainings alone"


def test_it_stands_alone_or_with_a_tournament(tmp_path: Path) -> None:
    file = compared(tmp_path / "c.json", score("fid", -2.0, 1.0), names=("<b>a", "b"))
    alone = read_page(reports.write(file))
    assert (tmp_path / "report.html").is_file()
    assert alone.all("h1")[0].text == "<b>a against b"
    assert len(section(alone, "differences").all("div", "open")) == 1
    folder = tournament(tmp_path / "t", league(2, 1), samples=False)
    both = read_page(reports.write([folder, file]))
    assert both.all("h1")[0].text == "Tournament of 4 contestants"
    assert len(section(both, "differences").all("h3")) == 1


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"names": ["a"], "scores": [], "sentence": ""}'])
def test_other_json_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(RunError, match=r"c\.json"):
        reports.write(tmp_path / "c.json")


def skill(steps: list[int], value: float = 0.0) -> dict[str, Any]:
    ratings = [{"name": f"step {at}", "value": value, "interval": [value - 1, value + 1]} for at in steps]
    return {"steps": steps, "ratings": {"generators": ratings, "critics": ratings[::-1]}}


def test_skill_of_the_runs_is_drawn(make_run, tmp_path: Path) -> None:
    run, damaged = make_run("gran3"), make_run("dcgan")
    (run / "skill.json").write_text(json.dumps(skill([1, 10, 100])))
    (damaged / "skill.json").write_text(json.dumps({"steps": [1]}))
    result = league(2, 1)
    result = replace(result, places={**result.places, "gran3/seed-0": str(run), "dcgan/seed-0": str(damaged)})
    page = read_page(reports.write(tournament(tmp_path / "t", result, samples=False)))
    (drawn,) = figures(page)
    assert [trace["name"] for trace in drawn["traces"]] == ["generator", "critic"]
    assert drawn["traces"][0]["x"] == [1, 10, 100]
    assert drawn["traces"][0]["error_y"]["array"] == [1.0] * 3
    assert [head.text for head in section(page, "skill").all("h3")] == ["gran3"]


def test_skill_of_a_run_is_on_its_own_page(make_run) -> None:
    """Beside its other curves; one of several runs is named, since each has a zero of its own."""
    run, bare = make_run("gran3"), make_run("dcgan")
    (run / "skill.json").write_text(json.dumps(skill([1, 10, 100])))
    titles = [head.text for head in section(read_page(reports.write(run)), "curves").all("h3")]
    assert titles[-1] == "Skill, logits"
    assert not [head for head in section(read_page(reports.write(bare)), "curves").all("h3") if "Skill" in head.text]
    both = read_page(reports.write([run, bare]))
    assert [head.text for head in section(both, "curves").all("h3")][-1] == "Skill of gran3, logits"
    drawn = figures(both)[len(titles) - 1]
    assert [(trace["name"], trace["x"]) for trace in drawn["traces"]] == [
        ("generator", [1, 10, 100]),
        ("critic", [1, 10, 100]),
    ]

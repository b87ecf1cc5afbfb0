"""Run directories as they are found: growing, resumed, damaged, or no run at all."""

import json
import math
from pathlib import Path

import pytest

from agon.errors import RunError
from agon.reports.reading import read
from agon.untrusted import is_number


def append(file: Path, text: str) -> None:
    with file.open("a") as out:
        out.write(text)


def test_a_run_is_read_whole(make_run):
    (view,) = read([make_run()])
    assert (view.name, len(view.log), len(view.scores)) == ("digits", 100, 5)
    assert list(view.samples) == list(range(0, 1001, 100))
    assert view.scores[3].interval is None
    assert view.scores[4].interval == (0.902, 0.957)
    assert view.real is not None
    assert view.real.name == "real.png"


def test_a_line_that_is_being_written_is_left_out(make_run):
    run = make_run()
    append(run / "log.jsonl", '{"step": 1010, "loss/gene')
    append(run / "metrics.jsonl", '{"name": "cla')
    (view,) = read([run])
    assert (len(view.log), len(view.scores)) == (100, 5)


def test_a_step_that_was_made_again_counts_once(make_run):
    run = make_run()
    append(run / "log.jsonl", '{"step": 500, "loss/critic": 7.0}\n{"step": 1010, "loss/critic": 8.0}\n')
    (view,) = read([run])
    steps = [record["step"] for record in view.log]
    assert steps == sorted(set(steps))
    assert {record["step"]: record["loss/critic"] for record in view.log}[500] == 7.0


@pytest.mark.parametrize("written", ["NaN", "null", '"nan"'])
def test_not_a_number_has_three_spellings(make_run, written):
    run = make_run()
    append(run / "log.jsonl", f'{{"step": 2000, "loss/critic": {written}}}\n')
    assert math.isnan(read([run])[0].log[-1]["loss/critic"])


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("log.jsonl", "{broken\n", r"log\.jsonl, line 101 is not JSON .*delete the line"),
        ("log.jsonl", "[1]\n", r"line 101: expected a JSON object"),
        ("log.jsonl", '{"step": 9, "loss/critic": "high"}\n', r"expected a number for 'loss/critic', got 'high'"),
        ("log.jsonl", '{"loss/critic": 1.0}\n', r"line 101: expected a step"),
        ("log.jsonl", f'{{"step": 1{"0" * 400}}}\n', r"line 101: expected a number for 'step'"),
        ("metrics.jsonl", f"{'[' * 100_000}\n", r"metrics\.jsonl, line 6 is not JSON"),
        ("metrics.jsonl", '{"interval": ["low", 1]}\n', r"line 6: expected a number for 'interval', got 'low'"),
        ("metrics.jsonl", '{"value": [1]}\n', r"metrics\.jsonl, line 6: expected a number for 'value'"),
        ("experiment.json", "}", r"experiment\.json is not JSON"),
    ],
)
def test_damage_is_named_with_its_place_and_its_cure(make_run, file, text, message):
    run = make_run()
    append(run / file, text)
    with pytest.raises(RunError, match=message):
        read([run])


def test_what_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match=r"has no experiment\.json; expected the directory of a run"):
        read([tmp_path])
    with pytest.raises(RunError, match="is not a directory"):
        read([tmp_path / "nowhere"])
    with pytest.raises(RunError, match="expected one run directory or more, got none"):
        read([])
    (tmp_path / "experiment.json").write_text(json.dumps([1]))
    with pytest.raises(RunError, match="expected a JSON object, got list"):
        read([tmp_path])


def test_a_run_given_twice_is_shown_once(make_run):
    run = make_run()
    assert len(read([run, run / "samples" / ".."])) == 1


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, pytest.param(10**400, id="huge"), True, "1", None, [1]]
)
def test_what_cannot_be_drawn_is_no_finite_number(value):
    assert not is_number(value)
    assert is_number(-1.5)


def test_the_same_measurement_is_known_by_what_was_asked(make_run):
    """Not by its prose, which tells numbers; that counts only in records that do not say what was asked."""
    run = make_run()
    asked = {"name": "fid", "value": 1, "n": 90, "asked": 100, "seed": 0, "metric": "fid", "protocol": "of 90"}
    other = [{"protocol": "of 80", "n": 80}, {"metric": "fid-shrunk"}, {"extractor": {"hash": "c0ffee"}}]
    other += [{"asked": 200}, {"seed": 1}, {"opponent": "x"}, {"detail": {"opponent": "y"}}, {"among": ["a", "b"]}]
    other += [{"features": "pixels"}, {"statistics": "running"}, {"judge_path": "/a"}]
    entries = [{**asked, **each} for each in ({}, *other)]
    old = {key: value for key, value in asked.items() if key not in ("asked", "metric")}
    (run / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in (*entries, old, {**old, "protocol": "x"})))
    first, same, *different = [score.key for score in read([run])[0].scores]
    assert first == same
    assert len({first, *different}) == 1 + len(different) == 13

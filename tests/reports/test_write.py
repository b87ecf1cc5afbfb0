"""The page as a whole: complete, alone, safe, written at once."""

import hashlib
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from agon import reports
from agon.errors import RunError
from tests.reports.page import figures, read_page, section

ATTACK = "<script>alert('agon')</script>"
ORDER = ["samples", "scores", "evolution", "curves", "findings", "settings", "resume"]


def test_one_run_is_told_in_order(make_run, tmp_path: Path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    assert [part.attributes["id"] for part in page.all("section")] == ORDER
    assert page.all("h1")[0].words() == "digits"
    line = page.all("p", "run")[0].words()
    for fact in ("dcgan.Generator", "Images digits", "1,000 of 1,000 steps", "64,000 images", "2.05 min"):
        assert fact in line
    assert "agon resume" in section(page, "resume").words()


def test_nothing_outside_the_file_is_referred_to(make_run, make_points, tmp_path: Path):
    page = read_page(reports.write([make_run(), make_points()], tmp_path / "page.html"))
    elements = [element for tag in ("img", "script", "link", "a", "iframe", "object") for element in page.all(tag)]
    for element in elements:
        for name in ("src", "href", "data", "srcset", "action"):
            assert element.attributes.get(name, "data:").startswith("data:")
    for style in [style.text for style in page.all("style")] + [e.attributes.get("style", "") for e in elements]:
        assert not re.search(r"https?:|url\(|@import", style)
    assert not page.all("link")


def test_the_policy_forbids_the_network_and_every_script_but_ours(make_run, tmp_path: Path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    policy = next(m.attributes["content"] for m in page.all("meta") if "http-equiv" in m.attributes)
    assert policy.startswith("default-src 'none'; img-src data: blob:;")
    scripts = [script.text for script in page.all("script") if "type" not in script.attributes]
    named = re.search(r"script-src ([^;]*);", policy)[1].split()
    assert named == ["'sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in scripts]
    assert len(named) == 1


def test_what_a_run_says_is_text_and_never_markup(make_run, tmp_path: Path):
    run = make_run(ATTACK.replace("/", ""))
    settings = json.loads((run / "experiment.json").read_text())
    settings["data"]["path"] = ATTACK
    settings[ATTACK] = {"type": ATTACK, ATTACK: [ATTACK]}
    (run / "experiment.json").write_text(json.dumps(settings))
    with (run / "log.jsonl").open("a") as log:
        log.write(json.dumps({"step": 2000, f"loss/{ATTACK}": 1.0, ATTACK: 2.0}) + "\n")
    with (run / "metrics.jsonl").open("a") as metrics:
        detail = {"histogram": [1, 2], "names": [ATTACK, "</span>"]}
        metrics.write(json.dumps({"name": ATTACK, "value": 1, "protocol": ATTACK, "detail": detail}) + "\n")
    file = reports.write([run, make_run("other")], tmp_path / "page.html")
    page = read_page(file)  # which fails where an element is closed by another
    assert len(page.all("script")) == 2
    assert "<script>alert" not in file.read_text()
    assert ATTACK in section(page, "settings").words()
    assert ATTACK in section(page, "scores").words()
    assert "<" not in "".join(trace["name"] for figure in figures(page) for trace in figure["traces"])


def test_the_same_runs_give_the_same_bytes(make_run, make_points, tmp_path: Path):
    runs = [make_run(), make_points(), make_points("line", d=1)]
    first = reports.write(runs, tmp_path / "first.html").read_bytes()
    assert reports.write(runs, tmp_path / "second.html").read_bytes() == first


def test_a_folder_gets_report_html_and_a_run_is_only_read(make_run):
    run = make_run()
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    assert reports.write([run], run) == run / "report.html"
    after = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    assert set(after) - set(before) == {run / "report.html"}
    assert all(after[file] == content for file, content in before.items())


def test_a_page_that_cannot_be_finished_leaves_the_old_one(make_run, tmp_path: Path, monkeypatch):
    run, out = make_run(), tmp_path / "out" / "page.html"
    out.parent.mkdir()
    out.write_text("the old page")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(RunError, match="No space left on device"):
        reports.write([run], out)
    assert out.read_text() == "the old page"
    assert list(out.parent.iterdir()) == [out]


def test_a_page_with_nowhere_to_go_says_so(make_run, tmp_path: Path):
    with pytest.raises(RunError, match=r"nowhere.*cannot be written"):
        reports.write([make_run()], tmp_path / "nowhere" / "page.html")


def test_a_run_that_has_done_nothing_is_told_honestly(make_run, tmp_path: Path):
    run = make_run()
    for name in ("log.jsonl", "metrics.jsonl", "arithmetic.json"):
        (run / name).unlink()
    for file in (run / "samples").iterdir():
        file.unlink()
    file = reports.write([run], tmp_path / "page.html")
    page = read_page(file)
    assert "Nothing has been measured yet" in section(page, "scores").words()
    assert "No samples have been drawn yet" in section(page, "samples").words()
    assert "No step has been logged yet" in section(page, "curves").words()
    assert "were not recorded" in section(page, "settings").words()
    assert "To start it" in section(page, "resume").words()
    assert not page.all("script"), "without curves there is nothing to run"
    assert file.stat().st_size < 50_000


def test_the_room_is_entered_without_what_draws():
    code = (
        "import sys, agon.figures.pictures, agon.terminal.progress, agon.reports, agon\n"
        "agon.train, agon.resume, agon.replicate\n"
        "print([name for name in ('matplotlib', 'jinja2', 'scipy', 'rich', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_page_in_an_impossible_place_is_a_sentence(make_run, tmp_path: Path):
    run = make_run()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"kept")
    places = ("nowhere/page.html", "file/page.html", "file/deeper/page.html", "pipe", "a" * 250 + ".html")
    for place in places[:-1]:
        with pytest.raises(RunError, match=re.escape(str(tmp_path / place))):
            reports.write([run], tmp_path / place)
    assert reports.write([run], tmp_path / places[-1]).is_file()
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_leaves_the_old_page(make_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "page.html"
    page.write_text("old")
    run = make_run()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agon.runs.files.write_through", full)
    with pytest.raises(RunError, match="No space left"):
        reports.write([run], page)
    assert page.read_text() == "old"


def test_no_control_characters_on_a_page(make_run, tmp_path: Path):
    run = make_run("a\x1b[31mb\u202ec")
    settings = json.loads((run / "experiment.json").read_text())
    settings["data"]["path"] = "x\x07\x1b]0;title\x07"
    (run / "experiment.json").write_text(json.dumps(settings))
    with (run / "metrics.jsonl").open("a") as metrics:
        metrics.write(json.dumps({"name": "n\x1b[2J", "value": 1.0, "protocol": "p\x00\x9b"}) + "\n")
    told = reports.write([run], tmp_path / "page.html").read_text()
    ours = told.partition('<script type="application/json"')[0]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", ours)
    assert "x\\x07\\x1b]0;title" in told

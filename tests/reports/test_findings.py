"""Alarms on the page: a band over the losses, one click away from the samples of where it began."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agon import reports
from agon.diagnosis import Diagnosis, Finding
from tests.browser import Browser
from tests.reports.conftest import lines
from tests.reports.page import figures, read_page, section

HOSTILE = "<script>alert(1)</script>\x1b[31m"
ENDING = {"step": 1000, "looked_at": ["collapse", "rotation"], "looks": 21, "seen": {"rotation": 1000, "collapse": 700}}


def alarm(step: int, sickness: str, since: int | None, **more: Any) -> dict[str, Any]:
    return {"step": step, "sickness": sickness, "severity": "serious", "since_step": since, "sentence": "it is", **more}


@pytest.fixture
def sick(make_points: Callable[..., Path]) -> Path:
    """A run with two alarms, of which one has gone away."""
    run = make_points()
    alarms = [alarm(600, "collapse", 540), alarm(700, "rotation", 410, severity="fatal"), ENDING]
    (run / "alarms.jsonl").write_text(lines(alarms))
    return run


def test_alarms_are_told_and_lead_to_samples(sick: Path) -> None:
    page = read_page(reports.write(sick))
    told = section(page, "findings")
    assert [head.words() for head in told.all("h3")] == ["collapse, serious", "rotation, fatal"]
    collapse, rotation = told.all("div", "finding")
    assert "It is. Raised at step 600, seen since step 540; last seen at step 700." in " ".join(
        collapse.words().split()
    )
    assert "Raised at step 700, seen since step 410." in " ".join(rotation.words().split())
    captions = [caption.words() for caption in rotation.all("figcaption")]
    assert captions == ["step 300, before", "step 400, where it began", "step 1,000, the last"]
    assert len(rotation.all("img")) == 3
    links = [link.attributes["href"] for link in page.all("header")[0].all("a")]
    assert links == [f"#{finding.attributes['id']}" for finding in (collapse, rotation)]


def test_bands_are_over_the_losses(sick: Path) -> None:
    drawn = figures(read_page(reports.write(sick)))
    losses, *others = drawn
    assert [(mark["name"], mark["since"], mark["until"], mark["severity"]) for mark in losses["marks"]] == [
        ("collapse", 540, 700, "serious"),
        ("rotation", 410, 1000, "fatal"),
    ]
    assert all(figure["marks"] == [] for figure in others)


def test_a_healthy_run_says_what_was_looked_at(make_run: Callable[..., Path]) -> None:
    one, two = make_run("one"), make_run("two", seed=1)
    (one / "alarms.jsonl").write_text(lines([ENDING]))
    sentences = [line.words() for line in section(read_page(reports.write([one, two])), "findings").all("p", "none")]
    assert sentences[0] == "one: No alarm in 21 looks until step 1,000. Looked at: collapse, rotation."
    assert sentences[1].startswith("two: No alarm is on record. To look for what may be wrong: agon diagnose ")


def test_a_diagnosis_is_drawn_beside_the_alarms(sick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an alarm named is not told twice; a healthy run is told so."""
    seen = {"rotation": {"ratio": 0.1}}

    def finding(sickness: str, since: int | None) -> Finding:
        return Finding(
            sickness=sickness, severity="notice", since_step=since, evidence={}, sentence="it was", remedies=()
        )

    findings = [finding("rotation", 400), finding("setback", 800)]
    diagnoses = {sick: Diagnosis(run="", state="", findings=tuple(findings), looked_at=seen, unseen={})}
    monkeypatch.setattr("agon.diagnosis.diagnose", lambda run, trust, show: diagnoses[run])
    page = read_page(reports.write(sick, diagnosed=True))
    told = section(page, "findings")
    assert [head.words() for head in told.all("h3")] == ["collapse, serious", "rotation, fatal", "setback, notice"]
    last = " ".join(told.all("div", "finding")[-1].words().split())
    assert "It was. Found afterwards, by a diagnosis, seen since step 800." in last
    assert [(mark["name"], mark["since"], mark["until"]) for mark in figures(page)[0]["marks"]][-1] == (
        "setback",
        800,
        1000,
    )
    (sick / "alarms.jsonl").unlink()
    diagnoses[sick] = Diagnosis(run="", state="", findings=(), looked_at=seen, unseen={})
    sentences = section(read_page(reports.write(sick, diagnosed=True)), "findings").all("p", "none")
    assert [line.words() for line in sentences] == ["Nothing found. Looked at: rotation."]
    unseen = {"collapse": "say --trust", "setback": "it needs two checkpoints", "dead-units": "say --trust"}
    for looked_at, first in ((seen, "Nothing found. Looked at: rotation."), ({}, "Nothing could be looked at.")):
        diagnoses[sick] = Diagnosis(run="", state="", findings=(), looked_at=looked_at, unseen=unseen)
        sentences = section(read_page(reports.write(sick, diagnosed=True)), "findings").all("p", "none")
        rest = "Not looked at: collapse, dead-units (say --trust); setback (it needs two checkpoints)."
        assert [line.words() for line in sentences] == [f"{first} {rest}"]


def test_hostile_and_damaged_alarms_are_harmless(make_run: Callable[..., Path]) -> None:
    run = make_run()
    broken = [{"step": -1, "sickness": "x"}, {"step": "a"}, alarm(10**30, "x", 1), alarm(5, "x", -5), {"step": 1}]
    hostile = alarm(5, HOSTILE, 10**6, sentence=HOSTILE, severity=HOSTILE)
    (run / "alarms.jsonl").write_text(lines([*broken, hostile]) + '{"step": 5, "sick')
    text = reports.write(run).read_text()
    page = read_page(run / "report.html")
    assert "<script>alert" not in text
    assert len(section(page, "findings").all("div", "finding")) == 1
    (mark,) = figures(page)[0]["marks"]
    assert (mark["severity"], mark["since"], mark["until"]) == ("notice", 10**6, 10**6)
    (run / "alarms.jsonl").write_text(lines([alarm(5, "", None, sentence="")]))
    assert read_page(reports.write(run))


@pytest.mark.parametrize("width", [1200, 400])
def test_a_browser_draws_the_bands_and_follows_them(sick: Path, browser: Browser, width: int) -> None:
    """Each band has its name inside the page, and a click leads to the samples."""
    browser.open(reports.write(sick), width)
    browser.drawn()
    assert browser.value("document.documentElement.scrollWidth") == width, "it overflows"
    texts = "[...document.querySelectorAll('.strip text')]"
    assert json.loads(browser.value(f"JSON.stringify({texts}.map((t) => t.textContent))")) == [
        "collapse since step 540",
        "rotation since step 410",
    ]
    ends = f"{texts}.map((t) => t.getBoundingClientRect()).every((b) => b.left >= 0 && b.right <= {width})"
    assert browser.value(ends)
    place = "document.querySelector('#finding-1').getBoundingClientRect().top"
    assert browser.value(place) > 900
    browser.value("document.querySelectorAll('.strip a')[1].dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    browser.drawn()
    assert 0 <= browser.value(place) < 900
    assert browser.complaints == []

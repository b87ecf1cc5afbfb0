"""What is wrong with runs: as marks over the curves, and each with the samples of the look nearest to where it began.

Alarms were raised while a run trained. Where a run is diagnosed for the page, what is found afterwards is beside them.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from agon.figures.colours import colour
from agon.figures.numbers import counted
from agon.reports import images, points
from agon.reports.embedding import Picture
from agon.reports.reading import View
from agon.runs.alarms import Alarm

MOST = 12  # of a page


class Found(NamedTuple):
    """One alarm or finding as the page tells it.

    Attributes:
        anchor: the id of its place on the page.
        run: name of the run.
        colour: colour of the run.
        alarm: the alarm, or the finding as one of the last step.
        since: the step since which it is seen, or the first one.
        until: the last step at which it was seen, or that of the log.
        when: when it was raised, and whether it went away, in words.
        pictures: samples of the look before it began, of the nearest one, and of the last one.
    """

    anchor: str
    run: str
    colour: str
    alarm: Alarm
    since: int
    until: int
    when: str
    pictures: list[Picture]


def found(views: Sequence[View]) -> list[Found]:
    """The alarms of all runs, and what their diagnoses find beside them, at most `MOST`.

    Raises:
        RunError: a file of samples cannot be read.
    """
    pairs = [(i, view, alarm) for i, view in enumerate(views) for alarm in (*view.alarms.raised, *afterwards(view))]
    return [_found(f"finding-{i}", index, view, alarm) for i, (index, view, alarm) in enumerate(pairs[:MOST])]


def diagnosed(view: View, trust: bool) -> View:
    """The view of a run with its diagnosis, which takes seconds and says how far it is."""
    from agon.diagnosis import diagnose

    return replace(view, diagnosis=diagnose(view.path, trust=trust, show=True))


def afterwards(view: View) -> list[Alarm]:
    """What the diagnosis of a run finds and no alarm named, each as an alarm of its last step."""
    if view.diagnosis is None:
        return []
    raised, step = {alarm.sickness for alarm in view.alarms.raised}, _reached(view)
    findings = [finding for finding in view.diagnosis.findings if finding.sickness not in raised]
    return [Alarm(step, it.sickness, it.severity, it.since_step, it.sentence) for it in findings]


def marks(alarms: Sequence[Found], several: bool) -> list[dict[str, Any]]:
    """What curves.js draws over the losses."""
    return [
        {
            "name": f"{each.run}: {each.alarm.sickness}" if several else each.alarm.sickness,
            "severity": each.alarm.severity if each.alarm.severity in ("fatal", "serious") else "notice",
            "since": each.since,
            "until": each.until,
            "link": f"#{each.anchor}",
        }
        for each in alarms
    ]


def lookout(views: Sequence[View]) -> list[str]:
    """For each run of which nothing is told, a sentence that says what was looked at."""
    healthy = [view for view in views if not view.alarms.raised and not afterwards(view)]
    return [(f"{view.name}: " if len(views) > 1 else "") + _healthy(view) for view in healthy]


def _healthy(view: View) -> str:
    if view.diagnosis is not None:
        looked_at = ", ".join(view.diagnosis.looked_at)
        found = f"Nothing found. Looked at: {looked_at}." if looked_at else "Nothing could be looked at."
        return f"{found}{_unseen(view.diagnosis.unseen_for)}"
    ending = view.alarms.ending
    if ending is None:
        return f"No alarm is on record. To look for what may be wrong: agon diagnose {shlex.quote(str(view.path))}"
    looks = counted(ending.looks, "look")
    return f"No alarm in {looks} until step {ending.step:,}. Looked at: {', '.join(ending.looked_at) or 'nothing'}."


def _unseen(looks_for: Mapping[str, Sequence[str]]) -> str:
    """Which looks could not be made, and why."""
    parts = [f"{', '.join(looks)} ({reason})" for reason, looks in looks_for.items()]
    return f" Not looked at: {'; '.join(parts)}." if parts else ""


def _found(anchor: str, index: int, view: View, alarm: Alarm) -> Found:
    since, reached, ending = alarm.since_step or 0, _reached(view), view.alarms.ending
    until, when = reached, "Found afterwards, by a diagnosis"
    if alarm in view.alarms.raised:
        until = reached if ending is None else ending.seen.get(alarm.sickness, alarm.step)
        when = f"Raised at step {alarm.step:,}"
    gone = "" if ending is None or until >= ending.step else f"; last seen at step {until:,}"
    when = f"{when}{f', seen since step {since:,}' if since else ''}{gone}."
    pictures = [
        picture._replace(caption=f"{picture.caption}{words}")
        for step, words in sorted(_steps(list(view.samples), since).items())
        if (picture := images.at(index, view, step) or points.at(index, view, step)) is not None
    ]
    return Found(anchor, view.name, colour(index), alarm, since, max(since, until), when, pictures)


def _reached(view: View) -> int:
    """The last step of the log."""
    return int(view.log[-1]["step"]) if view.log else 0


def _steps(steps: Sequence[int], since: int) -> dict[int, str]:
    """The look before a step, the nearest one to it, and the last one, with a word on each."""
    if not steps:
        return {}
    nearest = min(steps, key=lambda step: abs(step - since))
    before = [step for step in steps if step < min(nearest, since)][-1:]
    return {steps[-1]: ", the last"} | dict.fromkeys(before, ", before") | {nearest: ", where it began"}

"""Skill over a training: the skill.json that `agon skill` leaves in a run, as curves."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.figures.colours import colour
from agon.reports.curves import Figure, Trace
from agon.reports.reading import View
from agon.runs import Directory
from agon.runs.description import described_to_show
from agon.runs.layout import EXPERIMENT, SKILL
from agon.untrusted import MALFORMED, is_number

ROLES = ("generators", "critics")


def figures(views: Sequence[View]) -> list[Figure]:
    """A plot for each run that has a skill.json; each has a zero of its own, so they do not share one."""
    made = [figure(f"Skill of {view.name}, logits" if len(views) > 1 else "Skill, logits", view.path) for view in views]
    return [each for each in made if each]


def figure(title: str, run: Path) -> Figure | None:
    """The curves of a run; None if it has no skill.json, or a damaged one."""
    files = Directory(run)
    if not run.name or not files.is_file(EXPERIMENT) or not files.is_file(SKILL):
        return None
    try:
        values = described_to_show(run / SKILL)
        traces = [_trace(role, index, values) for index, role in enumerate(ROLES)]
    except (RunError, *MALFORMED):
        return None
    return Figure(title, traces, False, [])


def _trace(role: str, index: int, values: Mapping[str, Any]) -> Trace:
    rated = {rating["name"]: rating for rating in values["ratings"][role]}
    steps = [int(step) for step in values["steps"]]
    ratings = [rated[f"step {step}"] for step in steps]
    points = [float(rating["value"]) for rating in ratings]
    halves = [(rating["interval"][1] - rating["interval"][0]) / 2 if rating["interval"] else 0.0 for rating in ratings]
    if not _finite([*points, *halves]) or min(steps) < 1:
        raise ValueError("expected finite ratings of steps from 1")
    return {
        "name": role.removesuffix("s"),
        "x": steps,
        "y": points,
        "mode": "lines+markers",
        "line": {"color": colour((1, 0)[index]), "dash": "solid"},
        "error_y": {"array": halves},
    }


def _finite(values: Iterable[float]) -> bool:
    return all(map(is_number, values))

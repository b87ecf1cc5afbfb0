"""Remedies are tried: the options that a finding prints, under the same budget and seed as the sick training."""

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import agon
from agon.cli.shared import assignments, changed
from agon.diagnosis import Finding, Remedy, diagnose, view_of
from agon.diagnosis.geometry import energy
from agon.errors import DivergedError
from agon.experiment import Experiment
from agon.runs import Run
from tests.diagnosis.hospital import ONE_THREAD
from tests.diagnosis.ward import PATIENTS, diagnosed

SEEDS = (10, 11)
TREATED = (
    "ring without unrolling",
    "frozen generator",
    "frozen critic",
    "critic a thousand times as fast",
    "Wasserstein without a bound",
    "orbit of a bilinear game",
    "average that hardly forgets",
    "slow critic",
    "rates of 1",
    "statistics that stay behind",
    "digits before a critic that hardly moves",
    "saturating loss, far from the data",
    "generator a hundred times as fast",
)
ENDED = "diverged"


def treatment(experiment: Experiment, remedy: Remedy) -> Experiment:
    """An experiment with the options of a remedy, as the command line reads them."""
    words = [word for word in shlex.split(remedy.option) if word != "--set"]
    treated: Experiment = changed(experiment, assignments(words))
    return treated


def finding_of(name: str, seed: int, folder: Path) -> Finding | None:
    """What is found of a patient under the right name."""
    findings = diagnosed(name, seed, folder).findings
    return next((finding for finding in findings if finding.sickness == PATIENTS[name].right), None)


def treated(name: str, seeds: Sequence[int], folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of several seeds, one after another."""
    return together([treated_seed(name, seed, folder) for seed in seeds])


def treated_seed(name: str, seed: int, folder: Path) -> dict[str, dict[str, Any]]:
    """Option -> seed -> the names that are found afterwards, and the energy distances before and after.

    The remedies are those of all findings, in the order in which they are printed: a sickness may have its cure under
    the name of its cause.
    """
    rows: dict[str, dict[str, Any]] = {}
    findings = diagnosed(name, seed, folder).findings
    remedies = {r.option: r for finding in findings for r in finding.remedies if r.option}
    before = distance(folder / f"{name}-{seed}")
    for option, remedy in remedies.items():
        run = folder / f"{name}-{seed}-treated-{re.sub('[^a-z0-9.]+', '-', option)}"
        names = follow_up(replace(PATIENTS[name].make(), seed=seed), remedy, run)
        rows[option] = {str(seed): {"names": names, "before": before, "after": distance(run)}}
    return rows


def together(of_seeds: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The rows of several seeds as one: option -> seed -> what came of it."""
    rows: dict[str, dict[str, Any]] = {}
    for of_seed in of_seeds:
        for option, row in of_seed.items():
            rows.setdefault(option, {}).update(row)
    return rows


def follow_up(experiment: Experiment, remedy: Remedy, run: Path) -> list[str]:
    """Train with a remedy, and diagnose again."""
    if not run.exists():
        with suppress(DivergedError):
            agon.train(treatment(experiment, remedy), run, compute=ONE_THREAD, show=False)
    view = view_of(Run.of(run), trust=True)
    ended = [ENDED] if view.budget is not None and view.reached < view.budget else []
    return [*ended, *diagnose(run, trust=True).names]


def distance(run: Path) -> float | None:
    """The energy distance of the last samples from the real ones; None if there are none."""
    view = view_of(Run.of(run), trust=True)
    if view.real is None or not view.samples:
        return None
    return round(energy(list(view.samples.values())[-1], view.real), 3)


def table(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """A line for each remedy: how often the sickness is gone, and what is left."""
    lines = ["| patient | sickness | remedy | gone | energy distance | what is found then |", "|---|" + 5 * "---|"]
    for name, options in found.items():
        lines += [_row(name, option, list(seeds.values())) for option, seeds in options.items()]
    return lines


def _row(name: str, option: str, rows: Sequence[Mapping[str, Any]]) -> str:
    right = PATIENTS[name].right
    gone = sum(right not in row["names"] and ENDED not in row["names"] for row in rows)
    others = sorted({other for row in rows for other in row["names"]})
    distances = ", ".join(f"{_told(row['before'])} → {_told(row['after'])}" for row in rows)
    found = ", ".join(f"`{other}`" for other in others) or "nothing"
    shown = option.removeprefix("--set ").replace("|", "\\|")
    return f"| {name} | `{right}` | `{shown}` | {gone} of {len(rows)} | {distances} | {found} |"


def _told(distance: float | None) -> str:
    return "-" if distance is None else f"{distance:.2g}"

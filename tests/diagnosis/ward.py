"""The hospital's patients, one after another: trained, diagnosed, and told in a table."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from agon.diagnosis import Diagnosis, diagnose
from agon.errors import DivergedError
from tests.diagnosis.hospital import COSTLY, HEALTHY, SICK, Make, admit
from tests.diagnosis.hospital_data import HEALTHY as HEALTHY_DATA
from tests.diagnosis.hospital_data import SICK as SICK_DATA
from tests.diagnosis.hospital_games import HEALTHY_GAMES, SICK_GAMES

FIXED = (0, 1)  # seeds under which patients were chosen and thresholds fixed; 2 to 9 have been looked at since then
JUDGED = (10, 11, 12, 13, 14)  # seeds that were trained once everything was fixed


class Patient(NamedTuple):
    """Someone to be trained; `right` is the name of the sickness, "" for the healthy."""

    right: str
    make: Make


PATIENTS: Mapping[str, Patient] = {
    **{name: Patient(*pair) for name, pair in {**SICK, **SICK_GAMES, **SICK_DATA}.items()},
    **{name: Patient("", make) for name, make in {**HEALTHY, **HEALTHY_GAMES, **COSTLY, **HEALTHY_DATA}.items()},
}


class Seen(NamedTuple):
    """What was said of one training.

    Attributes:
        names: the sicknesses that were found, the gravest first.
        since: the step since which the right one is seen; None if it was not found, or has no beginning.
    """

    names: list[str]
    since: int | None


def diagnosed(name: str, seed: int, folder: Path) -> Diagnosis:
    """Train a patient, who may diverge, unless it lies there already; its classes are the tests' own."""
    run = folder / f"{name}-{seed}"
    if not run.exists():
        with suppress(DivergedError):
            admit(PATIENTS[name].make, seed, run)
    return diagnose(run, trust=True)


def seen(name: str, seed: int, folder: Path) -> Seen:
    """Train a patient, and keep what the table needs."""
    diagnosis = diagnosed(name, seed, folder)
    right = [finding for finding in diagnosis.findings if finding.sickness == PATIENTS[name].right]
    since = right[0].since_step if right else None
    return Seen(diagnosis.names, since)


Census = Mapping[str, Mapping[str, Seen]]  # patient -> seed -> what was said


def census(content: Mapping[str, Any]) -> Census:
    """What a file holds."""
    return {name: {seed: Seen(*row) for seed, row in seeds.items()} for name, seeds in content.items()}


def table(found: Census) -> list[str]:
    """The lines of the table: the sick, and the healthy."""
    sick = [name for name in found if PATIENTS[name].right]
    lines = [
        "| patient | right name | found | told first | median delay in steps | other names |",
        "|---|" + 5 * "---|",
    ]
    lines += [_sick_row(name, list(found[name].values())) for name in sick]
    lines += ["", "| healthy patient | alarms | which |", "|---|---|---|"]
    return lines + [_healthy_row(name, list(found[name].values())) for name in found if name not in sick]


def _sick_row(name: str, rows: Sequence[Seen]) -> str:
    right = PATIENTS[name].right
    named, first = sum(right in row.names for row in rows), sum(row.names[:1] == [right] for row in rows)
    steps = [row.since for row in rows if row.since is not None]
    delay = f"{median(steps):g}" if steps else "-"
    others = _listed({other for row in rows for other in row.names} - {right})
    return f"| {name} | `{right}` | {named} of {len(rows)} | {first} | {delay} | {others} |"


def _healthy_row(name: str, rows: Sequence[Seen]) -> str:
    which = _listed({other for row in rows for other in row.names})
    return f"| {name} | {sum(bool(row.names) for row in rows)} of {len(rows)} | {which} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "-"


def missed(found: Census) -> dict[str, int]:
    """Sick patient -> seeds under which the right name was not said."""
    wrong = {n: sum(PATIENTS[n].right not in row.names for row in seeds.values()) for n, seeds in found.items()}
    return {name: count for name, count in wrong.items() if PATIENTS[name].right and count}


def alarms(found: Census) -> tuple[int, int]:
    """How many healthy runs gave an alarm, and how many there are."""
    rows = [row for name, seeds in found.items() if not PATIENTS[name].right for row in seeds.values()]
    return sum(bool(row.names) for row in rows), len(rows)

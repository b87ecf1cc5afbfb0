"""Whether a path holds a run, or is free for one. The command line asks here before it imports torch."""

import os
from pathlib import Path

from agon.arguments import MOST_STEPS
from agon.errors import RunError, command
from agon.places import did_you_mean
from agon.runs.description import described
from agon.runs.directory import Directory
from agon.runs.files import refuse_undecodable
from agon.runs.groups import runs_in
from agon.runs.layout import EXPERIMENT, LEFTOVERS, REPLICATES


def refuse_no_run(path: Path) -> None:
    """Refuse a path that holds no run; the sentence has the run that may be meant.

    Raises:
        RunError: it does not exist, or has no experiment.json.
    """
    if not Directory(path).holds(EXPERIMENT):
        raise RunError(_no_run(path))


def _no_run(path: Path) -> str:
    """What is at a path instead of a run, and what may be meant."""
    if not os.path.lexists(path):
        advice = did_you_mean(path, holds_runs, f"agon train ... --out {path} begins one")
        return f"expected a run directory, got {path}, which does not exist{advice}"
    runs = runs_in(path)
    if runs != [path]:
        return (
            f"expected one run, got {path}, a folder of {len(runs)}; name one of them, such as {runs[0]}"
            if len(runs) > 1
            else f"expected a run directory, got {path}, which has no {EXPERIMENT}; did you mean {runs[0]}?"
        )
    around = next((parent for parent in path.parents if Directory(parent).holds(EXPERIMENT)), None)
    advice = f"did you mean {around}?" if around else f"agon train ... --out {path} begins one"
    if around is None and _taken(path):
        advice = "give the folder that agon train had as --out"
    return f"expected a run directory, got {path}, which has no {EXPERIMENT}; {advice}"


def holds_runs(path: Path) -> bool:
    """Whether a path is a run, or a folder of runs."""
    return Directory(path).holds(EXPERIMENT) or runs_in(path) != [path]


def refuse_nothing_to_show(path: Path) -> None:
    """Refuse a path that holds no run, for a page that would show it.

    Raises:
        RunError: it is not a directory, or has no experiment.json.
    """
    if not Directory(path).holds(EXPERIMENT):
        what = "is not a directory" if not path.is_dir() else f"has no {EXPERIMENT}"
        advice = did_you_mean(path, holds_runs) if not os.path.lexists(path) else ""
        raise RunError(
            f"{path} {what}; expected the directory of a run" + (advice or f": give the one that holds {EXPERIMENT}")
        )


def refuse_taken(path: Path) -> None:
    """Refuse a path that a new run cannot have.

    Raises:
        RunError: it holds a run already, or anything else but the leftovers of a killed one, or its name is not UTF-8.
    """
    refuse_undecodable(path)
    if Directory(path).holds(EXPERIMENT):
        raise RunError(
            f"{path} holds a run already; {command('resume', path)} goes on with it, or choose another folder"
        )
    if _taken(path):
        raise RunError(f"{path} holds other files already; choose a new or an empty folder")


def refuse_taken_by_replicates(path: Path) -> None:
    """Refuse a path that new replicates cannot have.

    Raises:
        RunError: it holds replicates, a run, or anything else already.
    """
    if Directory(path).holds(REPLICATES):
        raise RunError(
            f"{path} holds replicates already; {command('resume', path)} goes on with them, or choose another folder"
        )
    refuse_taken(path)


def refuse_shorter(path: Path, steps: int) -> None:
    """Refuse a budget that is smaller than a run's own, if no experiment forbids that; replicates are asked one by one.

    Raises:
        RunError: it is smaller, or the run's own budget cannot be read.
    """
    if Directory(path).holds(EXPERIMENT) and steps < (own := budget_of(path)) <= MOST_STEPS:
        raise RunError(f"{path} has a budget of {own} steps; expected as many or more, got {steps}")


def budget_of(path: Path) -> int:
    """Return the number of steps in a run's description.

    Raises:
        RunError: it cannot be read.
    """
    steps = described(Directory(path), EXPERIMENT).get("steps")
    if type(steps) is not int:
        raise RunError(f"{path}/{EXPERIMENT}: expected steps, got {steps!r:.40}; begin again elsewhere")
    return steps


def _taken(path: Path) -> bool:
    """Whether a path is a file, or a folder with foreign files."""
    return path.exists() and (not path.is_dir() or bool(_foreign(path)))


def _foreign(path: Path) -> list[Path]:
    """What the folder holds besides leftovers of a run that was killed before it was described."""
    return [file for file in path.iterdir() if file.name not in LEFTOVERS and not file.name.startswith(".")]

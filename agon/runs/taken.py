"""Whether a path holds a run, or is free for one. The command line asks here before it imports torch."""

import os
from pathlib import Path

from agon.arguments import MOST_STEPS
from agon.errors import RunError
from agon.runs.description import described
from agon.runs.directory import Directory
from agon.runs.files import refuse_undecodable
from agon.runs.layout import EXPERIMENT, LEFTOVERS, REPLICATES


def refuse_no_run(path: Path) -> None:
    """Refuse a path that holds no run.

    Raises:
        RunError: it does not exist, or has no experiment.json.
    """
    if not Directory(path).holds(EXPERIMENT):
        what = f"which has no {EXPERIMENT}" if os.path.lexists(path) else "which does not exist"
        raise RunError(f"expected a run directory, got {path}, {what}; agon train ... --out {path} begins one")


def refuse_nothing_to_show(path: Path) -> None:
    """Refuse a path that holds no run, for a page that would show it.

    Raises:
        RunError: it is not a directory, or has no experiment.json.
    """
    if not Directory(path).holds(EXPERIMENT):
        what = "is not a directory" if not path.is_dir() else f"has no {EXPERIMENT}"
        raise RunError(f"{path} {what}; expected the directory of a run: give the one that holds {EXPERIMENT}")


def refuse_taken(path: Path) -> None:
    """Refuse a path that a new run cannot have.

    Raises:
        RunError: it holds a run already, or anything else but the leftovers of a killed one, or its name is not UTF-8.
    """
    refuse_undecodable(path)
    if Directory(path).holds(EXPERIMENT):
        raise RunError(f"{path} holds a run already; agon resume {path} goes on with it, or choose another folder")
    if path.exists() and (not path.is_dir() or _foreign(path)):
        raise RunError(f"{path} holds other files already; choose a new or an empty folder")


def refuse_taken_by_replicates(path: Path) -> None:
    """Refuse a path that new replicates cannot have.

    Raises:
        RunError: it holds replicates, a run, or anything else already.
    """
    if Directory(path).holds(REPLICATES):
        raise RunError(
            f"{path} holds replicates already; agon resume {path} goes on with them, or choose another folder"
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


def _foreign(path: Path) -> list[Path]:
    """What the folder holds besides leftovers of a run that was killed before it was described."""
    return [file for file in path.iterdir() if file.name not in LEFTOVERS and not file.name.startswith(".")]

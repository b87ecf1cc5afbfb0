"""Refuse wrong arguments before torch is imported, which takes seconds, in the words that Python uses."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from agon.cli.catalogue import catalogue, check_name
from agon.errors import SettingError
from agon.places import HUB, located, missing, refuse_unknown
from agon.runs.groups import runs_in
from agon.runs.layout import REPLICATES
from agon.runs.taken import refuse_no_run, refuse_nothing_to_show, refuse_taken, refuse_taken_by_replicates

LONGEST = 1_000_000  # minutes: two years


def refuse_idle(given: Mapping[str, bool], needs: str) -> None:
    """Refuse options that do nothing here.

    Args:
        given: option -> whether it was given.
        needs: the option, or what else, with which they do something.

    Raises:
        SettingError: one of them was given.
    """
    if idle := [option for option, is_given in given.items() if is_given]:
        them = "it" if len(idle) == 1 else "them"
        raise SettingError(f"{', '.join(idle)}: expected with {needs} alone; add that, or leave {them} out")


def check_minutes(minutes: float | None, steps: int | None) -> None:
    """Raise a SettingError for a budget that is no time, or that is given twice."""
    if minutes is not None and not 0 < minutes < LONGEST:
        raise SettingError(f"--minutes: expected a number of minutes above 0 and under {LONGEST:,}, got {minutes:g}")
    if minutes is not None and steps is not None:
        raise SettingError("--minutes: expected it or --steps, got both; leave one out")


def check_source(text: str | None) -> None:
    """Raise a DataError for a word that is neither a source's name, nor an existing path, nor a name on the Hub."""
    names = catalogue()["source"]
    if text is None or text in names:
        return
    refuse_unknown(text, names)
    with suppress(OSError, ValueError):  # what else is wrong with it is found when it is read
        place = located(text)
        if not place.startswith(HUB) and _is_nothing(Path(place)):
            raise missing(Path(place))


def check_sets(places: Iterable[str]) -> None:
    """Raise a SettingError for a SET=SOURCE whose set does not exist."""
    for place in places:
        name, equals, _ = place.partition("=")
        if equals:
            check_name("set of images", name)


def check_runs(paths: Iterable[Path]) -> None:
    """Raise a RunError for a path that holds neither a run nor runs of many seeds."""
    for path in paths:
        if not (path / REPLICATES).exists():
            refuse_no_run(path)


def check_scored(paths: Iterable[Path]) -> None:
    """Raise a RunError for a path that holds no run, no runs of many seeds, and no folders that are runs."""
    for path in paths:
        if not (path / REPLICATES).exists() and runs_in(path) == [path]:
            refuse_no_run(path)


def check_shown(paths: Iterable[Path]) -> None:
    """Raise a RunError for such a path, for a page that would show it."""
    for path in paths:
        if not (path / REPLICATES).is_file() and runs_in(path) == [path]:
            refuse_nothing_to_show(path)


def check_new(path: Path, seeds: int | None) -> None:
    """Raise an error for a number of seeds under 1, or for a directory that is taken."""
    if seeds is None:
        refuse_taken(path)
        return
    if seeds < 1:
        raise SettingError(f"seeds: expected a number from 1, or seeds that differ, got {seeds}")
    refuse_taken_by_replicates(path)


def _is_nothing(path: Path) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    return False

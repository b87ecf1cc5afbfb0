"""Copies of runs in storage, in the cache of this machine: what commands read that are given an address."""

import re
from collections.abc import Iterator
from pathlib import Path

from agon.runs.description import described
from agon.runs.directory import Directory
from agon.runs.layout import REPLICATES, SWEEP, TRIAL
from agon.runs.mirrors.opening import inside, is_stored, up_to_date
from agon.runs.mirrors.place import Place
from agon.storage import Address


def copy_of(text: str) -> Path:
    """The directory in the cache for a copy of the run at an address, whether it is there or not.

    Raises:
        SettingError: it is no address of storage.
    """
    from agon.data.cache import default_folder

    address = Address.read(text)
    return default_folder() / "runs" / "storage" / address.digest / address.name


def fetched(text: str) -> Path:
    """Return a directory in the cache with the run, or all runs of seeds or of a sweep, at an address, up to date.

    Raises:
        SettingError: it is no address of storage.
        RunError: there is no run, or storage does not answer.
    """
    folder = up_to_date(copy_of(text), text)
    for name in _runs_of(Directory(folder)):
        if is_stored(one := inside(text, name)):
            up_to_date(Directory(folder).folder(name), one)
    return folder


def copied_from(path: Path) -> str:
    """The address of which a directory is a copy; "" if it is none, or a run that is mirrored there."""
    place = Place.read(Directory(path))
    return str(place.address) if place is not None and place.copy else ""


def _runs_of(files: Directory) -> Iterator[str]:
    """The names of the runs in a directory of replicates or of a sweep; none of a run."""
    for kind in (name for name in (REPLICATES, SWEEP) if files.holds(name)):
        plan = described(files, kind)
        seeds = [f"seed-{seed}" for seed in plan.get("seeds", ()) if type(seed) is int]
        trials = [f"{trial}/" for trial in plan.get("trials", ()) if re.fullmatch(TRIAL, str(trial))]
        yield from (f"{trial}{seed}" for trial in (trials if kind == SWEEP else [""]) for seed in seeds)

"""Names of a tournament's entrants and contestants, which do not depend on the order of the arguments."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from agon.errors import AgonError
from agon.runs.entered import Entry
from agon.runs.groups import by_experiment, natural
from agon.runs.naming import names


class Named(NamedTuple):
    """An entry with its name in the matrix, and that of its contestant."""

    entry: Entry
    name: str
    contestant: str


def named(entries: Sequence[Entry], reserved: Sequence[str]) -> tuple[list[Named], dict[str, str]]:
    """Name all entries: seeds of one experiment share a contestant.

    Args:
        entries: runs and samples; one that is given twice counts once.
        reserved: names that are taken.

    Returns:
        The entries in the order of contestants, and path -> why a run cannot be named.
    """
    unique = {(entry.path.resolve(), entry.step): entry for entry in entries}
    ordered = sorted(unique.values(), key=lambda entry: (natural(entry.path.resolve()), str(entry.path), entry.suffix))
    unreadable: dict[str, str] = {}
    groups: list[tuple[str, list[Entry]]] = []
    for step in sorted(
        {entry.step for entry in ordered if entry.is_run}, key=lambda step: -1 if step is None else step
    ):
        runs = _readable((entry for entry in ordered if entry.is_run and entry.step == step), unreadable)
        grouped = by_experiment([entry.path for entry in runs]) if runs else {}
        groups += [(name, [Entry(path, step) for path in paths]) for name, paths in grouped.items()]
    samples = [entry for entry in ordered if not entry.is_run]
    if samples:
        short = names([entry.path for entry in samples])
        groups += [(name, [entry]) for name, entry in zip(short, samples, strict=True)]
    return _distinct(groups, reserved), unreadable


def _readable(entries: Iterable[Entry], unreadable: dict[str, str]) -> list[Entry]:
    """The runs whose experiments can be read; add why others cannot."""
    readable = []
    for entry in entries:
        try:
            by_experiment([entry.path])
        except AgonError as error:
            unreadable[f"{entry.path}{entry.suffix}"] = str(error)
        else:
            readable.append(entry)
    return readable


def _distinct(groups: Sequence[tuple[str, Sequence[Entry]]], reserved: Sequence[str]) -> list[Named]:
    """Give every contestant and every seed of it a name of its own; the longer one where the short one is taken."""
    taken, found = set(reserved), []
    for short, group in sorted(groups, key=lambda each: (each[0], each[1][0].suffix)):
        contestant = _free(f"{short}{group[0].suffix}", group[0], taken)
        if len(group) == 1:
            found.append(Named(group[0], contestant, contestant))
            continue
        seeds = names([entry.path for entry in group])
        found += [
            Named(entry, _free(f"{contestant}/{Path(seed).name}", entry, taken), contestant)
            for seed, entry in zip(seeds, group, strict=True)
        ]
    return found


def _free(name: str, entry: Entry, taken: set[str]) -> str:
    """Take a name, or the whole path where it is taken."""
    name = f"{entry.path.resolve()}{entry.suffix}" if name in taken else name
    taken.add(name)
    return name

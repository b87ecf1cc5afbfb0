"""Nested settings as an indented table with a row for each setting, a column for each run, and marked differences."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

KIND, IMPORTED, HASH = "type", "import", "sha256"  # keys that name the class of an object
ABSENT = "—"
DIFFERENCES, BRIEF = 8, 40  # settings in the line of differences, and letters of a value


class Missing:
    """A setting that a run does not have, which differs from null."""


MISSING = Missing()


class SettingRow(NamedTuple):
    """One setting.

    Attributes:
        depth: depth of nesting, from 0.
        name: its key, or its index in a list.
        cells: its value in each run; for an object, its class.
        differs: whether it differs between the runs.
    """

    depth: int
    name: str
    cells: list[str]
    differs: bool


def rows(settings: Sequence[Any]) -> list[SettingRow]:
    """Return rows for the runs' settings (JSON objects), nested as they are, with the keys of all runs.

    >>> for row in rows([{"type": "A", "width": 64}, {"type": "A", "width": 32, "deep": True}]):
    ...     print(row.name, row.cells, row.differs)
    width ['64', '32'] True
    deep ['—', 'true'] True
    """
    return [row for name, values in _children(settings) for row in _rows(name, values, 0)]


def difference(table: Sequence[SettingRow], most: int = DIFFERENCES) -> str:
    """Return a line that says in which settings runs differ, each with the runs' values; empty if in none.

    >>> difference(rows([{"game": {"lr": 1}, "seed": 0}, {"game": {"lr": 2}, "seed": 0}]))
    'game.lr: 1, 2'
    """
    parts, place = [], list[str]()
    for row in table:
        place = [*place[: row.depth], row.name]
        if row.differs:
            parts.append(f"{'.'.join(place)}: {', '.join(_repeated(map(_brief, row.cells)))}")
    more = [f"and {len(parts) - most} more, marked below"] if len(parts) > most else []
    return "; ".join([*parts[:most], *more])


def _repeated(cells: Iterable[str]) -> Iterator[str]:
    """Yield each text once, with the number of times that it follows itself.

    >>> list(_repeated(["a", "a", "b", "a"]))
    ['a ×2', 'b', 'a']
    """
    for cell, alike in groupby(cells):
        times = len(list(alike))
        yield cell if times == 1 else f"{cell} ×{times}"


def _brief(cell: str) -> str:
    return cell if len(cell) <= BRIEF else f"{cell[: BRIEF - 1]}…"


def _rows(name: str, values: Sequence[Any], depth: int) -> Iterator[SettingRow]:
    cells = [_cell(value) for value in values]
    heads = {_identity(value) for value in values}
    yield SettingRow(depth, name, cells, len(heads) > 1)
    for child, below in _children(values):
        yield from _rows(child, below, depth + 1)


def _children(values: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Return name -> the runs' values of the settings inside, in the order of the first run that has them."""
    inside = [_inside(value) for value in values]
    names = dict.fromkeys(name for entries in inside for name in entries)
    return [(name, [entries.get(name, MISSING) for entries in inside]) for name in names]


def _inside(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {str(name): child for name, child in value.items() if name not in (KIND, IMPORTED, HASH)}
    if _is_nested(value):
        return {f"[{place}]": child for place, child in enumerate(value)}
    return {}


def _is_nested(value: Any) -> bool:
    """Whether a list holds objects, which get a row each; a list of plain values is one cell."""
    return isinstance(value, list) and any(isinstance(child, dict) or _is_nested(child) for child in value)


def _cell(value: Any) -> str:
    if value is MISSING:
        return ABSENT
    if isinstance(value, dict):
        return kind(value)
    if _is_nested(value):
        return f"{len(value)} entries" if len(value) != 1 else "1 entry"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def kind(value: dict[str, Any]) -> str:
    """Return the class of an object: agon's name for it, or the import path of a user's class.

    >>> kind({"type": "dcgan.Generator", "width": 64}), kind({"import": "my.G", "sha256": "0f" * 32})
    ('dcgan.Generator', 'my.G (sha256 0f0f0f0f)')
    """
    if IMPORTED in value:
        return f"{value[IMPORTED]} (sha256 {str(value.get(HASH, 'not recorded'))[:8]})"
    return str(value.get(KIND, ""))


def _identity(value: Any) -> str:
    """Return what must agree between runs for equal rows: of an object, only its class."""
    if value is MISSING:
        return "missing"
    if isinstance(value, dict):
        return json.dumps(["object", *(value.get(key) for key in (KIND, IMPORTED, HASH))])
    return json.dumps(["list", len(value)] if _is_nested(value) else ["plain", value])

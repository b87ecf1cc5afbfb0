"""Nested settings as an indented table: one row a setting, one column a run, differences marked."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

KIND, IMPORTED, HASH = "type", "import", "sha256"  # the keys that say what an object is
ABSENT = "—"


class Missing:
    """A setting that a run does not have: not the same as null."""


MISSING = Missing()


class SettingRow(NamedTuple):
    """One setting.

    Attributes:
        depth: how deep it is nested, from 0.
        name: its key, or its place in a list.
        cells: its value in each run; of an object, what it is.
        differs: whether the runs do not agree on it.
    """

    depth: int
    name: str
    cells: list[str]
    differs: bool


def rows(settings: Sequence[Any]) -> list[SettingRow]:
    """The rows of the runs' settings (JSON objects), nested as they are; a key that any has is there.

    >>> for row in rows([{"type": "A", "width": 64}, {"type": "A", "width": 32, "deep": True}]):
    ...     print(row.name, row.cells, row.differs)
    width ['64', '32'] True
    deep ['—', 'true'] True
    """
    return [row for name, values in _children(settings) for row in _rows(name, values, 0)]


def _rows(name: str, values: Sequence[Any], depth: int) -> Iterator[SettingRow]:
    cells = [_cell(value) for value in values]
    heads = {_identity(value) for value in values}
    yield SettingRow(depth, name, cells, len(heads) > 1)
    for child, below in _children(values):
        yield from _rows(child, below, depth + 1)


def _children(values: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Name -> the runs' values, of what is inside; in the order of the first run that has it."""
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
    """Whether a list holds objects, and so gets a row for each; one of plain values is one cell."""
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
    """What an object is: our name for it, or where a user's class is imported from.

    >>> kind({"type": "dcgan.Generator", "width": 64}), kind({"import": "my.G", "sha256": "0f" * 32})
    ('dcgan.Generator', 'my.G (sha256 0f0f0f0f)')
    """
    if IMPORTED in value:
        return f"{value[IMPORTED]} (sha256 {str(value.get(HASH, 'not recorded'))[:8]})"
    return str(value.get(KIND, ""))


def _identity(value: Any) -> str:
    """What must agree for a row to be equal: of an object, only what it is; the rest has its own rows."""
    if value is MISSING:
        return "missing"
    if isinstance(value, dict):
        return json.dumps(["object", *(value.get(key) for key in (KIND, IMPORTED, HASH))])
    return json.dumps(["list", len(value)] if _is_nested(value) else ["plain", value])

"""Change one setting by its path, and find the differences between two experiments."""

import dataclasses
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from inspect import isclass
from typing import Any, get_origin

from agon.data import SOURCES
from agon.errors import SettingError, unknown
from agon.experiment.codec import Json, completed, construct, decode, encode
from agon.experiment.names import OPTIMISERS, PARTS
from agon.experiment.part import Part, name_of
from agon.experiment.typing import alternatives, fit, hints_of, spelled, suits
from agon.untrusted import cut, parse_json


def changed(owner: Any, path: str, text: str) -> Any:
    """The same experiment (or part) with the setting at a dotted path changed.

    Args:
        owner: an experiment, a part, a frozen dataclass, or a mapping or tuple of them.
        path: "batch", "game.generator.width", "game.penalties.0.weight".
        text: JSON, the name of a part ("hinge"), or a plain word.

    Raises:
        SettingError: an unknown name (with the nearest known), a wrong type, or a value out of range.
    """
    name, _, rest = path.partition(".")
    current, hints = _settings(owner)
    if name not in hints:
        raise SettingError(unknown(f"setting of {_called(owner)}", name, hints))
    if rest and name == "optimisers":
        value = _optimisers(owner, current[name], rest, text)
    elif rest:
        value = fit(_called(owner), name, changed(current.get(name), rest, text), hints[name])
    else:
        value = _parsed(text, hints[name])
        if isinstance(value, str) and name == "optimisers":
            raise SettingError(unknown("optimiser", value, OPTIMISERS))
        if isinstance(value, str) and (parts := _names_for(hints[name])):
            raise SettingError(f"{_called(owner)}.{name}: {unknown(spelled(hints[name]).lower(), value, parts)}")
        value = fit(_called(owner), name, _with_common_settings(current.get(name), value), hints[name])
    return _replaced(owner, name, value)


def _optimisers(experiment: Any, optimisers: Any, path: str, text: str) -> Any:
    """The optimisers with a setting changed: a player's ("critic.lr"), or everyone's ("lr")."""
    game = experiment.game.make if isinstance(experiment.game, Part) else experiment.game
    players = getattr(game, "players", {})
    if isinstance(optimisers, Part) and path.partition(".")[0] in players:
        optimisers = dict.fromkeys(players, optimisers)
    if isinstance(optimisers, Part) or path.partition(".")[0] in optimisers:
        return changed(optimisers, path, text)
    return {player: changed(optimiser, path, text) for player, optimiser in optimisers.items()}


def _names_for(hint: Any) -> list[str]:
    """The names of the parts that fit an annotation; none if it takes no part."""
    classes = tuple(member for member in alternatives(hint) if isclass(member) and member not in (str, Part))
    return [name for name, make in PARTS.items() if isclass(make) and classes and issubclass(make, classes)]


def _with_common_settings(current: Any, new: Any) -> Any:
    """The new part with the settings of the current one that both have, such as a rate or a shape."""
    if not (isinstance(current, Part) and isinstance(new, Part)):
        return new
    known = hints_of(new.make)
    return new.changed(**{name: value for name, value in current.settings.items() if name in known})


def differences(old: Json, new: Json, path: str = "") -> Iterator[str]:
    """One line for each setting that differs between two written experiments, old sources brought up to date.

    Notes are no setting: what is measured anew is said in other words.
    """
    if not path:
        old, new = (_without_notes(_today(completed(value))) for value in (old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{path}.{i}")
    elif old != new:
        yield f"{path}: {json.dumps(old)} -> {json.dumps(new)}"


def _without_notes(value: Json) -> Json:
    return {name: member for name, member in value.items() if name != "notes"} if isinstance(value, dict) else value


def _today(value: Json) -> Json:
    """Sources as this version writes them: with a path's kind, and with later settings."""
    if isinstance(value, list):
        return [_today(member) for member in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("type"), str) and value["type"] in SOURCES:
        try:
            return encode(decode(value))
        except (SettingError, TypeError):  # of no known version: compared as it is
            return value
    return {name: _today(member) for name, member in value.items()}


def _settings(owner: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The current settings of an owner, and their annotated types."""
    if isinstance(owner, Part):
        return owner.settings, hints_of(owner.make)
    if dataclasses.is_dataclass(owner) and not isinstance(owner, type):
        fields = [field for field in dataclasses.fields(owner) if field.compare]
        hints = typing.get_type_hints(type(owner))
        return {f.name: getattr(owner, f.name) for f in fields}, {f.name: hints[f.name] for f in fields}
    if isinstance(owner, Mapping):
        return owner, dict.fromkeys(owner, Any)
    if isinstance(owner, tuple | list):
        return {str(i): v for i, v in enumerate(owner)}, dict.fromkeys(map(str, range(len(owner))), Any)
    raise SettingError(f"a setting's path ends in {owner!r}, which has no settings; leave out what follows it")


def _replaced(owner: Any, name: str, value: Any) -> Any:
    if isinstance(owner, Part):
        return owner.changed(**{name: value})
    if isinstance(owner, Mapping):
        return {**owner, name: value}
    if isinstance(owner, tuple | list):
        return tuple(value if str(i) == name else v for i, v in enumerate(owner))
    return dataclasses.replace(owner, **{name: value})


def _parsed(text: str, hint: Any) -> Any:
    """Parse a command-line word as a value of the type `hint`."""
    try:
        value = decode(parse_json(text))
    except json.JSONDecodeError:
        none = text.lower() == "none" and (suits(None, hint) or not suits(text, hint))
        value = None if none else _bracketed(text)
    except ValueError as error:
        raise SettingError(f"expected a value that a setting can have, got {cut(text)} ({error})") from error
    if str in alternatives(hint) and isinstance(value, int | float) and not suits(value, hint):
        value = text
    return _named(value, hint)


def _bracketed(text: str) -> Any:
    """A tuple written as in Python, or the text itself.

    >>> _bracketed("(0, 1)"), _bracketed("hinge")
    ((0, 1), 'hinge')
    """
    if not (text.startswith("(") and text.endswith(")")):
        return text
    try:
        return decode(parse_json(f"[{text[1:-1].rstrip(', ')}]"))
    except ValueError:
        return text


def _named(value: Any, hint: Any) -> Any:
    """Replace names of parts by parts, unless the annotation takes a string."""
    if isinstance(value, tuple):
        return tuple(_named(v, Any) for v in value)
    if isinstance(value, str) and value in PARTS and get_origin(hint) is Sequence:
        return (_named(value, Any),)  # a single part, written without brackets
    if isinstance(value, str) and value in PARTS and (hint is Any or not suits(value, hint)):
        return construct(PARTS[value], {})
    return value


def _called(owner: Any) -> str:
    return name_of(owner.make) if isinstance(owner, Part) else type(owner).__name__.lower()

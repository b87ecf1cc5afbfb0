"""Experiments to and from JSON: agon's parts by name, a user's by import path and a hash of its source."""

import dataclasses
import hashlib
import importlib
import inspect
import math
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from threading import Lock
from types import ModuleType
from typing import Any

from torch import nn

from agon.errors import SettingError, unknown
from agon.experiment.names import NAMES, PARTS
from agon.experiment.part import Part, part
from agon.experiment.scripts import MAIN, is_named, script_run

Json = Any

PARSING = Lock()  # Python 3.11 can fail where two threads parse at once
CRITICISED = ("adversarial", "boundary-equilibrium", "autoregressive", "patch-autoregressive")
LATER: dict[str, dict[str, Json]] = {  # part -> later settings, with the old behaviour
    "averaging": {"ramp": False},
    "experiment": {"augment": [], "schedules": None, "keep": 3, "init": "", "notes": [], "snapshots": 0},
    **{game: {"augmentation": None} for game in CRITICISED},
    "turns": {"accumulate": 1},
}


def completed(value: Json) -> Json:
    """Add later settings to what an earlier version wrote."""
    if isinstance(value, list):
        return [completed(member) for member in value]
    if not isinstance(value, dict):
        return value
    later = LATER.get(str(value.get("type")), {})
    return {**later, **{name: completed(member) for name, member in value.items()}}


def encode(value: Any) -> Json:
    """Encode a part, a frozen dataclass (its fields that count in comparisons), or plain values as JSON values.

    Raises:
        SettingError: a value cannot be written as JSON.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingError(f"a setting: expected a finite number, got {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    if isinstance(value, Part):
        return {**_reference(value.make), **_encoded(value.settings)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.compare}
        return {**_reference(type(value)), **_encoded(fields)}
    if isinstance(value, Mapping):
        return _encoded(value)
    if isinstance(value, nn.Module):
        return {"instance": import_path(type(value))}
    raise SettingError(f"a setting: expected numbers, strings, sequences or parts, got {value!r}")


def decode(value: Json, trust: bool = False) -> Any:
    """Decode what `encode` returned.

    Args:
        value: the JSON value.
        trust: whether classes that are not agon's may be imported; code runs when they are.

    Raises:
        SettingError: an unknown part, a user's class without trust, or one whose source has changed.
    """
    if isinstance(value, list):
        return tuple(decode(v, trust) for v in value)
    if not isinstance(value, dict):
        return value
    rest = {k: decode(v, trust) for k, v in value.items() if k not in ("type", "import", "sha256")}
    if "type" in value:
        name = str(value["type"])
        if name not in PARTS:
            raise SettingError(unknown("part", name, PARTS))
        return construct(PARTS[name], rest)
    if "import" in value:
        return construct(_imported(str(value["import"]), str(value.get("sha256", "")), trust), rest)
    if "instance" in value:
        raise SettingError(
            f"{value['instance']} was given as a ready instance, which no file can rebuild; "
            "hand the experiment to agon.resume, or use agon.part(...) next time"
        )
    return rest


def construct(make: Callable[..., Any], settings: Mapping[str, Any]) -> Any:
    """Make a frozen dataclass, or a part of anything else (modules, optimisers)."""
    described = part(make, **settings)
    return described.build() if dataclasses.is_dataclass(make) else described


def import_path(make: Callable[..., Any]) -> str:
    """The import path of a class: "module:Qualified.Name"."""
    return f"{make.__module__}:{make.__qualname__}"


def _reference(make: Callable[..., Any]) -> dict[str, str]:
    if make in NAMES:
        return {"type": NAMES[make]}
    return {"import": import_path(make), "sha256": _source_hash(make)}


def _encoded(settings: Mapping[str, Any]) -> dict[str, Json]:
    for name in settings:
        if name in ("type", "import", "sha256", "instance"):
            raise SettingError(f"a part's argument may not be called '{name}'; give it another name")
    return {name: encode(value) for name, value in settings.items()}


@cache
def _source_hash(make: Callable[..., Any]) -> str:
    """SHA-256 of the class's source, or of its name if there is no source (an interactive session)."""
    try:
        with PARSING:
            source = inspect.getsource(make)
    except (OSError, TypeError):
        source = import_path(make)
    return hashlib.sha256(source.encode()).hexdigest()


def _imported(path: str, sha256: str, trust: bool) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    if module == MAIN:
        return _of_script(name, sha256, trust)
    if not trust:
        raise SettingError(
            f"the experiment uses {path}, which is not agon's; importing it runs its code: "
            f"say --trust (in Python trust=True) if the run directory is yours{_beside_script(module)}"
        )
    try:
        make = attrgetter(name)(_module(module))
    except (ImportError, AttributeError) as error:
        raise SettingError(
            f"{path} cannot be imported ({error}); its module must be in the current folder or on PYTHONPATH"
        ) from error
    return _unchanged(make, path, sha256)


def _beside_script(module: str) -> str:
    """Why the script that this process was told to run is not enough for a class of another module."""
    script = script_run()
    if script is None:
        return ""
    return f"; --from {script} is not enough, since it speaks for the classes that are defined in it, not in {module}"


def _module(name: str) -> ModuleType:
    """Import a module, which may also be in the current folder; everything that is installed comes before it."""
    place = os.getcwd()
    sys.path.append(place)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(place)


def _of_script(name: str, sha256: str, trust: bool) -> Callable[..., Any]:
    """A class that the script defines which this process runs, or was told to run."""
    try:
        make = attrgetter(name)(sys.modules[MAIN])
    except AttributeError:
        make = None
    if make is None or not (is_named(make) or (trust and getattr(make, "__module__", None) == MAIN)):
        if (script := script_run()) is not None:
            raise SettingError(
                f"{name} was defined in a script or a notebook, but {script} defines no {name}; name the script that "
                "does with --from"
            )
        raise SettingError(
            f"{name} was defined in a script or a notebook: name the script with --from mine.py, or in Python load the "
            "run in it with trust=True, or hand the experiment over (agon.load(..., experiment=...))"
        )
    return _unchanged(make, name, sha256)


def _unchanged(make: Any, path: str, sha256: str) -> Callable[..., Any]:
    if _source_hash(make) != sha256:
        raise SettingError(f"{path} has changed since the run was begun; hand the experiment to agon.resume instead")
    return make  # type: ignore[no-any-return]

"""A part: a class with its arguments, to be built later, with the run's own initialisation stream."""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from torch import nn

from agon.errors import SettingError
from agon.experiment.typing import Unbuilt, check_names, fit, hints_of, takes_anything


@dataclass(frozen=True)
class Part(Unbuilt):
    """A class and its keyword arguments, which are checked, comparable, and can be written as JSON.

    Attributes:
        make: the class (an `nn.Module`, an optimiser, ...).
        settings: its arguments, in which parts may nest; for agon's own classes including all defaults,
            so that a later version with other defaults still builds the same.
    """

    make: Callable[..., Any]
    settings: Mapping[str, Any]

    def build(self, *args: Any) -> Any:
        """Build it, inner parts first; `args` come before the settings (an optimiser's parameters).

        Ready instances among the settings are copied together, so that copies share what the instances share.
        """
        return self._built(args, {})

    def _built(self, args: tuple[Any, ...], copies: dict[int, Any]) -> Any:
        settings = {name: _built(value, copies) for name, value in self.settings.items()}
        try:
            inspect.signature(self.make).bind(*args, **settings)
        except TypeError as error:
            raise SettingError(f"{name_of(self.make)}: {error}; give it to agon.part(...)") from error
        try:
            return self.make(*args, **settings)
        except (TypeError, ValueError, RuntimeError, MemoryError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise SettingError(f"{name_of(self.make)} cannot be built with its settings: {reason}") from error

    def changed(self, **settings: Any) -> "Part":
        """The same part with some settings changed."""
        return part(self.make, **{**self.settings, **settings})


def part(make: Callable[..., Any], /, **settings: Any) -> Part:
    """Make a part: a class with its arguments, checked now and built when a training begins.

    Args:
        make: a class, agon's or yours.
        settings: its keyword arguments; parts may nest.

    Raises:
        SettingError: the class has no such argument, or annotates another type.

    >>> from agon.networks import mlp
    >>> part(mlp.Critic, shape=(2,), widths=[16]).settings["widths"]
    (16,)
    """
    owner, hints = name_of(make), hints_of(make)
    if not takes_anything(make):
        check_names(owner, settings, hints)
    fitted = {name: fit(owner, name, value, hints.get(name, Any)) for name, value in settings.items()}
    if make.__module__.partition(".")[0] == "agon":
        fitted = {**_defaults(make), **fitted}
    return Part(make, fitted)


def name_of(make: Callable[..., Any]) -> str:
    """The name of a class in messages."""
    return getattr(make, "__qualname__", repr(make))


def _defaults(make: Callable[..., Any]) -> dict[str, Any]:
    """The defaults of a class's arguments, except those that a dataclass makes by a factory."""
    factories = {f.name for f in fields(make) if f.default_factory is not MISSING} if is_dataclass(make) else set()
    parameters = inspect.signature(make).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and p.name not in factories}


def copied(instance: Any, copies: dict[int, Any] | None = None) -> Any:
    """Copy a ready instance, so that it begins every training in its current state.

    Args:
        instance: a module.
        copies: the memo of `copy.deepcopy`.

    Raises:
        SettingError: the instance cannot be copied.
    """
    try:
        return copy.deepcopy(instance, copies)
    except (RuntimeError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingError(
            f"{type(instance).__name__} is a ready instance that cannot be copied ({reason}); "
            "use agon.part(...), which every training builds anew"
        ) from error


def _built(value: Any, copies: dict[int, Any]) -> Any:
    if isinstance(value, Part):
        return value._built((), copies)
    if isinstance(value, nn.Module):
        return copied(value, copies)
    if isinstance(value, tuple | list) and any(isinstance(v, Part | nn.Module) for v in value):
        return type(value)(_built(v, copies) for v in value)
    return value

"""Check values of settings against annotations."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import UnionType
from typing import Any

from torch import nn

from agon.arguments import written
from agon.errors import SettingError, unknown
from agon.untrusted import shortened


class Unbuilt:
    """What stands for an object that is built later, such as a part; settings take it in the object's place.

    Attributes:
        make: the class of the object.
    """

    make: Callable[..., Any]


def hints_of(make: Callable[..., Any]) -> dict[str, Any]:
    """The annotated type of each argument of a class or function; Any for an argument without one."""
    function = make.__init__ if inspect.isclass(make) else make
    try:
        hints = typing.get_type_hints(function)
    except NameError:  # an annotation that exists for type checkers only
        hints = {}
    names = [p.name for p in inspect.signature(make).parameters.values() if p.kind is not p.VAR_KEYWORD]
    return {name: hints.get(name, Any) for name in names}


def takes_anything(make: Callable[..., Any]) -> bool:
    """Whether a class or function accepts arguments that it does not name."""
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(make).parameters.values())


def fit(owner: str, name: str, value: Any, hint: Any) -> Any:
    """Convert a value to its annotated type (sequences to tuples).

    Raises:
        SettingError: the value does not have that type.
    """
    if not _is_narrow(value):
        raise SettingError(
            f"{owner}.{name}: expected whole numbers of 64 bits, got {shortened(repr(value))}; write 1e20"
        )
    for candidate in (tupled(value), value, *([list(value)] if isinstance(value, tuple) else [])):
        if suits(candidate, hint):
            return candidate
    made = next(classes_in(value), None)
    given = f"{shortened(repr(value))} ({type(value).__name__})"
    got = f"the class {value.__name__}" if isinstance(value, type) else given
    raise SettingError(f"{owner}.{name}: expected {spelled(hint)}, got {got}{_how_to_make(made, hint)}")


def classes_in(value: Any) -> Iterator[type]:
    """Find the classes in a value, where instances or parts belong."""
    if isinstance(value, type):
        yield value
    elif isinstance(value, Mapping | tuple | list):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from classes_in(member)


def _how_to_make(made: type | None, hint: Any) -> str:
    """The end of a sentence on a class that was given in the place of what it makes."""
    if made is None or made.__module__ == "builtins":
        return ""
    optimiser = made.__module__.startswith("torch.optim")  # gets what it needs, the parameters, later
    if not (optimiser or issubclass(made, nn.Module) or _wants_part(hint)):
        return f"; write {written(made)}"
    rest = ", ..." if not optimiser and "..." in written(made) else ""
    return f"; write agon.part({made.__name__}{rest})"


def _wants_part(hint: Any) -> bool:
    """Whether an annotation is of parts, and of nothing that is ready."""
    return all(inspect.isclass(each) and issubclass(each, Unbuilt) for each in alternatives(hint))


def _is_narrow(value: Any) -> bool:
    """Whether all whole numbers have at most 64 bits, as torch requires."""
    if isinstance(value, list | tuple):
        return all(map(_is_narrow, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def suits(value: Any, hint: Any) -> bool:
    """Whether a value, or the object that a part will build, has the annotated type."""
    from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

    if isinstance(value, Unbuilt):
        return any(_makes(value.make, member) for member in alternatives(hint))
    if isinstance(value, bool) and hint is not Any and bool not in alternatives(hint):
        return False  # True is an int in Python, but not a valid width
    if isinstance(value, tuple | list) and any(isinstance(v, Unbuilt) for v in value):
        return any(_holds(member, value) for member in alternatives(hint))
    try:
        check_type(value, hint, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
    except TypeCheckError:
        return False
    return True


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the annotation itself."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, UnionType) else (hint,)


def tupled(value: Any) -> Any:
    """Convert nested lists, as JSON and users write them, to tuples."""
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return tuple(tupled(v) for v in value)
    return value


def spelled(hint: Any) -> str:
    """Spell an annotation for a message."""
    if hint is type(None):
        return "null"
    if inspect.isclass(hint) and not typing.get_args(hint):
        return hint.__name__
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(repr(v) for v in typing.get_args(hint))
    if typing.get_origin(hint) in (typing.Union, UnionType):
        return " or ".join(spelled(h) for h in typing.get_args(hint))
    return str(hint).replace("typing.", "").replace("collections.abc.", "")


def check_fields(instance: Any) -> None:
    """Check every field of a frozen dataclass against its annotation; sequences become tuples."""
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        value = fit(type(instance).__name__, field.name, getattr(instance, field.name), hints[field.name])
        object.__setattr__(instance, field.name, value)


def check_names(owner: str, settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise a SettingError if a setting is unknown; the message names the nearest known one."""
    for name in settings:
        if name not in known:
            raise SettingError(unknown(f"setting of {owner}", name, known))


def _holds(hint: Any, values: Sequence[Any]) -> bool:
    """Whether an annotation is of a sequence, and these values, some of them parts, fit its members."""
    if hint is Any:
        return True
    origin, members = typing.get_origin(hint), [m for m in typing.get_args(hint) if m is not Ellipsis]
    sequence = inspect.isclass(origin) and issubclass(origin, Sequence)
    return sequence and all(suits(value, members[0] if members else Any) for value in values)


def _makes(make: Any, hint: Any) -> bool:
    if hint in (Any, nn.Module) or (inspect.isclass(hint) and issubclass(hint, Unbuilt)):
        return hint is not nn.Module or (inspect.isclass(make) and issubclass(make, nn.Module))
    origin = typing.get_origin(hint)
    if origin is typing.Literal or (inspect.isclass(origin) and issubclass(origin, Collection)):
        return False
    return not inspect.isclass(hint) or not inspect.isclass(make) or issubclass(make, hint)

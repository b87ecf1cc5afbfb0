"""A replica of an object around other tensors: all that leads to them is made anew, the rest is shared.

`copy.deepcopy` does not serve: it refuses tensors with a history and some modules, copies what leads to no
tensor at all, and takes functions for atoms, whose closures may hold a layer.
"""

import functools
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping
from operator import is_
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from agon.errors import SettingError

ATOMS = frozenset({bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.Size, type})
OPAQUE = {*sys.stdlib_module_names, "torch", "numpy"}  # libraries whose objects lead to no layer
REGISTERS = ("_parameters", "_buffers", "_modules")

Rule = Callable[["Replica", Any], Any]


class Plan(NamedTuple):
    """What is known of a replicated module: its attributes, and which of them lead to a replaced tensor."""

    values: tuple[Any, ...]
    leading: tuple[str, ...]


class Replica:
    """Called with an object, it gives the same object around other tensors.

    It follows modules, lists, tuples, sets, dictionaries, bound methods, partial functions, closures, weak
    references, and the attributes of objects. It does not follow what a function finds among its globals,
    nor what C++ holds.

    Args:
        replacements: what takes a tensor's place, by its id.
        whole: whether modules are made anew although nothing in them is replaced, and their buffers cloned,
            so that nothing that a pass changes is the original's.
        like: a replica that was made in the place of this one's original: what it has found is not looked for
            again. It must have replaced all that is replaced now.

    Attributes:
        strays: tensors met that nothing replaces, and that no module has registered.

    Raises:
        SettingError: a tensor that is to be replaced belongs to a module that cannot be made anew.
    """

    def __init__(self, replacements: Mapping[int, Tensor], *, whole: bool, like: "Replica | None" = None) -> None:
        self.replacements, self.whole = dict(replacements), whole
        self.strays: list[Tensor] = []
        self.plans: dict[int, Plan] = {}  # of modules made anew, by their ids
        self._known: Mapping[int, Plan] = {} if like is None else like.plans
        self._shared: dict[int, Any] = {} if like is None else like._shared  # by id: leads to nothing replaced
        self._replicas = self._shared.copy()

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind in ATOMS:
            return value
        known = self._replicas.get(id(value))
        if known is not None:
            return known
        rule: Rule | None = _rule(kind)  # type: ignore[arg-type]  # mypy takes no class for hashable
        return self.share(value) if rule is None else rule(self, value)

    def followed(self, module: nn.Module) -> Iterable[str]:
        """The attributes of a module that may lead to a replaced tensor: known where none has changed since."""
        own, plan = module.__dict__, self._known.get(id(module))
        if plan is not None and len(own) == len(plan.values) and all(map(is_, own.values(), plan.values)):
            return plan.leading
        return [name for name, part in own.items() if type(part) not in ATOMS]

    def of(self, value: Any) -> Any:
        """The replica that has been made of an object; the object itself where it is shared."""
        return self._replicas.get(id(value), value)

    def begin(self, value: Any, replicated: Any) -> None:
        """Whatever leads back to the object while its replica is being made leads to the replica."""
        self._replicas[id(value)] = replicated

    def share(self, value: Any) -> Any:
        """The object itself: nothing that it leads to is replaced."""
        self._replicas[id(value)] = self._shared[id(value)] = value
        return value


def _tensor(replica: Replica, value: Tensor) -> Tensor:
    replicated = replica.replacements.get(id(value))
    if replicated is None and replica.whole and not isinstance(value, nn.Parameter):
        replica.strays.append(value)
    return value if replicated is None else replicated


def _module(replica: Replica, value: nn.Module) -> Any:
    """Of the same class, with attributes of its own. (copy.copy refuses parametrised modules.)"""
    own, replicated = value.__dict__, type(value).__new__(type(value))
    replica.begin(value, replicated)
    if replica.whole:
        fresh = {
            id(b): b.clone() for b in own["_buffers"].values() if b is not None and id(b) not in replica.replacements
        }
        replica.replacements |= fresh
    attributes, followed = own.copy(), replica.followed(value)
    for name in followed:
        attributes[name] = replica(own[name])
    leading = tuple(name for name in followed if attributes[name] is not own[name])
    if not replica.whole and not leading:
        return replica.share(value)
    for name in REGISTERS:
        if attributes[name] is own[name]:
            attributes[name] = own[name].copy()
            replica.begin(own[name], attributes[name])
    attributes["_compiled_call_impl"] = None  # a compiled pass has no second derivative
    object.__setattr__(replicated, "__dict__", attributes)
    replica.plans[id(replicated)] = Plan(tuple(attributes.values()), leading)
    return replicated


def _sealed(replica: Replica, value: nn.Module) -> nn.Module:
    """A module that C++ plays, or that ties hooks of C++ to its parameters."""
    if any(id(parameter) in replica.replacements for parameter in value.parameters()):
        raise SettingError(
            f"look-ahead: expected modules that Python plays, got {type(value).__name__}, whose weights no others "
            "can replace; hand in the module that it was made of"
        )
    return value


def _list(replica: Replica, value: list[Any]) -> Any:
    replicated = value.copy()
    replica.begin(value, replicated)
    replicated[:] = [part if type(part) in ATOMS else replica(part) for part in value]
    return replicated if _differ(value, replicated) else replica.share(value)


def _dictionary(replica: Replica, value: dict[Any, Any]) -> Any:
    if not value:
        return replica.share(value)
    replicated, changed = value.copy(), False
    replica.begin(value, replicated)
    for key, part in value.items():
        if type(part) not in ATOMS:
            replicated[key] = other = replica(part)
            changed = changed or other is not part
    return replicated if changed else replica.share(value)


def _tuple(replica: Replica, value: tuple[Any, ...]) -> Any:
    parts = [replica(part) for part in value]
    if not _differ(value, parts):
        return replica.share(value)
    replicated: tuple[Any, ...] = type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    replica.begin(value, replicated)
    return replicated


def _set(replica: Replica, value: Any) -> Any:
    parts = [replica(part) for part in value]
    return type(value)(parts) if _differ(value, parts) else replica.share(value)


def _method(replica: Replica, value: MethodType) -> MethodType:
    owner = replica(value.__self__)
    return value if owner is value.__self__ else MethodType(value.__func__, owner)


def _partial(replica: Replica, value: Any) -> Any:
    before = (value.func, value.args, value.keywords)
    call, given, named = after = [replica(part) for part in before]
    return functools.partial(call, *given, **named) if _differ(before, after) else value


def _function(replica: Replica, value: FunctionType) -> Any:
    """With its closure, defaults and attributes."""
    cells, filled = value.__closure__ or (), [_content(cell) for cell in value.__closure__ or ()]
    before = (*filled, value.__defaults__, value.__kwdefaults__, *value.__dict__.values())
    if all(type(part) in ATOMS for part in before):
        return replica.share(value)
    fresh = tuple(replica.of(cell) if replica.of(cell) is not cell else CellType() for cell in cells)
    replicated = FunctionType(value.__code__, value.__globals__, value.__name__, value.__defaults__, fresh or None)
    for old, new in zip((value, *cells), (replicated, *fresh), strict=True):
        replica.begin(old, new)
    after = [replica(part) for part in before]
    for cell, content in zip(fresh, after, strict=False):
        if content is not _EMPTY:
            cell.cell_contents = content
    replicated.__defaults__, replicated.__kwdefaults__ = after[len(cells)], after[len(cells) + 1]
    replicated.__dict__.update(zip(value.__dict__, after[len(cells) + 2 :], strict=True))
    return replicated if _differ(before, after) else replica.share(value)


def _reference(replica: Replica, value: Any) -> Any:
    target = value()
    replicated = target if target is None else replica(target)
    return value if replicated is target else weakref.ref(replicated)


def _object(replica: Replica, value: Any) -> Any:
    own: dict[str, Any] | None = getattr(value, "__dict__", None)
    if not isinstance(own, dict) or not own or type(value).__new__ is not _NEW:
        return replica.share(value)
    replicated = object.__new__(type(value))
    replica.begin(value, replicated)
    attributes = {name: part if type(part) in ATOMS else replica(part) for name, part in own.items()}
    if not _differ(own.values(), attributes.values()):
        return replica.share(value)
    replicated.__dict__.update(attributes)
    return replicated


_NEW: Any = object.__new__
_EMPTY = object()  # of a variable that has no value yet


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _differ(before: Any, after: Any) -> bool:
    return any(one is not other for one, other in zip(before, after, strict=True))


KINDS: tuple[tuple[Any, Rule | None], ...] = (
    ((torch.jit.ScriptModule, nn.parallel.DistributedDataParallel), _sealed),
    (nn.Module, _module),
    (Tensor, _tensor),
    (list, _list),
    (dict, _dictionary),
    (tuple, _tuple),
    ((set, frozenset), _set),
    (MethodType, _method),
    (FunctionType, _function),
    (functools.partial, _partial),
    (weakref.ref, _reference),
    ((type, ModuleType), None),
)


@functools.lru_cache(maxsize=1024)
def _rule(kind: Any) -> Rule | None:
    """How objects of a class are followed; None where they are shared as they are."""
    for kinds, rule in KINDS:
        if issubclass(kind, kinds):
            return rule
    return None if kind.__module__.partition(".")[0] in OPAQUE else _object

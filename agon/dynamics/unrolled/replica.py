"""A replica of an object around other tensors: whatever leads to them is replicated, the rest is shared.

`copy.deepcopy` cannot do this: it refuses tensors with a history and some modules, copies objects that lead to
no tensor, and does not copy functions, whose closures may hold a layer.
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

Replicator = Callable[["Replica", Any], Any]


class KnownModule(NamedTuple):
    """A replicated module's attributes, and the names of those that lead to a replaced tensor."""

    values: tuple[Any, ...]
    leading: tuple[str, ...]


class Replica:
    """Maps an object to the same object around other tensors.

    It follows modules, lists, tuples, sets, dictionaries, bound methods, partial functions, closures, weak
    references, and the attributes of objects. It does not follow a function's global variables, nor
    objects held by C++.

    Args:
        replacements: id of a tensor -> the tensor that replaces it.
        whole: whether to replicate modules in which nothing is replaced, and to clone their buffers, so that
            a pass changes nothing of the original.
        like: an earlier replica, of which this one's original is a result: what it found is reused. It must
            have replaced every tensor that is replaced now.

    Attributes:
        strays: tensors that are neither replaced nor registered in a module.
        met: how many times a replaced tensor was met.

    Raises:
        SettingError: a tensor to be replaced belongs to a module that cannot be replicated.
    """

    def __init__(self, replacements: Mapping[int, Tensor], *, whole: bool, like: "Replica | None" = None) -> None:
        self.replacements, self.whole = dict(replacements), whole
        self.strays: list[Tensor] = []
        self.met = 0
        self.known_modules: dict[int, KnownModule] = {}  # id of a replicated module -> its attributes
        self._known: Mapping[int, KnownModule] = {} if like is None else like.known_modules
        self._shared: dict[int, Any] = {} if like is None else like._shared  # id -> object without replaced tensors
        self._replicas = self._shared.copy()

    def __call__(self, value: Any) -> Any:
        value_class = type(value)
        if value_class in ATOMS:
            return value
        known = self._replicas.get(id(value))
        if known is not None:
            return known
        replicator: Replicator | None = _replicator(value_class)  # type: ignore[arg-type]  # mypy: class not hashable
        return self.share(value) if replicator is None else replicator(self, value)

    def followed(self, module: nn.Module) -> Iterable[str]:
        """Names of the attributes that may lead to a replaced tensor, from the earlier replica if none has changed."""
        attributes, known = module.__dict__, self._known.get(id(module))
        if known and len(attributes) == len(known.values) and all(map(is_, attributes.values(), known.values)):
            return known.leading
        return [name for name, part in attributes.items() if type(part) not in ATOMS]

    def of(self, value: Any) -> Any:
        """An object's replica; the object itself if it is shared."""
        return self._replicas.get(id(value), value)

    def begin(self, value: Any, replicated: Any) -> None:
        """Register an unfinished replica, so that references back to the object lead to the replica."""
        self._replicas[id(value)] = replicated

    def share(self, value: Any) -> Any:
        """Register an object that leads to no replaced tensor, and return it."""
        self._replicas[id(value)] = self._shared[id(value)] = value
        return value


def _tensor(replica: Replica, value: Tensor) -> Tensor:
    replicated = replica.replacements.get(id(value))
    if replicated is None and replica.whole and not isinstance(value, nn.Parameter):
        replica.strays.append(value)
    if replicated is None:
        return value
    replica.met += 1
    return replicated


def _module(replica: Replica, value: nn.Module) -> Any:
    """Replicate a module: the same class, replicated attributes. (copy.copy refuses parametrised modules.)"""
    original, replicated = value.__dict__, type(value).__new__(type(value))
    replica.begin(value, replicated)
    if replica.whole:
        buffers = [b for b in original["_buffers"].values() if b is not None and id(b) not in replica.replacements]
        replica.replacements |= {id(buffer): buffer.clone() for buffer in buffers}
    attributes, followed = original.copy(), replica.followed(value)
    for name in followed:
        attributes[name] = replica(original[name])
    leading = tuple(name for name in followed if attributes[name] is not original[name])
    if not replica.whole and not leading:
        return replica.share(value)
    for name in REGISTERS:
        if attributes[name] is original[name]:
            attributes[name] = original[name].copy()
            replica.begin(original[name], attributes[name])
    attributes["_compiled_call_impl"] = None  # a compiled pass has no second derivative
    object.__setattr__(replicated, "__dict__", attributes)
    replica.known_modules[id(replicated)] = KnownModule(tuple(attributes.values()), leading)
    return replicated


def _sealed(replica: Replica, value: nn.Module) -> nn.Module:
    """Share a module that runs in C++, or ties C++ hooks to its parameters; refuse it if it must be replicated."""
    if any(id(parameter) in replica.replacements for parameter in value.parameters()):
        raise SettingError(
            f"look-ahead: expected modules that run in Python, got {type(value).__name__}, whose weights cannot be "
            "replaced; hand in the module that it was made of"
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
    """Replicate a function with its closure, defaults and attributes."""
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
    original: dict[str, Any] | None = getattr(value, "__dict__", None)
    if not isinstance(original, dict) or not original or type(value).__new__ is not _NEW:
        return replica.share(value)
    replicated = object.__new__(type(value))
    replica.begin(value, replicated)
    attributes = {name: part if type(part) in ATOMS else replica(part) for name, part in original.items()}
    if not _differ(original.values(), attributes.values()):
        return replica.share(value)
    replicated.__dict__.update(attributes)
    return replicated


_NEW: Any = object.__new__
_EMPTY = object()  # content of a closure's cell that has no value yet


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _differ(before: Any, after: Any) -> bool:
    return any(one is not other for one, other in zip(before, after, strict=True))


REPLICATORS: tuple[tuple[Any, Replicator | None], ...] = (
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
def _replicator(value_class: Any) -> Replicator | None:
    """The function that replicates objects of a class; None if they are always shared."""
    for classes, replicator in REPLICATORS:
        if issubclass(value_class, classes):
            return replicator
    return None if value_class.__module__.partition(".")[0] in OPAQUE else _object

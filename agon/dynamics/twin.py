"""A module's twin: the same computation on other tensors, while the module itself is never touched."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from agon.dynamics.replica import Replica

Slots = dict[str, list[tuple[Any, str]]]  # the dictionary of a module, and the name in it


class Twin:
    """A module of the same class and settings around other tensors, through which gradients flow.

    All by which a module can reach its layers and its tensors is made anew (`Replica`), not only what is
    registered. Training flags, hooks and parametrisations are the module's. A parameter that is used in
    several places is replaced in all of them. What a pass leaves behind (an attribute, a count) stays with
    the twin that made it, and with those that are made `at` other tensors from it.

    A twin keeps its tensors: what is computed anew in the backward pass (checkpointing) is so with them.

    Args:
        module: stays what it is.
        tensors: in the place of its parameters and buffers, by name; its own buffers are cloned elsewhere.

    Attributes:
        module: the twin, to be called like the other.
        strays: tensors that the module keeps beside its parameters and buffers, still the module's own.
    """

    _replica: Replica
    _new: frozenset[str]

    def __init__(self, module: nn.Module, tensors: Mapping[str, Tensor] | None = None) -> None:
        self._become(module, slots_of(module), tensors or {}, None)

    def at(self, tensors: Mapping[str, Tensor]) -> "Twin":
        """Another twin, with these tensors and otherwise the present ones; it shares what holds none of them."""
        twin = Twin.__new__(Twin)
        twin._become(self.module, self._slots, tensors, self)
        return twin

    def put(self, tensors: Mapping[str, Tensor]) -> None:
        """Replace registered parameters and buffers by name."""
        for name, tensor in tensors.items():
            for own, key in self._slots[name]:
                own[key] = tensor

    def get(self, names: Iterable[str]) -> dict[str, Tensor]:
        """The present tensors of these names: a module may have put others in the place of its buffers."""
        found = {}
        for name in names:
            own, key = self._slots[name][0]
            found[name] = own[key]
        return found

    def _become(self, module: nn.Module, slots: Slots, tensors: Mapping[str, Tensor], before: "Twin | None") -> None:
        present = {name: own[key] for name, ((own, key), *_) in slots.items() if name in tensors}
        new = {name: tensor for name, tensor in tensors.items() if tensor is not present[name]}
        like = before if before is not None and new.keys() <= before._new else None
        instead = {id(present[name]): tensor for name, tensor in new.items()}
        self._replica = Replica(instead, whole=before is None, like=None if like is None else like._replica)
        self._new = frozenset(new) if like is None else like._new  # names; what leads to none of them is shared
        self.module: nn.Module = self._replica(module)
        self.strays = tuple(self._replica.strays)
        of = self._replica.of
        self._slots: Slots = {name: [(of(own), key) for own, key in places] for name, places in slots.items()}


@contextmanager
def as_written() -> Iterator[None]:
    """Within it, modules are neither compiled nor do they find what others have cached.

    A compiled pass has no second derivative; torch caches a parametrised weight by the module that it was written
    for, which its twins are not.
    """
    enabled, cache = parametrize._cache_enabled, parametrize._cache
    parametrize._cache_enabled, parametrize._cache = 0, {}
    compiling = "torch._dynamo" in sys.modules  # nothing has been compiled without it
    try:
        with torch.compiler.set_stance("force_eager") if compiling else nullcontext():
            yield
    finally:
        parametrize._cache_enabled, parametrize._cache = enabled, cache


def slots_of(module: nn.Module) -> Slots:
    """For every parameter and buffer by name, where it stands: in several places if it is used in several."""
    found: Slots = {}
    first: dict[int, str] = {}
    for prefix, each in module.named_modules(remove_duplicate=False):
        for own in (each._parameters, each._buffers):
            for key, tensor in own.items():
                if tensor is not None:
                    name = first.setdefault(id(tensor), f"{prefix}.{key}" if prefix else key)
                    found.setdefault(name, []).append((own, key))
    return found

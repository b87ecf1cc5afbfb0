"""A functional module: the same computation on other tensors, while the module itself is never touched."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from agon.dynamics.unrolled.replica import Replica

Slots = dict[str, list[tuple[Any, str]]]  # tensor's name -> each dictionary that holds it, and the key there


class FunctionalModule:
    """A module of the same class and settings around other tensors, through which gradients flow.

    All by which a module can reach its layers and its tensors is made anew (`Replica`), not only what is
    registered. Training flags, hooks and parametrisations are the module's. A parameter that is used in
    several places is replaced in all of them. What a pass leaves behind (an attribute, a count) stays with
    the one that played, and with those that are made `at` other tensors from it.

    It keeps its tensors: what is computed anew in the backward pass (checkpointing) is so with them.
    Not to be confused with `torch.func.functional_call`, which swaps registered tensors for the time of a call.

    Args:
        module: stays what it is.
        tensors: in the place of its parameters and buffers, by name and in their shapes; buffers that are not
            named are cloned.

    Attributes:
        module: to be called like the other.
        strays: tensors that the module keeps beside its parameters and buffers, still the module's own.
    """

    _replica: Replica
    _replaced: frozenset[str]

    def __init__(self, module: nn.Module, tensors: Mapping[str, Tensor] | None = None) -> None:
        self._build(module, slots_of(module), tensors or {}, None)

    def at(self, tensors: Mapping[str, Tensor]) -> "FunctionalModule":
        """Another one, with these tensors and otherwise the present ones; it shares what holds none of them."""
        other = FunctionalModule.__new__(FunctionalModule)
        other._build(self.module, self._slots, tensors, self)
        return other

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Replace registered parameters and buffers by name."""
        for name, tensor in tensors.items():
            for holder, key in self._slots[name]:
                holder[key] = tensor

    def tensors(self, names: Iterable[str]) -> dict[str, Tensor]:
        """The present tensors of these names: a module may have put others in the place of its buffers."""
        present = {}
        for name in names:
            holder, key = self._slots[name][0]
            present[name] = holder[key]
        return present

    def _build(
        self, module: nn.Module, slots: Slots, tensors: Mapping[str, Tensor], before: "FunctionalModule | None"
    ) -> None:
        present = {name: holder[key] for name, ((holder, key), *_) in slots.items() if name in tensors}
        new = {name: tensor for name, tensor in tensors.items() if tensor is not present[name]}
        like = before if before is not None and new.keys() <= before._replaced else None
        replacements = {id(present[name]): tensor for name, tensor in new.items()}
        self._replica = Replica(replacements, whole=before is None, like=None if like is None else like._replica)
        self._replaced = frozenset(new) if like is None else like._replaced  # what leads to none of them is shared
        self.module: nn.Module = self._replica(module)
        self.strays = tuple(self._replica.strays)
        of = self._replica.of
        self._slots: Slots = {name: [(of(holder), key) for holder, key in places] for name, places in slots.items()}


@contextmanager
def as_written() -> Iterator[None]:
    """Within it, modules are neither compiled nor do they find what others have cached.

    A compiled pass has no second derivative; torch caches a parametrised weight by the module that it was written
    for, which a functional module is not.
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
    slots: Slots = {}
    first: dict[int, str] = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for holder in (owner._parameters, owner._buffers):
            for key, tensor in holder.items():
                if tensor is not None:
                    name = first.setdefault(id(tensor), f"{prefix}.{key}" if prefix else key)
                    slots.setdefault(name, []).append((holder, key))
    return slots

"""A functional module: the same computation on other tensors, without changing the module itself."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn.utils import parametrize

from agon.dynamics.unrolled.replica import Replica

Slots = dict[str, list[tuple[Any, str]]]  # tensor's name -> each dictionary that holds it, and the key there


class FunctionalModule:
    """A module of the same class and settings around other tensors, through which gradients flow.

    Everything through which a module can reach its layers and tensors is replicated (`Replica`), not only what
    is registered. Training flags, hooks and parametrisations are the module's. A parameter that is used in
    several places is replaced in all of them. What a pass leaves behind (an attribute, a count) stays in the
    functional module that played, and in those derived from it by `at`.

    With `keeps`, a functional module keeps its tensors, so that recomputation in the backward pass (checkpointing) uses
    them. Without, `at` puts others into it, where nothing but the registered tensors leads to them and no layer
    recomputes anything, as somebody else's may.
    Not to be confused with `torch.func.functional_call`, which swaps registered tensors only during a call.

    Args:
        module: the original; not changed.
        tensors: replacements of its parameters and buffers, by name and in their shapes; buffers that are not
            named are cloned.
        keeps: whether it, and those derived from it, keep their tensors.

    Attributes:
        module: the module to call.
        strays: tensors that the module keeps outside its parameters and buffers; shared with the original.
    """

    _replica: Replica
    _replaced: frozenset[str]
    _keeps: bool

    def __init__(
        self, module: nn.Module, tensors: Mapping[str, Shaped[Tensor, "..."]] | None = None, *, keeps: bool = True
    ) -> None:
        self._keeps = keeps or any(map(_may_recompute, module.modules()))
        self._build(module, slots_of(module), tensors or {}, None)

    def at(self, tensors: Mapping[str, Shaped[Tensor, "..."]]) -> "FunctionalModule":
        """A functional module with these tensors and otherwise the same ones; it shares what holds none of them."""
        if self._loadable and not self._keeps and tensors.keys() == self._replaced:
            self.load(tensors)
            return self
        other = FunctionalModule.__new__(FunctionalModule)
        other._keeps = self._keeps
        other._build(self.module, self._slots, tensors, self)
        return other

    def load(self, tensors: Mapping[str, Shaped[Tensor, "..."]]) -> None:
        """Replace registered parameters and buffers by name."""
        for name, tensor in tensors.items():
            for holder, key in self._slots[name]:
                holder[key] = tensor

    def tensors(self, names: Iterable[str]) -> dict[str, Shaped[Tensor, "..."]]:
        """The current tensors of these names: a pass may have replaced a buffer by another tensor."""
        current = {}
        for name in names:
            holder, key = self._slots[name][0]
            current[name] = holder[key]
        return current

    def _build(
        self, module: nn.Module, slots: Slots, tensors: Mapping[str, Tensor], before: "FunctionalModule | None"
    ) -> None:
        current = {name: holder[key] for name, ((holder, key), *_) in slots.items() if name in tensors}
        new = {name: tensor for name, tensor in tensors.items() if tensor is not current[name]}
        like = before if before is not None and new.keys() <= before._replaced else None
        replacements = {id(current[name]): tensor for name, tensor in new.items()}
        self._replica = Replica(replacements, whole=before is None, like=None if like is None else like._replica)
        self._replaced = frozenset(new) if like is None else like._replaced  # what leads to none of them is shared
        self.module: nn.Module = self._replica(module)
        places = sum(len(slots[name]) for name in new)
        self._loadable = before is not None and self._replica.met == places  # no list or closure leads to them
        self.strays = tuple(self._replica.strays)
        of = self._replica.of
        self._slots: Slots = {name: [(of(holder), key) for holder, key in places] for name, places in slots.items()}


@contextmanager
def eager_modules() -> Iterator[None]:
    """Run modules eagerly and without torch's cache of parametrised weights.

    A compiled pass has no second derivative, and the cache is keyed by the original module, so a functional
    module would find the original's weights.
    """
    enabled, cache = parametrize._cache_enabled, parametrize._cache
    parametrize._cache_enabled, parametrize._cache = 0, {}
    compiling = "torch._dynamo" in sys.modules  # nothing has been compiled without it
    try:
        with torch.compiler.set_stance("force_eager") if compiling else nullcontext():
            yield
    finally:
        parametrize._cache_enabled, parametrize._cache = enabled, cache


def _may_recompute(module: nn.Module) -> bool:
    """Whether a module may play again in the backward pass: a class or hook of somebody else, or a GRAN told to."""
    known = type(module).__module__.startswith(("torch.nn.", "agon."))
    hooks = module._forward_hooks or module._forward_pre_hooks
    return not known or bool(hooks) or bool(getattr(module, "checkpoint", False))


def slots_of(module: nn.Module) -> Slots:
    """Where a module holds each parameter and buffer, by name; a shared tensor is held in several places."""
    slots: Slots = {}
    first: dict[int, str] = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for holder in (owner._parameters, owner._buffers):
            for key, tensor in holder.items():
                if tensor is not None:
                    name = first.setdefault(id(tensor), f"{prefix}.{key}" if prefix else key)
                    slots.setdefault(name, []).append((holder, key))
    return slots

"""A module's twin: the same computation on other tensors, while the module itself is never touched."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)
Slots = dict[str, list[tuple[dict[str, Tensor | None], str]]]


class Twin:
    """A module of the same class and settings, whose parameters and buffers can be replaced by any tensors.

    The twin shares everything with the module until `put` gives it other tensors; gradients flow
    through them. Training flags, hooks and parametrisations are the module's. A parameter that is
    used in several places is replaced in all of them.

    Args:
        module: stays what it is.

    Attributes:
        module: the twin, to be called like the other.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = _copied(module)
        self._slots = slots_of(self.module)

    def put(self, tensors: Mapping[str, Tensor]) -> None:
        """Replace parameters and buffers by name."""
        for name, tensor in tensors.items():
            for own, key in self._slots[name]:
                own[key] = tensor

    def get(self, names: Iterable[str]) -> dict[str, Tensor]:
        """The present tensors of these names: a module may have put others in the place of its buffers."""
        found = {}
        for name in names:
            own, key = self._slots[name][0]
            found[name] = own[key]
        return found  # type: ignore[return-value]


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


def _copied(module: M, done: dict[int, nn.Module] | None = None) -> M:
    """The tree of modules anew, around the same tensors. (copy.copy refuses parametrised modules.)"""
    done = {} if done is None else done
    if id(module) not in done:
        twin = type(module).__new__(type(module))
        done[id(module)] = twin
        twin.__dict__ = module.__dict__.copy()
        twin.__dict__["_parameters"] = module._parameters.copy()
        twin.__dict__["_buffers"] = module._buffers.copy()
        twin.__dict__["_modules"] = {n: m if m is None else _copied(m, done) for n, m in module._modules.items()}
        twin._compiled_call_impl = None  # a compiled pass has no second derivative
    return done[id(module)]  # type: ignore[return-value]

"""The guard of a look-ahead: it refuses losses that depend on the live players instead of their future state.

A module may reach its weights in a way that no replica can follow: a global variable, a closure in C++, a tensor
computed from them earlier. Without a guard, such a look-ahead would silently be wrong.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from agon.dynamics.unrolled.functional_module import FunctionalModule
from agon.errors import SettingError

ADVICE = "keep layers and parameters in registered submodules (nn.ModuleList, nn.ParameterList) and reach them by self"


class Guard:
    """Refuses losses that depend on the players' parameters at another point than the functional module's.

    Args:
        module: the live module.
        functional: its functional module at the live point, before its first pass.
        live: the players' live parameters, by name, which no loss of a functional module may reach.

    Raises:
        SettingError: the module keeps a tensor that shares memory with a parameter, and so would move with the
            live parameter only.
    """

    def __init__(
        self, module: nn.Module, functional: FunctionalModule, live: Mapping[str, Shaped[Tensor, "..."]]
    ) -> None:
        self._module, self._live = module, live
        self._names = {id(parameter): name for name, parameter in live.items()}
        self._passed: set[Any] = set()  # nodes, and the ids of tensors without one
        self._buffers = [(name, b, b._version) for name, b in module.named_buffers()]
        self._refuse_shared([*(b for _, b, _ in self._buffers), *functional.strays])

    def passed(self, tensors: Iterable[Shaped[Tensor, "..."]]) -> None:
        """Record parameters that the players have left."""
        self._passed |= {_origin(tensor) for tensor in tensors}

    def refuse_elsewhere(self, losses: Iterable[Float[Tensor, ""]], here: Iterable[Shaped[Tensor, "..."]] = ()) -> None:
        """Raise a SettingError that names the parameter if a loss depends on the players at another point.

        Args:
            losses: the losses at one point.
            here: tensors on which they may depend: the parameters there, and samples. Histories end at these.
        """
        ends = {_origin(tensor) for tensor in here}
        for node in _history([loss.grad_fn for loss in losses], ends):
            leaf = None if node.next_functions else getattr(node, "variable", None)
            if node in self._passed or (id(leaf) in self._passed and id(leaf) not in ends):
                raise SettingError(
                    "look-ahead: a loss depends on a tensor that an earlier pass left in the module, computed from "
                    "its parameters at that time; compute it again in every forward"
                )
            if id(leaf) in self._names:
                raise SettingError(
                    f"look-ahead: a loss depends on the live parameter {self._names[id(leaf)]} itself, which stays "
                    f"where it is, by {self._way(self._live[self._names[id(leaf)]])}; {ADVICE}"
                )

    def refuse_strangers(self, loss: Float[Tensor, ""], optimiser: torch.optim.Optimizer) -> None:
        """Raise a SettingError if a loss depends on tensors that the optimiser moves beside the players' parameters."""
        strangers = {id(p): p for group in optimiser.param_groups for p in group["params"] if id(p) not in self._names}
        for node in _history([loss.grad_fn], set()) if strangers else ():
            stranger = strangers.get(id(getattr(node, "variable", None)))
            if stranger is not None and stranger.requires_grad:
                raise SettingError(
                    f"look-ahead: the optimiser also moves a tensor of shape {tuple(stranger.shape)} that the loss "
                    f"depends on, by {self._way(stranger)}, and that is not a parameter of the module; {ADVICE}, or "
                    "give the module an optimiser of its own"
                )

    def refuse_changed(self, but: Collection[str] = ()) -> None:
        """Raise a SettingError if a pass has changed a live buffer that is not named in `but`."""
        for name, buffer, version in self._buffers:
            if buffer._version != version and name not in but:
                raise SettingError(
                    f"look-ahead: a loss has changed the live buffer {name} by {self._way(buffer)}; {ADVICE}"
                )

    def _refuse_shared(self, tensors: list[Tensor]) -> None:
        places = {_memory(p): name for name, p in self._live.items()} if tensors else {}
        for tensor in tensors:
            if _memory(tensor) in places and not tensor.requires_grad:
                raise SettingError(
                    f"look-ahead: {self._way(tensor)} shares memory with the parameter {places[_memory(tensor)]}, and "
                    "moves with the live one only; compute it in forward instead"
                )

    def _way(self, tensor: Tensor) -> str:
        """The name by which the module reaches a live tensor, if it can be found."""
        return next(_ways(self._module, tensor), "a way that cannot be followed")


def _origin(tensor: Tensor) -> Any:
    return id(tensor) if tensor.grad_fn is None else tensor.grad_fn


def _history(begin: Iterable[Any], ends: set[Any]) -> Iterator[Any]:
    """The nodes of autograd's graph behind `begin`, up to the ends."""
    seen = {None, *ends}
    waiting = [node for node in begin if node not in seen]
    seen.update(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for before, _ in node.next_functions:
            if before not in seen:
                seen.add(before)
                waiting.append(before)


def _ways(module: nn.Module, tensor: Tensor) -> Iterator[str]:
    """The unregistered attributes and the global variables by which a module reaches a tensor."""
    for prefix, owner in module.named_modules():
        path = f"{prefix}." if prefix else ""
        for name, value in vars(owner).items():
            if not name.startswith("_") and _leads(value, tensor):
                yield f"the attribute {path}{name}"
        for base in type(owner).__mro__:
            if not base.__module__.startswith("torch."):
                yield from _globals(base, tensor)
    yield from (f"the buffer {name}" for name, buffer in module.named_buffers() if _same(buffer, tensor))


def _globals(owner: type, tensor: Tensor) -> Iterator[str]:
    for function in vars(owner).values():
        if isinstance(function, FunctionType):
            for name in function.__code__.co_names:
                if _leads(function.__globals__.get(name), tensor):
                    yield f"the global variable {name}, in {function.__qualname__}"


def _leads(value: Any, tensor: Tensor) -> bool:
    if isinstance(value, nn.Module):
        return any(_same(registered, tensor) for registered in (*value.parameters(), *value.buffers()))
    if isinstance(value, dict):
        return any(_leads(part, tensor) for part in value.values())
    if isinstance(value, (list, tuple, set)):
        return any(_leads(part, tensor) for part in value)
    return isinstance(value, Tensor) and _same(value, tensor)


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether one is the other, or was computed from it by a single operation."""
    origin = one.grad_fn.next_functions if one.grad_fn is not None else ()
    return one is other or any(getattr(node, "variable", None) is other for node, _ in origin)


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()

"""Capture what compiled programs call, with their buffers, and replay it: as CUDA graphs do, for programs on a CPU.

A program of inductor allocates some 40 small tensors for a few kernels at each call, which takes longer than the
kernels themselves where batches are small. A captured program has its buffers already.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock, get_ident
from types import FunctionType
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from jaxtyping import Shaped
from torch import Tensor
from torch.utils import _pytree as pytree

T = TypeVar("T")
KERNEL = "cpp_fused"  # how the names of inductor's own kernels begin
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm")  # library functions that write into a given tensor
KNOWN = {"clear", "empty_strided_cpu", "reinterpret_tensor", "extern_kernels", "torch", *PRODUCTS}
ONE_AT_A_TIME = Lock()


class Varying(NamedTuple):
    """One of the tensors that are other ones at each replay, or a view of it, of some size, strides and offset."""

    which: int
    view: tuple[Any, ...] | None = None


class Captured(NamedTuple):
    """What programs called.

    Attributes:
        calls: functions with their arguments, in order.
        places: in which list of arguments, and at which position, a varying tensor stands.
    """

    calls: list[tuple[Callable[..., Any], list[Any]]]
    places: list[tuple[list[Any], int, Varying]]

    def replay(self, given: Sequence[Tensor]) -> None:
        """Call all of it again, with these tensors for the varying ones."""
        for arguments, position, (which, view) in self.places:
            arguments[position] = given[which] if view is None else _reinterpret(given[which], *view)
        for function, arguments in self.calls:
            function(*arguments)


class Replayed(Generic[T]):
    """A function that only calls compiled programs: captured at its second call, and replayed from then on.

    Then the returned tensors are the same at each call, with new values. What cannot be captured is called as it is: a
    program that calls more than inductor's own kernels and products of matrices, or whose result depends on a tensor
    that is neither static nor given; and what a first replay does not repeat to the last bit.

    Args:
        function: a list of tensors, always with the same sizes and strides -> a structure of tensors.
        static: all other tensors that it takes or changes, always the same ones.
    """

    def __init__(self, function: Callable[[list[Tensor]], T], static: Iterable[Shaped[Tensor, "..."]]) -> None:
        self._function, self._static = function, list(static)
        self._calls, self._captured = 0, Captured([], [])
        self._result: T | None = None

    @property
    def is_captured(self) -> bool:
        """Whether calls are replays."""
        return self._result is not None

    def __call__(self, given: list[Tensor]) -> T:
        if self._result is not None:
            self._captured.replay(given)
            return self._result
        self._calls += 1
        return self._capture(given) if self._calls == 2 else self._function(given)

    def _capture(self, given: list[Tensor]) -> T:
        before, copies = _clones(self._static), _clones(given)  # so that each given tensor has memory of its own
        capture = _Capture(copies, self._static)
        with capture.captures():
            result = self._function(copies)
        results = pytree.tree_leaves(result)
        if capture.knows_all(results) and self._is_repeated(capture.captured, given, copies, before, results):
            self._captured, self._result = capture.captured, result
        return result

    def _is_repeated(
        self, captured: Captured, given: list[Tensor], copies: list[Tensor], before: list[Tensor], results: list[Tensor]
    ) -> bool:
        """Whether a replay computes the same to the last bit, from what was `before` and without the `copies`."""
        changed = [*self._static, *results]
        after = _clones(changed)
        for tensor, value in zip(self._static, before, strict=True):
            tensor.copy_(value)
        for copy in copies:
            copy.zero_()
        captured.replay(given)
        same = all(map(torch.equal, changed, after))
        for tensor, value in zip(changed, after, strict=True):
            tensor.copy_(value)
        return same


class _Capture:
    """Makes a `Captured`.

    Args:
        varying: the tensors that are other ones at each replay.
        static: the tensors that are the same.
    """

    def __init__(self, varying: Sequence[Tensor], static: Iterable[Tensor]) -> None:
        self.captured, self._possible = Captured([], []), True
        self._inputs = {_place(tensor): Varying(which) for which, tensor in enumerate(varying)}
        self._memory = {_address(tensor) for tensor in static}
        self._varying = dict[int, Varying]()  # by the identity of a tensor object, each of which is kept
        self._kept: list[Tensor] = []
        self._free: dict[Any, list[Tensor]] = defaultdict(list)  # buffers that no later program needs
        self._allocated: list[tuple[Any, Tensor]] = []  # those of the present program

    @contextmanager
    def captures(self) -> Iterator[None]:
        """Within it, what this thread's compiled programs call is captured."""
        try:
            from torch._inductor.output_code import CompiledFxGraph
        except ImportError:  # another torch keeps its programs elsewhere
            self._possible = False
            yield
            return
        thread = get_ident()

        def captured(graph: CompiledFxGraph, inputs: list[Tensor]) -> Any:
            return self._run(graph, original, inputs) if get_ident() == thread else original(graph, inputs)

        with ONE_AT_A_TIME:
            original = CompiledFxGraph.__call__
            CompiledFxGraph.__call__ = captured
            try:
                yield
            finally:
                CompiledFxGraph.__call__ = original

    def knows_all(self, tensors: Iterable[Any]) -> bool:
        """Whether a replay would compute all of these."""
        return self._possible and all(isinstance(t, Tensor) and _address(t) in self._memory for t in tensors)

    def _run(self, graph: Any, original: Callable[..., Any], inputs: list[Tensor]) -> Any:
        """Run a program with replacements for all that it calls; if there is more, as it is."""
        function = getattr(graph.current_callable, "__func__", None)
        names = set(function.__code__.co_names) if isinstance(function, FunctionType) else set[str]()
        kernels = {name for name in names if name.startswith(KERNEL)}
        known = {*kernels, *KNOWN, *filter(_is_type, names)}
        self._possible &= bool(kernels) and names <= known and all(map(self._is_known, inputs))
        if not self._possible or function is None:
            return original(graph, inputs)
        ours = {
            "empty_strided_cpu": self._allocate,
            "reinterpret_tensor": self._view,
            "extern_kernels": _Products(self),
        }
        theirs = function.__globals__
        ours |= {name: partial(self.call, theirs[name]) for name in kernels}
        returned = FunctionType(function.__code__, {**theirs, **ours})(graph.current_callable.__self__, inputs)
        self._release(returned)
        return returned

    def _is_known(self, tensor: Any) -> bool:
        """Whether a program's input is a varying tensor, a static one, or a program's result."""
        if not isinstance(tensor, Tensor):
            return False
        if varying := self._inputs.get(_place(tensor)):
            self._keep(tensor, varying)
            return True
        return _address(tensor) in self._memory

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a kernel, and capture that."""
        function(*arguments)
        listed = list(arguments)
        self.captured.calls.append((function, listed))
        found = [(i, self._varying[id(each)]) for i, each in enumerate(listed) if id(each) in self._varying]
        self.captured.places.extend((listed, position, varying) for position, varying in found)

    def _allocate(self, size: Any, stride: Any, dtype: torch.dtype) -> Tensor:
        kind = size, stride, dtype
        free = self._free[kind]
        buffer = free.pop() if free else torch.empty_strided(size, stride, dtype=dtype)
        self._allocated.append((kind, buffer))
        self._memory.add(_address(buffer))
        return buffer

    def _view(self, tensor: Tensor, *view: Any) -> Tensor:
        viewed = _reinterpret(tensor, *view)
        if varying := self._varying.get(id(tensor)):
            self._possible &= varying.view is None
            self._keep(viewed, Varying(varying.which, view))
        return viewed

    def _keep(self, tensor: Tensor, varying: Varying) -> None:
        self._varying[id(tensor)] = varying
        self._kept.append(tensor)

    def _release(self, returned: Sequence[Tensor]) -> None:
        """After a program, all of its buffers but the returned ones are free."""
        results = {_address(tensor) for tensor in returned if isinstance(tensor, Tensor)}
        for kind, buffer in self._allocated:
            if _address(buffer) not in results:
                self._free[kind].append(buffer)
        self._allocated = []


class _Products:
    """In the place of inductor's `extern_kernels`."""

    def __init__(self, capture: _Capture) -> None:
        self._capture = capture

    def __getattr__(self, name: str) -> Callable[..., None]:
        from torch._inductor.select_algorithm import extern_kernels

        product = getattr(extern_kernels, name)
        return lambda *arguments, **named: self._capture.call(partial(product, **named), *arguments)


def _clones(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.clone() for tensor in tensors]


def _reinterpret(tensor: Tensor, *view: Any) -> Tensor:
    viewed: Tensor = torch._C._dynamo.guards._reinterpret_tensor(tensor, *view)  # type: ignore[attr-defined]
    return viewed


def _is_type(name: str) -> bool:
    return isinstance(getattr(torch, name, None), torch.dtype)


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _place(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype

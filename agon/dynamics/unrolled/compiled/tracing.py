"""Compile functions of tensors: trace them to plain operations, derivatives written out, and compile the trace."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor
from torch.utils import _pytree as pytree

TINY = 4  # matrix products with a side up to this are faster as a fused sum than as a call
VECTORS = ("AVX2", "AVX512")  # torch has detected them already; inductor would need ten compilations to do so


class FlatFunction:
    """A function of nested structures as a function of a flat list of the tensors in them.

    Everything in the example's arguments that is not a tensor becomes a constant.

    Attributes:
        returned: the structure of the last returned value.
    """

    returned: Any

    def __init__(self, function: Callable[..., Any], *example: Any) -> None:
        self._function = function
        self._leaves, self._arguments = pytree.tree_flatten(example)

    def __call__(self, tensors: Sequence[Tensor]) -> list[Any]:
        rest = iter(tensors)
        leaves = [next(rest) if isinstance(leaf, Tensor) else leaf for leaf in self._leaves]
        results = self._function(*pytree.tree_unflatten(leaves, self._arguments))
        returned, self.returned = pytree.tree_flatten(results)
        return returned


class Compiled(NamedTuple):
    """A compiled function of a flat list of tensors, and the structure of its returned value."""

    run: Any
    returned: Any

    def __call__(self, tensors: list[Tensor]) -> list[Tensor]:
        return list(self.run(*tensors))


def compiled(function: Callable[..., Any], *example: Any) -> Compiled:
    """Compile a function for arguments of the example's structure and shapes.

    The function must be pure, and may differentiate: the trace sees through torch.autograd.grad. Arguments
    that are not tensors become constants.
    """
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it warns where there is no CUDA
    from torch._inductor import standalone_compile

    flat, tensors = FlatFunction(function, *example), tensors_of(example)
    graph = traced(flat, tensors)
    with torch.no_grad(), _settings():
        run = standalone_compile(graph, [t.clone() for t in tensors], dynamic_shapes="from_example_inputs")
    return Compiled(run, flat.returned)


def traced(function: FlatFunction, tensors: Sequence[Shaped[Tensor, "..."]]) -> torch.fx.GraphModule:
    """The plain operations of a function, derivatives written out, for tensors of these shapes."""
    import torch._inductor.inductor_prims
    from torch._functorch.compile_utils import fx_graph_cse
    from torch.fx.experimental.proxy_tensor import make_fx

    distinct = [t.clone() for t in tensors]  # a tensor that occurs twice would be traced as one input
    with torch.no_grad():
        graph: torch.fx.GraphModule = make_fx(lambda *given: function(given), decomposition_table=_SMALL)(*distinct)
    graph.graph.eliminate_dead_code()
    graph.graph = fx_graph_cse(graph.graph)  # what is written twice is computed once
    graph.recompile()
    return graph


def stored(x: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """x itself, which a compiled program computes once and stores, and not again for each element that takes it."""
    import torch._inductor.inductor_prims

    same: Tensor = torch.ops.prims.inductor_force_stride_order(x, x.stride())
    return same


def tensors_of(structure: Any) -> list[Shaped[Tensor, "..."]]:
    """The tensors in a structure, in order, without their history."""
    return [leaf.detach() for leaf in pytree.tree_leaves(structure) if isinstance(leaf, Tensor)]


@contextmanager
def _settings() -> Iterator[None]:
    """Settings that shorten inductor's compilation on a CPU without costing speed."""
    from torch._inductor import config

    known = torch.backends.cpu.get_cpu_capability() in VECTORS
    chosen: dict[str, Any] = {"cpp.threads": torch.get_num_threads(), "compile_threads": 1, "size_asserts": False}
    with config.patch({**chosen, "cpp.vec_isa_ok": True} if known else chosen):
        yield


def _product(a: Tensor, b: Tensor) -> Any:
    """a @ b as a sum of outer products, which fuses with the surrounding operations, if a side is tiny.

    A vector is computed once, before: else each of its numbers would be computed again for every element of the result.
    """
    (n, k), m = a.shape, b.shape[1]
    if k == 1:
        return _by_rows(a) * _by_rows(b)
    if k <= TINY:
        columns, rows = _by_rows(a.t()), _by_rows(b)
        return sum((columns[i][:, None] * rows[i] for i in range(1, k)), columns[0][:, None] * rows[0])
    if m <= TINY:
        columns = _by_rows(b.t()) if m > 1 else b.t()
        return torch.stack([(a * columns[j]).sum(1) for j in range(m)], 1)
    if n <= TINY:
        rows = _by_rows(a)
        return torch.stack([(rows[i][:, None] * b).sum(0) for i in range(n)], 0)
    return NotImplemented


def _biased_product(bias: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Any:
    if not beta == alpha == 1:
        return NotImplemented
    product = _product(a, b)
    return (_by_rows(torch.mm(a, b)) if product is NotImplemented else product) + bias


def _by_rows(x: Tensor) -> Tensor:
    """Lay x out row by row in memory, so that fused loops read it in one direction."""
    rows: Tensor = torch.ops.prims.inductor_force_stride_order(x, [x.shape[1], 1])
    return rows


_SMALL: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.mm.default: _product,
    torch.ops.aten.addmm.default: _biased_product,
}

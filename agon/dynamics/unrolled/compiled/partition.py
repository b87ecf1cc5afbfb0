"""Split a function of early and late arguments into two: what can be computed early, and the rest.

A generator's pass comes before the look-ahead, and its derivative after it needs what the pass has computed. Traced
as one function, the two are parted by what depends on the late arguments.
"""

from collections.abc import Callable, Collection, Sequence
from operator import getitem
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx
from torch._ops import OpOverload

from agon.dynamics.unrolled.compiled.tracing import FlatFunction, tensors_of, traced

Nodes = list[fx.Node]


class Partition(NamedTuple):
    """Two functions of flat lists of tensors, and how the second takes from the first.

    Attributes:
        early: the early arguments' tensors -> those of the early result, then those that are kept for later.
        late: some of the early arguments, the kept tensors, and the late arguments -> the late result's tensors; it
            changes arguments in place.
        again: which of the early arguments the late function takes, by position.
        changes: whether the late function changes any of its arguments.
        returned: the structures of the early and of the late result.
    """

    early: Callable[..., Sequence[Tensor]]
    late: Callable[..., Sequence[Tensor]]
    again: tuple[int, ...]
    changes: bool
    returned: tuple[Any, Any]


def partition(function: Callable[..., tuple[Any, ...]], early: Any, late: Any) -> Partition:
    """Trace `function(early, late)`, which returns an early and a late result, and split it.

    Args:
        function: pure, up to derivatives; its early result depends on `early` alone. It may return a third result:
            pairs of an argument and its new value, which the late part writes in place, after all else.
        early: an example of the first argument, a structure of tensors.
        late: an example of the second.

    Raises:
        ValueError: the early result depends on the late argument, or what is to be changed is no argument.
    """
    flat, n = FlatFunction(function, early, late), len(tensors_of(early))
    module = traced(flat, tensors_of((early, late)))
    *nodes, output = module.graph.nodes
    given = [node for node in nodes if node.op == "placeholder"]
    first, last, *_ = flat.returned.children()
    leaves: Nodes = list(output.args[0])
    both = first.num_leaves + last.num_leaves
    results, pairs = (leaves[: first.num_leaves], leaves[first.num_leaves : both]), leaves[both:]
    changes = [(target, value) for target, value in zip(pairs[::2], pairs[1::2], strict=True) if target is not value]
    if not {target for target, _ in changes} <= set(given):
        raise ValueError("partition: what is changed must be an argument")
    behind = _reached(nodes, given[n:])
    if not behind.isdisjoint(results[0]):
        raise ValueError("partition: the early result depends on the late argument")
    needed = _needed(behind, [*results[1], *(node for change in changes for node in change)])
    again = [node for node in given[:n] if node in needed]
    kept = [node for node in nodes if node in needed and node.op != "placeholder" and not _is_free(node)]
    before = [node for node in nodes if node not in behind and node.op != "placeholder"]
    after = [node for node in nodes if node in behind or (node in needed and _is_free(node))]
    return Partition(
        _part(module, given[:n], before, [*results[0], *kept]),
        _part(module, [*again, *kept, *given[n:]], [node for node in after if node not in given], results[1], changes),
        tuple(given.index(node) for node in again),
        bool(changes),
        (first, last),
    )


def _reached(nodes: Nodes, start: Nodes) -> set[fx.Node]:
    """The nodes that depend on any of `start`, these included."""
    reached = set(start)
    for node in nodes:
        if not reached.isdisjoint(node.all_input_nodes):
            reached.add(node)
    return reached


def _needed(behind: Collection[fx.Node], results: Nodes) -> set[fx.Node]:
    """The early nodes that the late ones take; of views, which cost nothing, also what they are views of."""
    waiting = [node for late in behind for node in late.all_input_nodes] + results
    needed: set[fx.Node] = set()
    while waiting:
        node = waiting.pop()
        if node not in behind and node not in needed:
            needed.add(node)
            waiting += node.all_input_nodes if _is_free(node) else ()
    return needed


def _is_free(node: fx.Node) -> bool:
    """Whether a node computes next to nothing: a constant, one number from an argument, or a view of a tensor."""
    if node.op == "get_attr" or _is_view(node):
        return True
    if not isinstance(node.target, OpOverload):
        return False
    forced = node.target is torch.ops.prims.inductor_force_stride_order.default  # which may return its argument itself
    is_number = isinstance(node.meta.get("val"), Tensor) and node.meta["val"].ndim == 0
    return (forced or is_number) and all(map(_is_given, node.all_input_nodes))


def _is_given(node: fx.Node) -> bool:
    """Whether a node is an argument, or a view of one."""
    while _is_view(node):
        node = node.all_input_nodes[0]
    return node.op == "placeholder"


def _is_view(node: fx.Node) -> bool:
    """Whether a node is a view of another, or one of several into which another is split."""
    if node.target is getitem:
        return _is_view(node.all_input_nodes[0])
    return isinstance(node.target, OpOverload) and node.target.is_view


def _part(
    module: fx.GraphModule,
    given: Sequence[fx.Node],
    nodes: Nodes,
    results: Sequence[fx.Node],
    changes: Sequence[tuple[fx.Node, fx.Node]] = (),
) -> fx.GraphModule:
    """The nodes as a function of their own, which writes the changes last."""
    graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in given:
        copies[node] = graph.placeholder(node.name)
    for node in nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    for change in changes:
        graph.call_function(torch.ops.aten.copy_.default, tuple(copies[node] for node in change))
    graph.output([copies[node] for node in results])
    graph.eliminate_dead_code()
    return fx.GraphModule(module, graph)

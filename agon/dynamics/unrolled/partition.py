"""Split a function of early and late arguments into two: what can be computed early, and the rest.

A generator's pass comes before the look-ahead, and its derivative after it needs what the pass has computed. Traced
as one function, the two are parted by what depends on the late arguments.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from torch import Tensor, fx
from torch._ops import OpOverload

from agon.dynamics.unrolled.tracing import FlatFunction, tensors_of, traced

Nodes = list[fx.Node]


class Partition(NamedTuple):
    """Two functions of flat lists of tensors, and how the second takes from the first.

    Attributes:
        early: the early arguments' tensors -> those of the early result, then those that are kept for later.
        late: some of the early arguments, the kept tensors, and the late arguments -> the late result's tensors.
        again: which of the early arguments the late function takes, by position.
        returned: the structures of the early and of the late result.
    """

    early: Callable[..., Sequence[Tensor]]
    late: Callable[..., Sequence[Tensor]]
    again: tuple[int, ...]
    returned: tuple[Any, Any]


def partition(function: Callable[..., tuple[Any, Any]], early: Any, late: Any) -> Partition:
    """Trace `function(early, late)`, which returns an early and a late result, and split it.

    Args:
        function: pure, up to derivatives; its early result depends on `early` alone.
        early: an example of the first argument, a structure of tensors.
        late: an example of the second.

    Raises:
        ValueError: the early result depends on the late argument.
    """
    flat, n = FlatFunction(function, early, late), len(tensors_of(early))
    module = traced(flat, tensors_of((early, late)))
    *nodes, output = module.graph.nodes
    given = [node for node in nodes if node.op == "placeholder"]
    first, last = flat.returned.children()
    leaves: Nodes = list(output.args[0])
    results = leaves[: first.num_leaves], leaves[first.num_leaves :]
    behind = _reached(nodes, given[n:])
    if not behind.isdisjoint(results[0]):
        raise ValueError("partition: the early result depends on the late argument")
    needed = _needed(behind, results[1])
    again = [node for node in given[:n] if node in needed]
    kept = [node for node in nodes if node in needed and node.op != "placeholder" and not _is_free(node)]
    before = [node for node in nodes if node not in behind and node.op != "placeholder"]
    after = [node for node in nodes if node in behind or (node in needed and _is_free(node))]
    return Partition(
        _part(module, given[:n], before, [*results[0], *kept]),
        _part(module, [*again, *kept, *given[n:]], [node for node in after if node not in given], results[1]),
        tuple(given.index(node) for node in again),
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
    """Whether a node computes nothing: a constant, or a view of another tensor."""
    return node.op == "get_attr" or (isinstance(node.target, OpOverload) and node.target.is_view)


def _part(module: fx.GraphModule, given: Sequence[fx.Node], nodes: Nodes, results: Sequence[fx.Node]) -> fx.GraphModule:
    """The nodes as a function of their own."""
    graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in given:
        copies[node] = graph.placeholder(node.name)
    for node in nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output([copies[node] for node in results])
    graph.eliminate_dead_code()
    return fx.GraphModule(module, graph)

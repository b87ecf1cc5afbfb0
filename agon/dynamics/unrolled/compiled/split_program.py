"""A function of early and late arguments, split and compiled: its late part takes what the early one has computed."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from agon.dynamics.unrolled.compiled import tracing
from agon.dynamics.unrolled.compiled.partition import partition
from agon.dynamics.unrolled.compiled.tracing import tensors_of


class SplitProgram:
    """Both parts of a function, as in `partition`, compiled.

    Args:
        function: pure, up to derivatives: (early, late) -> the early and the late result, and what is changed in place.
        early: an example of the first argument, a structure of tensors.
        late: an example of the second.

    Attributes:
        returned: the structures of the early and of the late result.
        example: the tensors of the early result for the example.
    """

    def __init__(self, function: Callable[..., tuple[Any, ...]], early: Any, late: Any) -> None:
        parts, given = partition(function, early, late), tensors_of(early)
        self.returned, self._again, n = parts.returned, parts.again, parts.returned[0].num_leaves
        with torch.no_grad():
            results = list(parts.early(*given))
        self.example, self._kept = results[:n], slice(n, None)
        self.early = tracing.compiled(parts.early, *given)
        if parts.changes and _shares_memory(self.early(given)[n:], given):
            raise ValueError("what is kept for later is a view of an argument, and arguments are changed later")
        example = [*self.needed(given, results), *tensors_of(late)]
        self._late = tracing.compiled(parts.late, *(tensor.clone() for tensor in example))  # which it may change

    def needed(self, given: Sequence[Tensor], results: Sequence[Tensor]) -> list[Tensor]:
        """What the late part needs of the early one: some of its arguments, and what it kept beside its results."""
        return [*(given[index] for index in self._again), *results[self._kept]]

    def late(self, needed: Sequence[Tensor], late: Sequence[Tensor]) -> list[Tensor]:
        """The tensors of the late result."""
        return self._late([*needed, *late])


def _shares_memory(some: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """Whether any of some tensors shares its memory with any of others."""
    addresses, more = ({t.untyped_storage().data_ptr() for t in tensors} for tensors in (some, others))
    return not addresses.isdisjoint(more)

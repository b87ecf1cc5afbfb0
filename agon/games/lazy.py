"""A batch of which nothing is read that no loss looks at."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from torch import Tensor

from agon.data.source import RealBatch
from agon.games.game import Batch


class LazyBatch(Batch):
    """A batch whose real samples are read on first use: most losses of a generator never look at them.

    Args:
        read: returns the real samples and their labels; called at most once.
        latent: as in `Batch`.
        noise: as in `Batch`.
    """

    read: Callable[[], RealBatch]

    def __new__(cls, read: Callable[[], RealBatch], latent: Tensor, noise: Mapping[str, Tensor]) -> "LazyBatch":
        batch = super().__new__(cls, latent.new_empty(0), latent, noise)  # the first is never seen
        batch.read = read
        return batch

    @cached_property
    def _drawn(self) -> RealBatch:
        return self.read()

    @property
    def real(self) -> Tensor:
        return self._drawn.real

    @property
    def label(self) -> Tensor | None:
        return self._drawn.label

    def __iter__(self) -> Iterator[Any]:
        return iter((self.real, self.latent, self.noise, self.label))

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]

    def _replace(self, **changes: Any) -> Batch:  # type: ignore[override]
        return self.whole()._replace(**changes)

    def whole(self) -> Batch:
        """The same batch, read."""
        return Batch(*self)

"""In which order a finite set is drawn: an endless sequence that any process can enter anywhere."""

import hashlib

import torch
from jaxtyping import Int
from torch import Tensor

from agon.errors import DataError, SettingError


def generator(*words: str | int) -> torch.Generator:
    """A random stream that belongs to these words and to no others.

    Args:
        *words: what the stream is for, such as ("order", seed, epoch).

    Returns:
        A generator on the CPU, seeded by the SHA-256 of the words, so that (1, 23) and (12, 3) differ.
    """
    digest = hashlib.sha256(repr(words).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))


def part(batch: int, rank: int, world: int) -> slice:
    """The rank-th of `world` equal, contiguous parts of a batch.

    >>> part(6, 1, 3)
    slice(2, 4, None)

    Raises:
        SettingError: the batch has no `world` equal parts, or there is no such rank.
    """
    if batch < 1 or world < 1 or batch % world:
        raise SettingError(
            f"expected a batch that {world} processes can share equally, got {batch}: "
            f"take a positive multiple of {world}"
        )
    if not 0 <= rank < world:
        raise SettingError(f"expected a rank from 0 to {world - 1} (world is {world}), got {rank}")
    share = batch // world
    return slice(rank * share, (rank + 1) * share)


class Order:
    """The permutations of 0..n-1 of epoch 0, 1, 2, ... one after another, made when they are needed.

    Batch k of size B takes places kB..(k+1)B-1 of that sequence: every sample comes once an epoch, no
    remainder is dropped, a batch may straddle two epochs, and the position is the one number k.
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self.seed = seed
        self._made: dict[int, Tensor] = {}

    def __call__(self, batch: int, index: int) -> Int[Tensor, " batch"]:
        """Which samples make up batch number `index`.

        Raises:
            DataError: a batch is larger than the set, so it would hold a sample twice.
        """
        if batch > self.n:
            raise DataError(
                f"expected at least {batch} samples for a batch of {batch}, got {self.n}: "
                "take a smaller batch or more data"
            )
        first = index * batch
        epoch, start = divmod(first, self.n)
        rows = self._epoch(epoch)[start : start + batch]
        if len(rows) == batch:
            return rows
        return torch.cat([rows, self._epoch(epoch + 1)[: batch - len(rows)]])

    def _epoch(self, epoch: int) -> Int[Tensor, " n"]:
        if epoch not in self._made:
            # two are kept: a batch touches no more, and a permutation of a large set is not small
            self._made = {e: p for e, p in self._made.items() if e == epoch - 1}
            self._made[epoch] = torch.randperm(self.n, generator=generator("order", self.seed, epoch))
        return self._made[epoch]

"""The order in which a finite set is drawn: an endless sequence that any process can enter anywhere."""

import hashlib

import torch
from jaxtyping import Int
from torch import Tensor

from agon.errors import DataError, SettingError


def generator(*words: str | int) -> torch.Generator:
    """Make a random stream that belongs to these words alone.

    Args:
        *words: the purpose of the stream, such as ("order", seed, epoch).

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
        SettingError: the batch does not divide into `world` equal parts, or the rank is out of range.
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
    """The permutations of 0..n-1 for epochs 0, 1, 2, ..., one after another, made when needed.

    Batch k of size B takes places kB..(k+1)B-1 of that sequence: every sample comes once in an epoch, no
    remainder is dropped, a batch may straddle two epochs, and k is the whole position.
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self.seed = seed
        self._permutations: dict[int, Tensor] = {}

    def __call__(self, batch: int, index: int) -> Int[Tensor, " batch"]:
        """The indices of the samples in batch number `index`.

        Raises:
            DataError: a batch is larger than the set, so that it would hold a sample twice.
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
        if epoch not in self._permutations:
            # keep two: a batch touches no more, and a permutation of a large set is not small
            self._permutations = {e: p for e, p in self._permutations.items() if e == epoch - 1}
            self._permutations[epoch] = torch.randperm(self.n, generator=generator("order", self.seed, epoch))
        return self._permutations[epoch]

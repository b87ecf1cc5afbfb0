"""Named random streams, all derived from one seed: what one draws never moves another."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived(seed: int, name: str) -> int:
    """The seed of a named stream, 0 to 2^63 - 1.

    >>> derived(7, "latents") == derived(7, "latents") != derived(7, "noise")
    True
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str) -> torch.Generator:
    """A named stream at its beginning. On the CPU, so that every device draws the same."""
    return torch.Generator().manual_seed(derived(seed, name))


@contextmanager
def borrowed(seed: int, name: str) -> Iterator[None]:
    """Within it, torch's global stream is a named one; afterwards it goes on as if nothing had been drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(derived(seed, name))
        yield

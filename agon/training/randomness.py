"""Named random streams, all derived from one seed: what one draws never moves another."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor


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


class GlobalStreams:
    """torch's global random streams, and its number of threads, as one training has them.

    There is one of each in a process. Trainings in several threads take turns: within `held` they are this
    training's, as it left them, and nobody else's.

    Args:
        threads: of torch's own pool; 0 leaves it as it is.
    """

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _holder: ClassVar["GlobalStreams | None"] = None

    def __init__(self, threads: int) -> None:
        self._threads, self._states = threads, dict[str, Tensor]()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it torch's global streams are these."""
        with self._lock:
            if GlobalStreams._holder is not self:
                self._take()
            yield

    def _take(self) -> None:
        before = GlobalStreams._holder
        if before is not None:
            before._states = global_states()
        set_global_states(self._states)
        if self._threads and self._threads != torch.get_num_threads():
            torch.set_num_threads(self._threads)
        GlobalStreams._holder = self

    @classmethod
    @contextmanager
    def aside(cls) -> Iterator[None]:
        """Within it nobody else draws from torch's global streams; afterwards they are what they were."""
        with cls._lock:
            holder = cls._holder
            try:
                with torch.random.fork_rng():
                    yield
            finally:
                cls._holder = holder


def global_states() -> dict[str, Tensor]:
    """Of torch's global streams: "torch", and "cuda" where a GPU has been used."""
    states = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_global_states(states: dict[str, Tensor]) -> None:
    """What `global_states` gave; one that is not there stays what it is."""
    if "torch" in states:
        torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


@contextmanager
def borrowed(seed: int, name: str) -> Iterator[None]:
    """Within it, torch's global stream is a named one; afterwards it goes on as if nothing had been drawn."""
    with GlobalStreams.aside():
        torch.manual_seed(derived(seed, name))
        yield


@contextmanager
def aside() -> Iterator[None]:
    """Afterwards torch's random streams and its number of threads are what they were."""
    threads = torch.get_num_threads()
    with GlobalStreams.aside():
        try:
            yield
        finally:
            torch.set_num_threads(threads)

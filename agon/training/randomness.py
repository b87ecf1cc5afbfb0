"""Named random streams, derived from one seed and independent of each other."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from jaxtyping import UInt8
from torch import Tensor

from agon.networks.layers import seed_global_streams


def derived(seed: int, name: str) -> int:
    """The seed of a named stream, 0 to 2^63 - 1.

    >>> derived(7, "latents") == derived(7, "latents") != derived(7, "noise")
    True
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str) -> torch.Generator:
    """A new named stream, on the CPU, so that draws are the same for every device."""
    return torch.Generator().manual_seed(derived(seed, name))


class GlobalStreams:
    """One training's state of torch's global random streams and number of threads.

    A process has only one of each, so trainings in several threads take turns: within `held`, they are as this
    training left them.

    Args:
        threads: number of threads in torch's pool; 0 leaves it unchanged.
    """

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _holder: ClassVar["GlobalStreams | None"] = None

    def __init__(self, threads: int) -> None:
        self._threads, self._states = threads, dict[str, Tensor]()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within the context, torch's global streams are this training's."""
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
    def reserved(cls) -> Iterator[None]:
        """Reserve torch's global streams within the context, and restore them afterwards."""
        with cls._lock:
            holder = cls._holder
            try:
                with torch.random.fork_rng():
                    yield
            finally:
                cls._holder = holder


def global_states() -> dict[str, UInt8[Tensor, " _"]]:
    """The states of torch's global streams: "torch", and "cuda" if there is a GPU."""
    states = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_global_states(states: dict[str, UInt8[Tensor, " _"]]) -> None:
    """Set the streams to what `global_states` returned; streams that are not given stay unchanged."""
    if "torch" in states:
        torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


@contextmanager
def temporary_stream(seed: int, name: str) -> Iterator[None]:
    """Let torch's global stream be a named one within the context, and restore it afterwards."""
    with GlobalStreams.reserved():
        seed_global_streams(derived(seed, name))
        yield


@contextmanager
def preserve_global_streams() -> Iterator[None]:
    """Restore torch's random streams and number of threads at the end of the context."""
    threads = torch.get_num_threads()
    with GlobalStreams.reserved():
        try:
            yield
        finally:
            torch.set_num_threads(threads)

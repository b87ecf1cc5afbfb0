"""What does not fit into the memory is refused before it is allocated: afterwards the system ends the process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from agon.errors import SettingError

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container
GIB = 2**30
NUMBER = 4  # bytes


@cache
def memory() -> int:
    """Bytes that this process may have: the machine's, or its container's."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        machine = 2**63
    return min([machine, *_limits()])


def refuse_more(name: str, n: int, numbers: int) -> None:
    """Refuse n samples of so many numbers each, where they alone are more than the memory.

    Raises:
        SettingError: they are.
    """
    wanted = n * numbers * NUMBER
    if wanted > memory():
        most = memory() // (numbers * NUMBER)
        raise SettingError(
            f"{name}: expected samples that fit into the memory of {memory() / GIB:.0f} GiB, got {n:,}, which take "
            f"{wanted / GIB:,.0f} GiB; {most:,} would fill it, so ask for far fewer"
        )


@contextmanager
def weights_within() -> Iterator[None]:
    """Within it, networks are refused as soon as their weights are more than the memory.

    Raises:
        MemoryError: they are; torch makes a tensor before it touches its memory, so nothing is lost yet.
    """
    taken = 0

    def count(module: nn.Module, name: str, value: Any) -> None:
        nonlocal taken
        taken += value.nbytes if isinstance(value, Tensor) and not value.is_meta else 0
        if taken > memory():
            raise MemoryError(
                f"the weights up to {type(module).__name__}.{name} take {taken / GIB:,.0f} GiB of "
                f"{memory() / GIB:.0f} GiB of memory"
            )

    hooks = [register(count) for register in (_parameters, _buffers)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


_parameters, _buffers = register_module_parameter_registration_hook, register_module_buffer_registration_hook


def _limits() -> Iterator[int]:
    for place in LIMITS:
        try:
            yield int(Path(place).read_text())
        except (OSError, ValueError):  # no container, or one without a limit
            continue

"""Refuse what does not fit into memory before it is allocated; otherwise the system would kill the process."""

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

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # a container's limits
GIB = 2**30
NUMBER = 4  # bytes of a float32


@cache
def memory() -> int:
    """The machine's memory, or its container's limit, in bytes."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # unknown on this system
        machine = 2**63
    return min([machine, *_limits()])


def refuse_more(name: str, n: int, numbers: int) -> None:
    """Refuse n samples of `numbers` numbers each if they alone do not fit into memory.

    Raises:
        SettingError: they do not fit.
    """
    size = n * numbers * NUMBER
    if size > memory():
        most = memory() // (numbers * NUMBER)
        raise SettingError(
            f"{name}: expected samples that fit into the memory of {memory() / GIB:.0f} GiB, got {n:,}, which take "
            f"{size / GIB:,.0f} GiB; {most:,} would fill it, so ask for far fewer"
        )


@contextmanager
def weights_within() -> Iterator[None]:
    """Within the context, refuse networks as soon as their weights exceed the memory.

    Raises:
        MemoryError: they do; torch makes a tensor before it touches the tensor's memory, so this is early enough.
    """
    size = 0

    def count(module: nn.Module, name: str, value: Any) -> None:
        nonlocal size
        size += value.nbytes if isinstance(value, Tensor) and not value.is_meta else 0
        if size > memory():
            raise MemoryError(
                f"the weights up to {type(module).__name__}.{name} take {size / GIB:,.0f} GiB of "
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
        except (OSError, ValueError):  # no container, or no limit
            continue

"""Refuse numbers that are out of range, without torch, so that the command line can ask before it imports torch."""

import math

from agon.errors import SettingError

MOST = 1_024  # devices or threads; far more would crash a process, or a machine
MOST_GIB = 2**20
MOST_STEPS = 10**12
MOST_SNAPSHOTS = 10_000
TIE = 1.3  # the default bound of a battle's tie rule


def check_samples(n: int, name: str = "--n") -> int:
    """Return a number of samples if it is at least 1.

    Args:
        n: the number.
        name: its name in the message.

    Raises:
        SettingError: it is under 1.
    """
    if n < 1:
        raise SettingError(f"{name}: expected at least 1 sample, got {n}")
    return n


def check_count(count: int, name: str) -> None:
    """Raise a SettingError if a number of steps, or of anything else that there must be, is under 1."""
    if count < 1:
        raise SettingError(f"{name}: expected at least 1, got {count}")


def check_snapshots(count: int, name: str = "experiment.snapshots") -> None:
    """Raise a SettingError if a number of light checkpoints is negative, or more than a folder should hold."""
    if not 0 <= count <= MOST_SNAPSHOTS:
        raise SettingError(f"{name}: expected from 0 to {MOST_SNAPSHOTS:,}, got {count:,}")


def check_seed(seed: int, name: str = "experiment.seed") -> None:
    """Raise a SettingError if a seed is not in [0, 2^63)."""
    if not 0 <= seed < 2**63:
        raise SettingError(f"{name}: expected 0 <= seed < 2^63, got {seed}")


def check_resources(devices: int, threads: int, memory: float) -> None:
    """Raise a SettingError for numbers of devices, threads or GiB that no machine has."""
    if not (1 <= devices <= MOST and 0 <= threads <= MOST and 0 <= memory <= MOST_GIB):
        raise SettingError(
            f"devices, threads, memory: expected devices from 1 and threads from 0, both to {MOST:,}, and memory "
            f"from 0 to {MOST_GIB:,}, got {devices}, {threads} and {memory}"
        )


def check_tie(tie: float) -> None:
    """Raise a SettingError if the bound of a battle's tie rule is under 1, or not finite."""
    if not (math.isfinite(tie) and tie >= 1):
        raise SettingError(f"tie rule of a battle: expected a bound of at least 1, got {tie}; use {TIE}")

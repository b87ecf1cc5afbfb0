"""Refuse numbers that are out of range, without torch, so that the command line can ask before it imports torch."""

import inspect
import math
import re
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from agon.errors import SettingError, unknown

T = TypeVar("T")
SAMPLES = (".png", ".npz", ".csv", ".gif", ".mp4")  # endings of files of samples
IMAGES = "NAME.png, NAME.npz, a folder, or with --interpolate or --training NAME.gif or NAME.mp4"
NUMBERS = ("NAME.npz", "NAME.npz or NAME.csv")  # of samples that are no images: of other shapes, and points

MOST = 1_024  # devices or threads; far more would crash a process, or a machine
MOST_GIB = 2**20
MOST_STEPS = 10**12
MOST_SNAPSHOTS = 10_000
PROCESSES = "processes"  # where jobs are done by default: in processes of this machine
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


def check_written(out: Path) -> None:
    """Raise a SettingError for a file whose name no samples can have; the sentence lists all that they can."""
    if out.suffix and out.suffix not in SAMPLES:
        raise SettingError(f"--out: expected {IMAGES}, or {NUMBERS[True]} for points, got {out}")


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


def counts_epochs(name: str) -> bool:
    """Whether an argument's name asks for epochs, which agon does not count."""
    return re.fullmatch(r"((num|n|max)_)?epochs?", name) is not None


def epochs_advice(epochs: object = "", option: str = "--steps ") -> str:
    """How to say in steps what somebody has said in epochs.

    Args:
        epochs: what was given, perhaps a number.
        option: how steps are given.

    >>> epochs_advice(10)
    'a training counts steps: epochs x images / batch, so 10 epochs of 60,000 images at batch 64 are --steps 9375'
    """
    count = int(text) if re.fullmatch("[1-9][0-9]{0,8}", text := str(epochs)) else 1
    number = f"{count:,} epoch{'s' * (count > 1)} of 60,000 images at batch 64 are {option}{-(-60_000 * count // 64)}"
    return f"a training counts steps: epochs x images / batch, so {number}"


def written(make: type) -> str:
    """How an instance of a class is written: with an ellipsis if it needs arguments, or does not say.

    >>> class Sized:
    ...     def __init__(self, width): ...
    >>> class Plain: ...
    >>> written(Sized), written(Plain), written(Exception)
    ('Sized(...)', 'Plain()', 'Exception(...)')
    """
    try:
        required = [p for p in inspect.signature(make).parameters.values() if p.default is p.empty]
    except ValueError:  # classes written in C have no signature
        return f"{make.__name__}(...)"
    needed = any(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in required)
    return f"{make.__name__}({'...' * needed})"


def refuse_classes(owner: object, **arguments: object) -> None:
    """Raise a SettingError if a class was given, alone or in a sequence, where an instance belongs."""
    for name, value in arguments.items():
        for each in value if isinstance(value, tuple | list) else (value,):
            if isinstance(each, type):
                place = f"{type(owner).__name__}.{name}"
                raise SettingError(
                    f"{place}: expected an instance, got the class {each.__name__}; write {written(each)}"
                )


def checks_names(owner: T) -> T:
    """Let a class refuse arguments that it does not have, or lacks, with a SettingError in the place of a TypeError.

    Args:
        owner: a dataclass; its constructor is replaced.

    Raises:
        SettingError: when an instance is made with an unknown name, or without a required one.
    """
    made: Any = owner
    construct = made.__init__
    signature = inspect.signature(construct)

    @wraps(construct)
    def checked(self: Any, *values: Any, **settings: Any) -> None:
        for name in settings:
            if name not in signature.parameters:
                known = [known for known in signature.parameters if known != "self"]
                epochs = counts_epochs(name) and "steps" in known
                message = unknown(f"setting of {made.__name__}", name, known)
                raise SettingError(f"{made.__name__}: {epochs_advice(settings[name], 'steps=')}" if epochs else message)
        try:
            signature.bind(self, *values, **settings)
        except TypeError as error:
            raise SettingError(f"{made.__name__}: {error}") from error
        construct(self, *values, **settings)

    made.__init__ = checked
    return owner
